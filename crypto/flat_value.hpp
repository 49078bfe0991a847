#pragma once

/// Plain data read in place: JSON (json.hpp) or msgpack as one flat list of nodes that point into
/// the text. Nothing of the text is copied but what is escaped in it.

#include <bit>
#include <cstdint>
#include <forward_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/bytes.hpp"
#include "crypto/result.hpp"

namespace kith::crypto {

/// One value with all that is in it, each container before its content. In a map every value comes
/// after its name.
struct FlatNode {
  enum class Kind : std::uint8_t { nil, boolean, integer, real, text, bytes, list, map };
  Kind kind = Kind::nil;
  std::uint32_t size = 0;    ///< Bytes of a text or of bytes; items of a list, fields of a map.
  std::uint32_t extent = 1;  ///< Nodes of this value, itself included.
  union {
    std::int64_t number = 0;  ///< Of an integer; 0 or 1 of a boolean; the bits of a real.
    const char* data;         ///< Of a text or of bytes.
  };

  FlatNode(Kind k, std::int64_t n) : kind(k), number(n) {}
  FlatNode(Kind k, std::string_view content)
      : kind(k), size(static_cast<std::uint32_t>(content.size())), data(content.data()) {}
  [[nodiscard]] std::string_view content() const { return {data, size}; }
};

/// Points at one value of a FlatValue, which outlives it.
class ValueView {
 public:
  using Kind = FlatNode::Kind;
  explicit ValueView(const FlatNode* node) : node_(node) {}

  [[nodiscard]] Kind kind() const { return node_->kind; }
  [[nodiscard]] bool is_nil() const { return node_->kind == Kind::nil; }
  [[nodiscard]] bool is_list() const { return node_->kind == Kind::list; }
  [[nodiscard]] bool is_map() const { return node_->kind == Kind::map; }
  [[nodiscard]] std::optional<bool> boolean() const {
    if (node_->kind != Kind::boolean) return std::nullopt;
    return node_->number != 0;
  }
  [[nodiscard]] std::optional<std::int64_t> integer() const {
    if (node_->kind != Kind::integer) return std::nullopt;
    return node_->number;
  }
  [[nodiscard]] std::optional<double> real() const {
    if (node_->kind != Kind::real) return std::nullopt;
    return std::bit_cast<double>(node_->number);
  }
  [[nodiscard]] std::optional<std::string_view> text() const {
    if (node_->kind != Kind::text) return std::nullopt;
    return node_->content();
  }
  [[nodiscard]] std::optional<ByteView> bytes() const {
    if (node_->kind != Kind::bytes) return std::nullopt;
    return as_bytes(node_->content());
  }
  /// Items of a list, fields of a map.
  [[nodiscard]] std::size_t size() const { return node_->size; }
  /// To go over the items of a list in a loop.
  [[nodiscard]] auto items() const;
  /// To go over the fields of a map in the order of reading, each with name and value.
  [[nodiscard]] auto fields() const;
  /// Of a map; names are unique.
  [[nodiscard]] std::optional<ValueView> field(std::string_view name) const;
  [[nodiscard]] bool contains(std::string_view name) const { return field(name).has_value(); }

 private:
  const FlatNode* node_;
};

/// A range over the children of a container, which Child reads off their first nodes.
template <class Child>
struct FlatRange {
  struct Iterator {
    const FlatNode* node;
    std::uint32_t left;
    auto operator*() const { return Child::at(node); }
    Iterator& operator++() {
      node = Child::after(node);
      --left;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return left != other.left; }
  };
  const FlatNode* container;
  [[nodiscard]] Iterator begin() const { return {container + 1, container->size}; }
  [[nodiscard]] Iterator end() const { return {nullptr, 0}; }
};
struct FlatItem {
  static ValueView at(const FlatNode* node) { return ValueView(node); }
  static const FlatNode* after(const FlatNode* node) { return node + node->extent; }
};
struct FlatField {
  static std::pair<std::string_view, ValueView> at(const FlatNode* node) {
    return {node->content(), ValueView(node + 1)};
  }
  static const FlatNode* after(const FlatNode* node) { return FlatItem::after(node + 1); }
};

inline auto ValueView::items() const {
  return FlatRange<FlatItem>{node_};
}
inline auto ValueView::fields() const {
  return FlatRange<FlatField>{node_};
}
inline std::optional<ValueView> ValueView::field(std::string_view name) const {
  for (const auto& [found, value] : fields()) {
    if (found == name) return value;
  }
  return std::nullopt;
}

/// Refers to the JSON or msgpack that it was read from, which outlives it.
class FlatValue {
 public:
  /// `nodes` are complete and hold one value; `texts` are those that they point to besides.
  explicit FlatValue(std::vector<FlatNode> nodes, std::forward_list<std::string> texts = {})
      : nodes_(std::move(nodes)), texts_(std::move(texts)) {}
  [[nodiscard]] ValueView root() const { return ValueView(nodes_.data()); }

 private:
  std::vector<FlatNode> nodes_;
  std::forward_list<std::string> texts_;
};

/// Lays a value out flat.
class FlatBuilder {
 public:
  FlatBuilder() { nodes_.reserve(kNodesUsual); }

  void add(FlatNode::Kind kind, std::int64_t number) { nodes_.emplace_back(kind, number); }
  void add(FlatNode::Kind kind, std::string_view content) { nodes_.emplace_back(kind, content); }
  void add(double number) { add(FlatNode::Kind::real, std::bit_cast<std::int64_t>(number)); }
  /// As a text, of which this keeps a copy.
  void add_copy(std::string_view text) {
    texts_.emplace_front(text);
    add(FlatNode::Kind::text, std::string_view(texts_.front()));
  }
  void open(FlatNode::Kind kind, std::size_t size) {
    open_.push_back(nodes_.size());
    nodes_.emplace_back(kind, std::int64_t{0});
    size_is(size);
  }
  void close() {
    nodes_[open_.back()].extent = static_cast<std::uint32_t>(nodes_.size() - open_.back());
    open_.pop_back();
  }
  /// Of the innermost container, where it was not known before.
  void size_is(std::size_t size) { nodes_[open_.back()].size = static_cast<std::uint32_t>(size); }
  [[nodiscard]] std::size_t depth() const { return open_.size(); }
  /// The innermost container; all of its content must be there, and its size.
  [[nodiscard]] ValueView innermost() const { return ValueView(&nodes_[open_.back()]); }
  [[nodiscard]] FlatValue take() { return FlatValue(std::move(nodes_), std::move(texts_)); }

 private:
  static constexpr std::size_t kNodesUsual = 32;
  std::vector<FlatNode> nodes_;
  std::vector<std::size_t> open_;
  std::forward_list<std::string> texts_;
};

/// Whether two fields of a map have the same name.
[[nodiscard]] bool has_a_name_twice(ValueView map);

}  // namespace kith::crypto

namespace kith {
using crypto::FlatValue;
using crypto::ValueView;
}  // namespace kith
