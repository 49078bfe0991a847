#include "crypto/json.hpp"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "crypto/assert.hpp"

namespace kith::crypto {

namespace {

namespace bj = boost::json;

/// Beyond this, IEEE doubles (and so many peers) no longer tell neighbouring integers apart.
constexpr std::int64_t kIntegerMax = (std::int64_t{1} << 53) - 1;

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
    if (number > kIntegerMax || number < -kIntegerMax) return too_large(ec);
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

/// RFC 8785 section 3.2.3 sorts by UTF-16 code units. UTF-8 sorts the same, except that characters
/// beyond U+FFFF (surrogates in UTF-16, lead byte F0 and up) come before U+E000..U+FFFF.
bool utf16_less(std::string_view a, std::string_view b) {
  const auto [at_a, at_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (at_a == a.end() || at_b == b.end()) return at_a == a.end() && at_b != b.end();
  const auto byte_a = static_cast<unsigned char>(*at_a);
  const auto byte_b = static_cast<unsigned char>(*at_b);
  const bool surrogate_a = byte_a >= 0xF0;
  const bool surrogate_b = byte_b >= 0xF0;
  if (surrogate_a != surrogate_b && std::min(byte_a, byte_b) >= 0xEE) return surrogate_a;
  return byte_a < byte_b;
}

constexpr bool is_escaped(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

/// Characters at the start that stand for themselves. Eight at a time: most texts are long base64.
std::size_t plain_length(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kTops = 0x80 * kOnes;
  // Has its top bit set somewhere, if a byte is below `limit` (at most 0x80).
  const auto below = [](std::uint64_t eight, std::uint64_t limit) {
    return (eight - kOnes * limit) & ~eight & kTops;
  };
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, text.data() + at, sizeof(eight));
    const std::uint64_t quotes = eight ^ (kOnes * static_cast<unsigned char>('"'));
    const std::uint64_t slashes = eight ^ (kOnes * static_cast<unsigned char>('\\'));
    if ((below(eight, 0x20) | below(quotes, 1) | below(slashes, 1)) != 0) break;
  }
  while (at < text.size() && !is_escaped(text[at])) ++at;
  return at;
}

void write_escaped(std::string& out, char c) {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  constexpr std::string_view kNamed = "\"\\\b\t\n\f\r";
  constexpr std::string_view kNames = "\"\\btnfr";
  out += '\\';
  if (const std::size_t at = kNamed.find(c); at != std::string_view::npos) {
    out += kNames[at];
    return;
  }
  const auto byte = static_cast<unsigned char>(c);
  out += "u00";
  out += kHexDigits[byte >> 4U];
  out += kHexDigits[byte & 0xFU];
}

/// As RFC 8785 section 3.2.2.2.
void write_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t plain = plain_length(text);
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    write_escaped(out, text.front());
    text.remove_prefix(1);
  }
  out += '"';
}

/// `write_item(out, item)` for each, with commas between.
template <class Items, class WriteItem>
void write_list(std::string& out, char open, const Items& items, char close, WriteItem write_item) {
  out += open;
  const char* separator = "";
  for (const auto& item : items) {
    out += std::exchange(separator, ",");
    write_item(out, item);
  }
  out += close;
}

void write_canonical(std::string& out, const Json& value);

void write_canonical(std::string& out, const bj::key_value_pair* member) {
  write_string(out, member->key());
  out += ':';
  write_canonical(out, member->value());
}

void write_canonical(std::string& out, const Json& value) {
  const auto write_one = [](std::string& to, const auto& one) { write_canonical(to, one); };
  switch (value.kind()) {
    case bj::kind::null:
      out += "null";
      return;
    case bj::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      return;
    case bj::kind::int64: {
      const std::int64_t number = value.get_int64();
      ASSERT(number <= kIntegerMax && number >= -kIntegerMax);
      out += std::to_string(number);
      return;
    }
    case bj::kind::uint64: {
      const std::uint64_t number = value.get_uint64();
      ASSERT(number <= static_cast<std::uint64_t>(kIntegerMax));
      out += std::to_string(number);
      return;
    }
    case bj::kind::double_:
      ASSERT(value.kind() != bj::kind::double_);
      return;
    case bj::kind::string:
      write_string(out, value.get_string());
      return;
    case bj::kind::array:
      return write_list(out, '[', value.get_array(), ']', write_one);
    case bj::kind::object: {
      std::vector<const bj::key_value_pair*> members;
      for (const auto& member : value.get_object()) members.push_back(&member);
      std::sort(members.begin(), members.end(),
                [](const auto* a, const auto* b) { return utf16_less(a->key(), b->key()); });
      return write_list(out, '{', members, '}', write_one);
    }
  }
}

void write_text(std::string& out, const Json& value);

void write_text(std::string& out, const JsonObject& object) {
  write_list(out, '{', object, '}', [](std::string& to, const bj::key_value_pair& member) {
    write_string(to, member.key());
    to += ':';
    write_text(to, member.value());
  });
}

void write_text(std::string& out, const Json& value) {
  switch (value.kind()) {
    case bj::kind::string:
      return write_string(out, value.get_string());
    case bj::kind::object:
      return write_text(out, value.get_object());
    case bj::kind::array:
      return write_list(out, '[', value.get_array(), ']',
                        [](std::string& to, const Json& item) { write_text(to, item); });
    default:
      out += bj::serialize(value);
  }
}

/// At least what `value` takes as text, nearly: a letter's text is not to be moved while it grows.
std::size_t text_bytes(const Json& value);

std::size_t text_bytes(const JsonObject& object) {
  std::size_t bytes = 2;
  for (const auto& member : object) bytes += member.key().size() + 4 + text_bytes(member.value());
  return bytes;
}

std::size_t text_bytes(const Json& value) {
  if (value.is_string()) return value.get_string().size() + 2;
  if (value.is_object()) return text_bytes(value.get_object());
  std::size_t bytes = 8;
  if (!value.is_array()) return bytes;
  for (const Json& item : value.get_array()) bytes += 1 + text_bytes(item);
  return bytes;
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

std::string canonical_json(const Json& value) {
  std::string out;
  write_canonical(out, value);
  return out;
}

std::string json_text(const Json& value) {
  std::string out;
  out.reserve(text_bytes(value));
  write_text(out, value);
  return out;
}

std::string json_text(const JsonObject& object) {
  std::string out;
  out.reserve(text_bytes(object));
  write_text(out, object);
  return out;
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
      value->get_uint64() <= static_cast<std::uint64_t>(kIntegerMax)) {
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

}  // namespace kith::crypto
