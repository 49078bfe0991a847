#include "recovery/point_tree.hpp"

#include <algorithm>

#include "crypto/shamir.hpp"

namespace kith::recovery {
namespace {

/// One child of a group: a leaf, or a group below it.
struct Child {
  Scalar x;
  bool is_leaf = false;
  std::vector<std::size_t> leaves;
};

/// The children of the group at `depth`, in the order in which they first appear.
std::vector<Child> children_of(const std::vector<TreeLeaf>& leaves,
                               const std::vector<std::size_t>& chosen, std::size_t depth) {
  std::vector<Child> children;
  for (const std::size_t index : chosen) {
    const XPath& path = leaves[index].x_path;
    const bool is_leaf = path.size() == depth + 1;
    const auto same = std::find_if(children.begin(), children.end(),
                                   [&](const Child& child) { return child.x.equals(path[depth]); });
    if (same == children.end()) {
      children.push_back({path[depth], is_leaf, {index}});
    } else if (!same->is_leaf && !is_leaf) {
      same->leaves.push_back(index);
    }
  }
  return children;
}

std::optional<TreeRoot> build(const std::vector<TreeLeaf>& leaves,
                              const std::vector<std::size_t>& chosen, std::size_t depth,
                              const Sheet* sheet, std::size_t& left_out) {
  std::vector<Scalar> x_values;
  std::vector<TreeRoot> values;
  for (Child& child : children_of(leaves, chosen, depth)) {
    if (child.is_leaf) {
      const std::size_t leaf = child.leaves.front();
      values.push_back({leaves[leaf].point, {{leaf, Scalar::from_u64(1)}}, 0});
    } else {
      auto node = build(leaves, child.leaves, depth + 1, sheet, left_out);
      const XPath& below = leaves[child.leaves.front()].x_path;
      const XPath path(below.begin(), below.begin() + static_cast<std::ptrdiff_t>(depth + 1));
      if (!node || (sheet != nullptr && !sheet->has_node(path, node->value))) {
        ++left_out;
        continue;
      }
      values.push_back(std::move(*node));
    }
    x_values.push_back(child.x);
  }
  if (values.empty()) return std::nullopt;
  const auto weights = crypto::lagrange(x_values);
  if (!weights.has_value()) return std::nullopt;
  TreeRoot root;
  std::optional<Point> sum;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto part = values[i].value.times((*weights)[i]);
    if (!part.has_value()) return std::nullopt;
    const auto next = sum ? sum->plus(*part) : part;
    if (!next.has_value()) return std::nullopt;
    sum = *next;
    for (const auto& [leaf, factor] : values[i].terms) {
      root.terms.emplace_back(leaf, factor * (*weights)[i]);
    }
  }
  root.value = *sum;
  return root;
}

}  // namespace

std::optional<TreeRoot> build_root(const std::vector<TreeLeaf>& leaves,
                                   const std::vector<std::size_t>& chosen, const Sheet* sheet,
                                   std::size_t* groups_left_out) {
  std::size_t left_out = 0;
  auto root = build(leaves, chosen, 0, sheet, left_out);
  if (root) root->groups_left_out = left_out;
  if (groups_left_out != nullptr) *groups_left_out = left_out;
  return root;
}

}  // namespace kith::recovery
