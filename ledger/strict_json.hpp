#pragma once

/// Small strict readers for log JSON, shared by entries and states. Errors: malformed,
/// limit_exceeded, each naming the member.

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/json.hpp"
#include "crypto/result.hpp"

namespace kith::ledger {

/// Refuses members outside `known`.
[[nodiscard]] Result<void> only_members(const JsonObject& object,
                                        std::initializer_list<std::string_view> known,
                                        std::string_view what);
/// An integer in [low, high].
[[nodiscard]] Result<std::int64_t> ranged_int(const JsonObject& object, std::string_view member,
                                              std::int64_t low, std::int64_t high);
/// An array of strings, at most `max` long.
[[nodiscard]] Result<std::vector<std::string>> string_list(const JsonObject& object,
                                                           std::string_view member,
                                                           std::size_t max);
/// Printable ASCII without spaces, 1 to `max` characters.
[[nodiscard]] Result<void> plain_text(std::string_view text, std::string_view what,
                                      std::size_t max);
/// 'z' multibase of `size` bytes, in its one spelling.
[[nodiscard]] Result<Bytes> multibase_bytes(std::string_view text, std::size_t size,
                                            std::string_view what);
[[nodiscard]] bool all_distinct(std::vector<std::string> values);
[[nodiscard]] bool contains(const std::vector<std::string>& values, std::string_view value);
[[nodiscard]] JsonArray json_strings(const std::vector<std::string>& values);

}  // namespace kith::ledger
