#pragma once

/// Structs to records (msgpack) and message bodies (JSON), and back, through one `visit` function
/// (value.hpp). Readers check every type; a wrong one is `malformed`, naming the field.

#include <array>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "crypto/key.hpp"
#include "crypto/key_ops.hpp"
#include "crypto/ristretto.hpp"
#include "protocol/time.hpp"
#include "protocol/value.hpp"

namespace kith::protocol {

/// One pair a type: `write` never fails, `read` checks.
template <class T>
struct Codec;

template <class T>
[[nodiscard]] Value write_value(const T& value) {
  return Codec<T>::write(value);
}

class FieldWriter {
 public:
  template <class T>
  void operator()(const char* name, const T& value) {
    if constexpr (requires { value.has_value(); }) {
      if (value.has_value()) map_.emplace(name, write_value(*value));
    } else {
      map_.emplace(name, write_value(value));
    }
  }
  Value::Map take() { return std::move(map_); }

 private:
  Value::Map map_;
};

class FieldReader {
 public:
  explicit FieldReader(ValueView map) : map_(map) {}

  template <class T>
  void operator()(const char* name, T& value) {
    if (error_) return;
    const auto found = map_.field(name);
    if (!found || found->is_nil()) return;
    if constexpr (requires { value.has_value(); }) {
      typename T::value_type inner{};
      read(name, *found, inner);
      if (!error_) value = std::move(inner);
    } else {
      read(name, *found, value);
    }
  }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  template <class T>
  void read(const char* name, ValueView from, T& value) {
    auto result = Codec<T>::read(from);
    if (result.has_value()) {
      value = std::move(*result);
    } else {
      error_ = fail(result.error().code, std::string(name) + ": " + result.error().detail);
    }
  }

  ValueView map_;
  std::optional<Error> error_;
};

template <class T>
concept Visitable = requires(T& value, FieldWriter& writer) {
  value.visit(writer);
};

template <Visitable T>
struct Codec<T> {
  static Value write(const T& value) {
    FieldWriter writer;
    const_cast<T&>(value).visit(writer);  // The writer only reads; one visit serves both ways.
    return Value{writer.take()};
  }
  static Result<T> read(ValueView from) {
    if (!from.is_map()) return fail(Errc::malformed, "not a map of fields");
    T value{};
    FieldReader reader(from);
    value.visit(reader);
    if (reader.error()) return *reader.error();
    return value;
  }
};

template <>
struct Codec<bool> {
  static Value write(bool value) { return Value{value}; }
  static Result<bool> read(ValueView from) {
    if (const auto value = from.boolean()) return *value;
    return fail(Errc::malformed, "not true or false");
  }
};

template <class T>
requires(std::is_integral_v<T> && !std::is_same_v<T, bool>) struct Codec<T> {
  static Value write(T value) { return Value{static_cast<std::int64_t>(value)}; }
  static Result<T> read(ValueView from) {
    const auto value = from.integer();
    if (!value) return fail(Errc::malformed, "not an integer");
    if constexpr (sizeof(T) < 8) {
      if (*value < std::int64_t{std::numeric_limits<T>::min()} ||
          *value > std::int64_t{std::numeric_limits<T>::max()}) {
        return fail(Errc::malformed, "integer out of range");
      }
    } else if constexpr (std::is_unsigned_v<T>) {
      if (*value < 0) return fail(Errc::malformed, "integer out of range");
    }
    return static_cast<T>(*value);
  }
};

/// Enums that are stored give `bool is_valid(E)` beside their declaration.
template <class T>
requires std::is_enum_v<T>
struct Codec<T> {
  static Value write(T value) { return Value{static_cast<std::int64_t>(value)}; }
  static Result<T> read(ValueView from) {
    TRY(const auto number, Codec<std::underlying_type_t<T>>::read(from));
    const T value = static_cast<T>(number);
    if (!is_valid(value)) return fail(Errc::malformed, "unknown kind");
    return value;
  }
};

template <>
struct Codec<std::string> {
  static Value write(const std::string& value) { return Value{value}; }
  static Result<std::string> read(ValueView from) {
    if (const auto value = from.text()) return std::string(*value);
    return fail(Errc::malformed, "not a text");
  }
};

template <>
struct Codec<Bytes> {
  static Value write(const Bytes& value) { return Value{value}; }
  static Result<Bytes> read(ValueView from) {
    if (const auto value = from.bytes()) return crypto::to_bytes(*value);
    if (const auto text = from.text()) return crypto::from_base64url(*text);
    return fail(Errc::malformed, "not bytes");
  }
};

template <std::size_t N>
struct Codec<std::array<std::uint8_t, N>> {
  static Value write(const std::array<std::uint8_t, N>& value) {
    return Value{Bytes(value.begin(), value.end())};
  }
  static Result<std::array<std::uint8_t, N>> read(ValueView from) {
    TRY(const Bytes bytes, Codec<Bytes>::read(from));
    if (bytes.size() != N) return fail(Errc::malformed, "wrong number of bytes");
    std::array<std::uint8_t, N> value{};
    std::copy(bytes.begin(), bytes.end(), value.begin());
    return value;
  }
};

template <class T>
requires(!std::is_same_v<T, std::uint8_t>) struct Codec<std::vector<T>> {
  static Value write(const std::vector<T>& values) {
    Value::List list;
    list.reserve(values.size());
    for (const T& value : values) list.push_back(write_value(value));
    return Value{std::move(list)};
  }
  static Result<std::vector<T>> read(ValueView from) {
    if (!from.is_list()) return fail(Errc::malformed, "not a list");
    std::vector<T> values;
    values.reserve(from.size());
    for (const ValueView item : from.items()) {
      TRY(T value, Codec<T>::read(item));
      values.push_back(std::move(value));
    }
    return values;
  }
};

template <class T>
struct Codec<std::map<std::string, T>> {
  static Value write(const std::map<std::string, T>& values) {
    Value::Map map;
    for (const auto& [name, value] : values) map.emplace(name, write_value(value));
    return Value{std::move(map)};
  }
  static Result<std::map<std::string, T>> read(ValueView from) {
    if (!from.is_map()) return fail(Errc::malformed, "not a map");
    std::map<std::string, T> values;
    for (const auto& [name, item] : from.fields()) {
      TRY(T value, Codec<T>::read(item));
      values.emplace(name, std::move(value));
    }
    return values;
  }
};

template <>
struct Codec<Time> {
  static Value write(Time value) { return Value{epoch_ms(value)}; }
  static Result<Time> read(ValueView from) {
    TRY(const std::int64_t ms, Codec<std::int64_t>::read(from));
    return from_epoch_ms(ms);
  }
};

template <>
struct Codec<Duration> {
  static Value write(Duration value) { return Value{std::int64_t{value.count()}}; }
  static Result<Duration> read(ValueView from) {
    TRY(const std::int64_t ms, Codec<std::int64_t>::read(from));
    return Duration{ms};
  }
};

/// JSON inside a record travels as its text, so that numbers and order survive.
template <>
struct Codec<JsonObject> {
  static Value write(const JsonObject& value) { return Value{crypto::json_text(value)}; }
  static Result<JsonObject> read(ValueView from) {
    TRY(const std::string text, Codec<std::string>::read(from));
    TRY(const Json json, crypto::parse_json(text));
    if (!json.is_object()) return fail(Errc::malformed, "not a JSON object");
    return json.get_object();
  }
};

template <>
struct Codec<PublicKey> {
  static Value write(const PublicKey& value) { return Value{crypto::multikey(value)}; }
  static Result<PublicKey> read(ValueView from) {
    TRY(const std::string text, Codec<std::string>::read(from));
    return crypto::from_multikey(text);
  }
};

template <>
struct Codec<Point> {
  static Value write(const Point& value) { return Value{crypto::to_bytes(value.bytes())}; }
  static Result<Point> read(ValueView from) {
    TRY(const Bytes bytes, Codec<Bytes>::read(from));
    return Point::parse(bytes);
  }
};

template <>
struct Codec<Scalar> {
  static Value write(const Scalar& value) { return Value{crypto::to_bytes(value.bytes())}; }
  static Result<Scalar> read(ValueView from) {
    TRY(const Bytes bytes, Codec<Bytes>::read(from));
    return Scalar::parse(bytes);
  }
};

/// Opaque sealed values are their bytes.
template <class T, Bytes T::*kMember>
struct SealedCodec {
  static Value write(const T& value) { return Value{value.*kMember}; }
  static Result<T> read(ValueView from) {
    TRY(Bytes bytes, Codec<Bytes>::read(from));
    T value;
    value.*kMember = std::move(bytes);
    return value;
  }
};
template <>
struct Codec<SealedKey> : SealedCodec<SealedKey, &SealedKey::blob> {};
template <>
struct Codec<SealedShare> : SealedCodec<SealedShare, &SealedShare::blob> {};
template <>
struct Codec<VaultItem> : SealedCodec<VaultItem, &VaultItem::box> {};

/// A struct as a stored record.
template <class T>
[[nodiscard]] Bytes encode_record(const T& value) {
  return to_msgpack(write_value(value));
}
template <class T>
[[nodiscard]] Result<T> decode_record(ByteView bytes) {
  TRY(const FlatValue value, read_msgpack(bytes));
  return Codec<T>::read(value.root());
}

/// A struct as a message body.
template <class T>
[[nodiscard]] JsonObject encode_body(const T& value) {
  return to_json_value(write_value(value)).get_object();
}
template <class T>
[[nodiscard]] Result<T> decode_body(const JsonObject& body) {
  TRY(const FlatValue value, read_json_value(body));
  return Codec<T>::read(value.root());
}

}  // namespace kith::protocol
