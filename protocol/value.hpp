#pragma once

/// Plain data: what a record (msgpack) or a message body (JSON) holds. Written as a tree of its own
/// (Value); read in place, as a flat list of views into what it was read from (FlatValue).
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

/// One value with all that is in it, each container before its content. In a map every value comes
/// after its name.
struct FlatNode {
  enum class Kind : std::uint8_t { nil, boolean, integer, text, bytes, list, map };
  Kind kind = Kind::nil;
  std::uint32_t size = 0;    ///< Bytes of a text or of bytes; items of a list, fields of a map.
  std::uint32_t extent = 1;  ///< Nodes of this value, itself included.
  std::int64_t number = 0;   ///< Of an integer; 0 or 1 of a boolean.
  const char* data = nullptr;
};

/// Points at one value of a FlatValue, which outlives it.
class ValueView {
 public:
  explicit ValueView(const FlatNode* node) : node_(node) {}

  [[nodiscard]] bool is_nil() const { return node_->kind == FlatNode::Kind::nil; }
  [[nodiscard]] bool is_list() const { return node_->kind == FlatNode::Kind::list; }
  [[nodiscard]] bool is_map() const { return node_->kind == FlatNode::Kind::map; }
  [[nodiscard]] std::optional<bool> boolean() const {
    if (node_->kind != FlatNode::Kind::boolean) return std::nullopt;
    return node_->number != 0;
  }
  [[nodiscard]] std::optional<std::int64_t> integer() const {
    if (node_->kind != FlatNode::Kind::integer) return std::nullopt;
    return node_->number;
  }
  [[nodiscard]] std::optional<std::string_view> text() const {
    if (node_->kind != FlatNode::Kind::text) return std::nullopt;
    return std::string_view(node_->data, node_->size);
  }
  [[nodiscard]] std::optional<ByteView> bytes() const {
    if (node_->kind != FlatNode::Kind::bytes) return std::nullopt;
    return crypto::as_bytes(std::string_view(node_->data, node_->size));
  }
  /// Items of a list, fields of a map.
  [[nodiscard]] std::size_t size() const { return node_->size; }
  /// Calls `visit(item)` for each item of a list, until one call returns an error.
  template <class Visit>
  [[nodiscard]] Result<void> each_item(Visit visit) const {
    const FlatNode* at = node_ + 1;
    for (std::uint32_t i = 0; i < node_->size; ++i, at += at->extent) CHECK(visit(ValueView(at)));
    return {};
  }
  /// Calls `visit(name, value)` for each field of a map in the order of reading, likewise.
  template <class Visit>
  [[nodiscard]] Result<void> each_field(Visit visit) const {
    const FlatNode* at = node_ + 1;
    for (std::uint32_t i = 0; i < node_->size; ++i, at += at->extent) {
      const std::string_view name(at->data, at->size);
      ++at;
      CHECK(visit(name, ValueView(at)));
    }
    return {};
  }
  /// Of a map; names are unique.
  [[nodiscard]] std::optional<ValueView> field(std::string_view name) const {
    const FlatNode* at = node_ + 1;
    for (std::uint32_t i = 0; i < node_->size; ++i, at += at->extent) {
      const std::string_view found(at->data, at->size);
      ++at;
      if (found == name) return ValueView(at);
    }
    return std::nullopt;
  }

 private:
  const FlatNode* node_;
};

/// Refers to the msgpack or JSON that it was read from, which outlives it.
class FlatValue {
 public:
  /// `nodes` are complete and hold one value.
  explicit FlatValue(std::vector<FlatNode> nodes) : nodes_(std::move(nodes)) {}
  [[nodiscard]] ValueView root() const { return ValueView(nodes_.data()); }

 private:
  std::vector<FlatNode> nodes_;
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
