#include "ledger/strict_json.hpp"

#include <algorithm>

namespace kith::ledger {

Result<void> only_members(const JsonObject& object, std::initializer_list<std::string_view> known,
                          std::string_view what) {
  for (const auto& member : object) {
    const std::string_view name(member.key().data(), member.key().size());
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return fail(Errc::malformed, std::string(what) + " has a member that it may not have");
    }
  }
  return {};
}

Result<std::int64_t> ranged_int(const JsonObject& object, std::string_view member, std::int64_t low,
                                std::int64_t high) {
  TRY(const std::int64_t value, crypto::json_int(object, member));
  if (value < low || value > high) {
    return fail(Errc::malformed, std::string(member) + " is out of range");
  }
  return value;
}

Result<std::vector<std::string>> string_list(const JsonObject& object, std::string_view member,
                                             std::size_t max) {
  TRY(const JsonArray* array, crypto::json_array(object, member));
  if (array->size() > max) {
    return fail(Errc::limit_exceeded, std::string(member) + " has too many items");
  }
  std::vector<std::string> list;
  for (const Json& item : *array) {
    if (!item.is_string()) {
      return fail(Errc::malformed, std::string(member) + " holds something that is not text");
    }
    list.emplace_back(item.get_string().data(), item.get_string().size());
  }
  return list;
}

Result<void> plain_text(std::string_view text, std::string_view what, std::size_t max) {
  if (text.size() > max) return fail(Errc::limit_exceeded, std::string(what) + " is too long");
  const bool plain =
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (text.empty() || !plain) {
    return fail(Errc::malformed, std::string(what) + " is not plain ASCII text");
  }
  return {};
}

Result<Bytes> multibase_bytes(std::string_view text, std::size_t size, std::string_view what) {
  if (text.empty() || text.front() != 'z') {
    return fail(Errc::malformed, std::string(what) + " is not multibase 'z'");
  }
  TRY(Bytes bytes, crypto::from_multibase(text));
  if (bytes.size() != size || crypto::multibase(bytes) != text) {
    return fail(Errc::malformed, std::string(what) + " has the wrong length");
  }
  return bytes;
}

bool all_distinct(std::vector<std::string> values) {
  std::sort(values.begin(), values.end());
  return std::adjacent_find(values.begin(), values.end()) == values.end();
}

bool contains(const std::vector<std::string>& values, std::string_view value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

JsonArray json_strings(const std::vector<std::string>& values) {
  JsonArray array;
  for (const std::string& value : values) array.emplace_back(value);
  return array;
}

}  // namespace kith::ledger
