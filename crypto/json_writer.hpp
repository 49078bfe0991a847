#pragma once

/// Compact JSON written piece by piece into one text, for what is too large to build a tree of
/// first. The caller sees to it that the pieces make a whole; commas come by themselves.

#include <string>
#include <string_view>

#include "crypto/json.hpp"

namespace kith::crypto {

class JsonWriter {
 public:
  /// Writes to the end of `to`, which outlives it and is empty or ends where a value may stand.
  explicit JsonWriter(std::string& to) : to_(to) {}

  void begin_object() { begin('{'); }
  void end_object() { to_ += '}'; }
  void begin_array() { begin('['); }
  void end_array() { to_ += ']'; }
  /// Of the member whose value comes next.
  void name(std::string_view name);

  void text(std::string_view text);
  void integer(std::int64_t number);
  void value(const Json& value);
  void value(const JsonObject& object);
  /// As a text.
  void base64url(ByteView bytes);
  /// What json_text gave.
  void written(std::string_view json);

 private:
  void begin(char bracket) {
    separate();
    to_ += bracket;
  }
  /// A value ends in none of the characters after which another one may begin.
  void separate() {
    if (to_.empty()) return;
    const char last = to_.back();
    if (last != '{' && last != '[' && last != ':') to_ += ',';
  }

  std::string& to_;
};

}  // namespace kith::crypto
