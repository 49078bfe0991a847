#include "crypto/json.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <cmath>
#include <utility>
#include <vector>

#include "crypto/assert.hpp"

namespace kith::crypto {

namespace {

namespace bj = boost::json;

/// Builds the value itself, because Boost's own builder lets a later duplicate key win silently.
class Builder {
 public:
  static constexpr std::size_t max_object_size = limits::kJsonMembersMax;
  static constexpr std::size_t max_array_size = limits::kJsonBytesMax;
  static constexpr std::size_t max_key_size = limits::kJsonBytesMax;
  static constexpr std::size_t max_string_size = limits::kEnvelopeBytesMax;

  explicit Builder(const JsonLimits& limits) : limits_(limits) {}

  [[nodiscard]] Json take() { return std::move(root_); }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }
  bool on_object_begin(bj::error_code&) { return open(JsonObject()); }
  bool on_object_end(std::size_t, bj::error_code& ec) { return close(ec); }
  bool on_array_begin(bj::error_code&) { return open(JsonArray()); }
  bool on_array_end(std::size_t, bj::error_code& ec) { return close(ec); }

  bool on_key_part(bj::string_view part, std::size_t, bj::error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_key(bj::string_view part, std::size_t, bj::error_code& ec) {
    const auto [member, is_new] = open_.back().value.get_object().emplace(whole(part), nullptr);
    if (!is_new) return refuse(ec, Errc::malformed, "the same member name twice in one object");
    open_.back().member = &member->value();
    text_.clear();
    return true;
  }
  bool on_string_part(bj::string_view part, std::size_t, bj::error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_string(bj::string_view part, std::size_t, bj::error_code&) {
    place(Json(whole(part)));
    text_.clear();
    return true;
  }

  bool on_number_part(bj::string_view part, bj::error_code&) {
    number_.append(part.data(), part.size());
    return true;
  }
  bool on_int64(std::int64_t number, bj::string_view part, bj::error_code& ec) {
    number_.append(part.data(), part.size());
    if (number > kJsonIntegerMax || number < -kJsonIntegerMax) return too_large(ec);
    if (number_ == "-0" && !limits_.floats_allowed) {
      return refuse(ec, Errc::malformed, "minus zero");
    }
    number_.clear();
    place(Json(number));
    return true;
  }
  bool on_uint64(std::uint64_t, bj::string_view, bj::error_code& ec) { return too_large(ec); }
  bool on_double(double number, bj::string_view part, bj::error_code& ec) {
    number_.append(part.data(), part.size());
    if (number_.find_first_of(".eE") == std::string::npos) return too_large(ec);
    if (!limits_.floats_allowed) {
      return refuse(ec, Errc::malformed, "a number that is not a plain integer");
    }
    if (!std::isfinite(number)) return too_large(ec);
    number_.clear();
    place(Json(number));
    return true;
  }

  bool on_bool(bool truth, bj::error_code&) {
    place(Json(truth));
    return true;
  }
  bool on_null(bj::error_code& ec) {
    if (!limits_.nulls_allowed) return refuse(ec, Errc::malformed, "null");
    place(Json(nullptr));
    return true;
  }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }

 private:
  struct Open {
    Json value;
    Json* member;  ///< The one being read, when `value` is an object. Holds until the next one.
  };

  /// The text that ends with `part`; most come in one.
  bj::string_view whole(bj::string_view part) {
    if (text_.empty()) return part;
    text_.append(part.data(), part.size());
    return text_;
  }

  bool open(Json container) {
    open_.push_back(Open{std::move(container), nullptr});
    return true;
  }

  bool close(bj::error_code&) {
    Json done = std::move(open_.back().value);
    open_.pop_back();
    place(std::move(done));
    return true;
  }

  void place(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    Open& top = open_.back();
    if (top.member != nullptr) {
      *top.member = std::move(value);
    } else {
      top.value.get_array().push_back(std::move(value));
    }
  }

  bool too_large(bj::error_code& ec) {
    return refuse(ec, Errc::malformed, "a number beyond what JSON carries exactly");
  }

  bool refuse(bj::error_code& ec, Errc code, std::string_view detail) {
    error_ = fail(code, "JSON: " + std::string(detail));
    ec = bj::error::syntax;
    return false;
  }

  const JsonLimits& limits_;
  std::vector<Open> open_;
  std::string text_;
  std::string number_;
  Json root_;
  std::optional<Error> error_;
};

bool is_limit(const bj::error_code& ec) {
  return ec == bj::error::too_deep || ec == bj::error::object_too_large ||
         ec == bj::error::array_too_large || ec == bj::error::key_too_large ||
         ec == bj::error::string_too_large;
}

Error wrong_member(std::string_view member, std::string_view expected) {
  return fail(Errc::malformed,
              "member '" + std::string(member) + "' must be " + std::string(expected));
}

}  // namespace

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes_max) return fail(Errc::limit_exceeded, "JSON: too long");
  bj::parse_options options;
  options.max_depth = limits.depth_max;
  bj::basic_parser<Builder> parser(options, limits);
  bj::error_code ec;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
  if (parser.handler().error()) return *parser.handler().error();
  if (is_limit(ec)) return fail(Errc::limit_exceeded, "JSON: too deep or too many members");
  if (ec || !parser.done()) return fail(Errc::malformed, "JSON: " + ec.message());
  if (used != text.size()) return fail(Errc::malformed, "JSON: text after the value");
  return parser.handler().take();
}

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

}  // namespace kith::crypto
