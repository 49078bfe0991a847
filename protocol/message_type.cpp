#include "protocol/message_type.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "crypto/limits.hpp"

namespace kith::protocol {

namespace {

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_name_character);
}

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

/// Names are compared without regard to case and punctuation.
std::string folded(std::string_view name) {
  std::string out;
  for (char c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c != '.' && c != '_' && c != '-') out += c;
  }
  return out;
}

Error not_a_type() {
  return fail(Errc::malformed, "a message type must read <document>/<protocol>/<n.n>/<name>");
}

}  // namespace

Result<MessageType> MessageType::parse(std::string_view uri) {
  if (uri.size() > limits::kMessageTypeCharsMax) {
    return fail(Errc::limit_exceeded, "the message type is too long");
  }
  const std::size_t name_slash = uri.rfind('/');
  if (name_slash == std::string_view::npos || name_slash == 0) return not_a_type();
  const std::size_t version_slash = uri.rfind('/', name_slash - 1);
  if (version_slash == std::string_view::npos) return not_a_type();

  MessageType type;
  type.name = uri.substr(name_slash + 1);
  const std::string_view version = uri.substr(version_slash + 1, name_slash - version_slash - 1);
  const std::size_t dot = version.find('.');
  if (dot == std::string_view::npos) return not_a_type();
  const auto major = number(version.substr(0, dot));
  const auto minor = number(version.substr(dot + 1));
  const std::string_view front = uri.substr(0, version_slash);
  std::size_t start = front.size();
  while (start > 0 && is_name_character(front[start - 1])) --start;
  type.doc_uri = front.substr(0, start);
  type.protocol = front.substr(start);
  if (!major || !minor || !is_name(type.name) || type.protocol.empty()) return not_a_type();
  type.major = *major;
  type.minor = *minor;
  return type;
}

std::string MessageType::protocol_uri() const {
  return doc_uri + protocol + "/" + std::to_string(major) + "." + std::to_string(minor);
}

std::string MessageType::text() const {
  return protocol_uri() + "/" + name;
}

bool same_protocol(const MessageType& a, const MessageType& b) {
  return a.doc_uri == b.doc_uri && a.major == b.major && folded(a.protocol) == folded(b.protocol);
}

bool same_message(const MessageType& a, const MessageType& b) {
  return same_protocol(a, b) && folded(a.name) == folded(b.name);
}

bool same_message(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const auto type_a = MessageType::parse(a);
  const auto type_b = MessageType::parse(b);
  return type_a.has_value() && type_b.has_value() && same_message(*type_a, *type_b);
}

}  // namespace kith::protocol
