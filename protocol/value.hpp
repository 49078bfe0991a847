#pragma once

/// Plain data: what a record (msgpack) or a message body (JSON) holds. Written as a tree of its own
/// (Value); read in place (crypto/flat_value.hpp).
///
/// Structs say their fields once and get both encodings (record.hpp):
///
///     struct Ping {
///       std::string id;
///       std::int64_t sent_ms = 0;
///       template <class V> void visit(V& v) { v("id", id); v("sent_ms", sent_ms); }
///     };
///
/// An absent field keeps the default of its declaration and an unknown one is ignored, so that
/// formats can grow. Bytes are raw in msgpack and base64url in JSON.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "crypto/bytes.hpp"
#include "crypto/flat_value.hpp"
#include "crypto/json.hpp"
#include "crypto/result.hpp"

namespace kith::protocol {

class Value {
 public:
  using List = std::vector<Value>;
  using Map = std::map<std::string, Value, std::less<>>;
  std::variant<std::monostate, bool, std::int64_t, std::string, Bytes, List, Map> data;

  [[nodiscard]] const Map* map() const { return std::get_if<Map>(&data); }
  [[nodiscard]] const List* list() const { return std::get_if<List>(&data); }
};

/// msgpack with explicit limits (limits::kRecord*). Errors: malformed, limit_exceeded, unsupported
/// (floats, extensions).
[[nodiscard]] Bytes to_msgpack(const Value& value);
[[nodiscard]] Result<FlatValue> read_msgpack(ByteView bytes);
/// The same as a tree of its own.
[[nodiscard]] Result<Value> from_msgpack(ByteView bytes);

/// JSON has no bytes: they become base64url strings. Floats are refused on reading.
[[nodiscard]] Json to_json_value(const Value& value);
[[nodiscard]] Result<FlatValue> read_json_value(const JsonObject& json);

}  // namespace kith::protocol
