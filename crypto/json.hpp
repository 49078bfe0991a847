#pragma once

/// Strict JSON in, canonical JSON (RFC 8785) out. The only door to Boost.JSON.
///
/// `parse_json` refuses what two parsers could read differently: duplicate keys, invalid UTF-8,
/// floats that are not integers, integers beyond 2^53-1, text after the value, documents deeper or
/// longer than the limits. `null` is allowed here (foreign DID documents hold it); logs refuse it.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/bytes.hpp"
#include "crypto/flat_value.hpp"
#include "crypto/limits.hpp"
#include "crypto/result.hpp"

namespace kith::crypto {

using Json = boost::json::value;
using JsonObject = boost::json::object;
using JsonArray = boost::json::array;

/// Beyond this, IEEE doubles (and so many peers) no longer tell neighbouring integers apart.
inline constexpr std::int64_t kJsonIntegerMax = (std::int64_t{1} << 53) - 1;

struct JsonLimits {
  std::size_t bytes_max = limits::kJsonBytesMax;
  std::size_t depth_max = limits::kJsonDepthMax;
  bool floats_allowed = true;  ///< Foreign messages may hold them; our own formats never do.
  bool nulls_allowed = true;
};

/// Errors: malformed, limit_exceeded.
[[nodiscard]] Result<Json> parse_json(std::string_view text, const JsonLimits& limits = {});
/// The same, read in place: the result refers to `text`, which outlives it.
[[nodiscard]] Result<FlatValue> read_json(std::string_view text, const JsonLimits& limits = {});
/// A tree of its own of what read_json gave, or of a part of it.
[[nodiscard]] Json json_tree(ValueView value);
[[nodiscard]] JsonObject json_object_tree(ValueView map);

/// RFC 8785: members sorted by UTF-16 code units, shortest escapes, integers without exponent.
/// Values with floats are our own bug here: asserted.
[[nodiscard]] std::string canonical_json(const Json& value);

/// Any JSON as compact text, members in the order they were put in (for messages).
[[nodiscard]] std::string json_text(const Json& value);
[[nodiscard]] std::string json_text(const JsonObject& object);
[[nodiscard]] std::string json_text(ValueView value);

/// Typed member access with one clear error each: `malformed` naming the member.
[[nodiscard]] Result<const JsonObject*> as_object(const Json& value, std::string_view what);
[[nodiscard]] Result<std::string> json_string(const JsonObject& object, std::string_view member);
[[nodiscard]] Result<std::int64_t> json_int(const JsonObject& object, std::string_view member);
[[nodiscard]] Result<const JsonObject*> json_object(const JsonObject& object,
                                                    std::string_view member);
[[nodiscard]] Result<const JsonArray*> json_array(const JsonObject& object,
                                                  std::string_view member);
/// Absent gives nullopt; present with another type is `malformed`.
[[nodiscard]] Result<std::optional<std::string>> json_optional_string(const JsonObject& object,
                                                                      std::string_view member);
[[nodiscard]] Result<std::optional<std::int64_t>> json_optional_int(const JsonObject& object,
                                                                    std::string_view member);

/// Without an error: what is absent or of another type counts as false, as empty.
[[nodiscard]] bool json_true(const JsonObject& object, std::string_view member);
[[nodiscard]] std::string json_text_of(const JsonObject& object, std::string_view member);
/// The characters of `string`, which is one (asserted), as long as it lives.
[[nodiscard]] std::string_view json_chars(const Json& string);

/// The same of what read_json gave. Texts lie where the value refers to.
[[nodiscard]] Result<ValueView> as_object(ValueView value, std::string_view what);
[[nodiscard]] Result<std::string_view> json_string(ValueView object, std::string_view member);
[[nodiscard]] Result<std::int64_t> json_int(ValueView object, std::string_view member);
[[nodiscard]] Result<ValueView> json_object(ValueView object, std::string_view member);
[[nodiscard]] Result<ValueView> json_array(ValueView object, std::string_view member);
[[nodiscard]] Result<std::optional<std::string_view>> json_optional_string(ValueView object,
                                                                           std::string_view member);
[[nodiscard]] Result<std::optional<std::int64_t>> json_optional_int(ValueView object,
                                                                    std::string_view member);

}  // namespace kith::crypto

namespace kith {
using crypto::Json;
using crypto::JsonArray;
using crypto::JsonObject;
}  // namespace kith
