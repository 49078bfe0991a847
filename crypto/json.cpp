#include "crypto/json.hpp"

#include <utility>

#include "crypto/assert.hpp"

namespace kith::crypto {

namespace {

Error wrong_member(std::string_view member, std::string_view expected) {
  return fail(Errc::malformed,
              "member '" + std::string(member) + "' must be " + std::string(expected));
}

}  // namespace

Result<const JsonObject*> as_object(const Json& value, std::string_view what) {
  const JsonObject* object = value.if_object();
  if (object == nullptr) return fail(Errc::malformed, std::string(what) + " must be an object");
  return object;
}

Result<std::string> json_string(const JsonObject& object, std::string_view member) {
  const Json* value = object.if_contains(member);
  if (value == nullptr || !value->is_string()) return wrong_member(member, "a string");
  return std::string(value->get_string());
}

Result<std::int64_t> json_int(const JsonObject& object, std::string_view member) {
  const Json* value = object.if_contains(member);
  if (value != nullptr && value->is_int64()) return value->get_int64();
  if (value != nullptr && value->is_uint64() &&
      value->get_uint64() <= static_cast<std::uint64_t>(kJsonIntegerMax)) {
    return static_cast<std::int64_t>(value->get_uint64());
  }
  return wrong_member(member, "an integer");
}

Result<const JsonObject*> json_object(const JsonObject& object, std::string_view member) {
  const Json* value = object.if_contains(member);
  if (value == nullptr || !value->is_object()) return wrong_member(member, "an object");
  return value->if_object();
}

Result<const JsonArray*> json_array(const JsonObject& object, std::string_view member) {
  const Json* value = object.if_contains(member);
  if (value == nullptr || !value->is_array()) return wrong_member(member, "an array");
  return value->if_array();
}

Result<std::optional<std::string>> json_optional_string(const JsonObject& object,
                                                        std::string_view member) {
  if (!object.contains(member)) return std::optional<std::string>();
  TRY(auto text, json_string(object, member));
  return std::optional<std::string>(std::move(text));
}

Result<std::optional<std::int64_t>> json_optional_int(const JsonObject& object,
                                                      std::string_view member) {
  if (!object.contains(member)) return std::optional<std::int64_t>();
  TRY(const auto number, json_int(object, member));
  return std::optional<std::int64_t>(number);
}

bool json_true(const JsonObject& object, std::string_view member) {
  const Json* value = object.if_contains(member);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::string json_text_of(const JsonObject& object, std::string_view member) {
  const Json* value = object.if_contains(member);
  return value != nullptr && value->is_string() ? std::string(json_chars(*value)) : std::string();
}

std::string_view json_chars(const Json& string) {
  ASSERT(string.is_string());
  return {string.get_string().data(), string.get_string().size()};
}

Result<ValueView> as_object(ValueView value, std::string_view what) {
  if (!value.is_map()) return fail(Errc::malformed, std::string(what) + " must be an object");
  return value;
}

Result<std::string_view> json_string(ValueView object, std::string_view member) {
  const auto value = object.field(member);
  const auto text = value ? value->text() : std::nullopt;
  if (!text) return wrong_member(member, "a string");
  return *text;
}

Result<std::int64_t> json_int(ValueView object, std::string_view member) {
  const auto value = object.field(member);
  const auto number = value ? value->integer() : std::nullopt;
  if (!number) return wrong_member(member, "an integer");
  return *number;
}

Result<ValueView> json_object(ValueView object, std::string_view member) {
  const auto value = object.field(member);
  if (!value || !value->is_map()) return wrong_member(member, "an object");
  return *value;
}

Result<ValueView> json_array(ValueView object, std::string_view member) {
  const auto value = object.field(member);
  if (!value || !value->is_list()) return wrong_member(member, "an array");
  return *value;
}

Result<std::optional<std::string_view>> json_optional_string(ValueView object,
                                                             std::string_view member) {
  if (!object.contains(member)) return std::optional<std::string_view>();
  TRY(const auto text, json_string(object, member));
  return std::optional<std::string_view>(text);
}

Result<std::optional<std::int64_t>> json_optional_int(ValueView object, std::string_view member) {
  if (!object.contains(member)) return std::optional<std::int64_t>();
  TRY(const auto number, json_int(object, member));
  return std::optional<std::int64_t>(number);
}

}  // namespace kith::crypto
