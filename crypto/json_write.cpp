#include "crypto/json.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cstring>
#include <utility>
#include <vector>

#include "crypto/assert.hpp"
#include "crypto/json_writer.hpp"

namespace kith::crypto {

namespace {

namespace bj = boost::json;

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
      ASSERT(number <= kJsonIntegerMax && number >= -kJsonIntegerMax);
      out += std::to_string(number);
      return;
    }
    case bj::kind::uint64: {
      const std::uint64_t number = value.get_uint64();
      ASSERT(number <= static_cast<std::uint64_t>(kJsonIntegerMax));
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

void write_text(std::string& out, ValueView value);

void write_text(std::string& out, const std::pair<std::string_view, ValueView>& member) {
  write_string(out, member.first);
  out += ':';
  write_text(out, member.second);
}

void write_text(std::string& out, ValueView value) {
  const auto write_one = [](std::string& to, const auto& one) { write_text(to, one); };
  if (const auto text = value.text()) return write_string(out, *text);
  if (value.is_list()) return write_list(out, '[', value.items(), ']', write_one);
  if (value.is_map()) return write_list(out, '{', value.fields(), '}', write_one);
  out += bj::serialize(json_tree(value));
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

std::size_t text_bytes(ValueView value) {
  if (const auto text = value.text()) return text->size() + 2;
  std::size_t bytes = 8;
  if (value.is_list()) {
    for (const ValueView item : value.items()) bytes += 1 + text_bytes(item);
  } else if (value.is_map()) {
    for (const auto& [name, item] : value.fields()) bytes += name.size() + 4 + text_bytes(item);
  }
  return bytes;
}

template <class T>
std::string compact_text(const T& value) {
  std::string out;
  out.reserve(text_bytes(value));
  write_text(out, value);
  return out;
}

}  // namespace

std::string canonical_json(const Json& value) {
  std::string out;
  write_canonical(out, value);
  return out;
}

std::string json_text(const Json& value) {
  return compact_text(value);
}
std::string json_text(const JsonObject& object) {
  return compact_text(object);
}
std::string json_text(ValueView value) {
  return compact_text(value);
}

void JsonWriter::name(std::string_view name) {
  separate();
  write_string(to_, name);
  to_ += ':';
}
void JsonWriter::text(std::string_view text) {
  separate();
  write_string(to_, text);
}
void JsonWriter::integer(std::int64_t number) {
  separate();
  to_ += std::to_string(number);
}
void JsonWriter::value(const Json& value) {
  separate();
  write_text(to_, value);
}
void JsonWriter::value(const JsonObject& object) {
  separate();
  write_text(to_, object);
}
void JsonWriter::base64url(ByteView bytes) {
  separate();
  to_ += '"';
  append_base64url(to_, bytes);
  to_ += '"';
}
void JsonWriter::written(std::string_view json) {
  separate();
  to_ += json;
}

}  // namespace kith::crypto
