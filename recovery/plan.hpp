#pragma once

/// The plan: who can open the backup together (recovery-protocol section 2). A tree of "k of these"
/// nodes over leaves; each leaf is one share. A holder with weight w has w leaves; a must-have is a
/// child of an all-of node. Pure values; leaves are numbered depth-first from 0.
///
/// JSON, for people and the command line (docs/storage-formats.md):
///
///     {"k": 2, "of": [{"trustee": "anna"}, {"trustee": "ben", "weight": 2}, {"paper": "safe"},
///                     {"all": [{"trustee": "carl"}, {"trustee": "dora"}]}]}

#include <compare>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/json.hpp"
#include "crypto/result.hpp"
#include "crypto/shamir.hpp"

namespace kith::recovery {

/// Values are stored on disk: never renumber.
enum class HolderKind : std::uint8_t { trustee = 1, paper = 2 };
[[nodiscard]] constexpr bool is_valid(HolderKind kind) {
  return kind == HolderKind::trustee || kind == HolderKind::paper;
}

/// Who holds a leaf: a contact, or a sheet of paper known by a name of the owner's.
struct Holder {
  HolderKind kind = HolderKind::trustee;
  std::string id;  ///< Contact id or paper's name: 1 to limits::kNameCharsMax bytes.

  template <class V>
  void visit(V& v) {
    v("kind", kind), v("id", id);
  }
  friend auto operator<=>(const Holder&, const Holder&) = default;
};

/// A node; without children it is a leaf.
struct Plan {
  std::uint8_t threshold = 0;  ///< k; 0 for a leaf.
  std::vector<Plan> children;
  Holder holder;  ///< Leaves only.

  [[nodiscard]] bool is_leaf() const { return children.empty() && threshold == 0; }

  template <class V>
  void visit(V& v) {
    v("k", threshold), v("of", children), v("holder", holder);
  }
  friend bool operator==(const Plan&, const Plan&) = default;
};

/// Leaf numbers.
using LeafSet = std::set<std::size_t>;

/// The limits of limits.hpp and section 2: root is an inner node, inner nodes have 2 to 32 children
/// and 1 <= k <= children, depth 3, 64 leaves, holders named. Errors: malformed, limit_exceeded,
/// with a sentence that says which node.
[[nodiscard]] Result<void> check_plan(const Plan& plan);

/// Reads and checks. Errors: malformed, limit_exceeded.
[[nodiscard]] Result<Plan> parse_plan(std::string_view json);
[[nodiscard]] Result<Plan> parse_plan(const JsonObject& json);
/// Leaves of one holder that stand side by side are written as one with a weight. Parsing the
/// result gives the same plan. Asserts check_plan.
[[nodiscard]] JsonObject plan_json(const Plan& plan);

/// "k of these holders". Errors: as check_plan.
[[nodiscard]] Result<Plan> flat_plan(std::uint8_t threshold, const std::vector<Holder>& holders);

/// The functions below take plans that check_plan accepts.

/// In depth-first order: the holder of leaf i is element i.
[[nodiscard]] std::vector<Holder> plan_leaves(const Plan& plan);

/// Whether these leaves open the backup. Numbers beyond the plan are ignored.
[[nodiscard]] bool satisfied(const Plan& plan, const LeafSet& leaves);

/// Holders who can open the backup without anyone else: setup asks a second time.
[[nodiscard]] std::vector<Holder> holders_who_suffice(const Plan& plan);
[[nodiscard]] bool single_holder_suffices(const Plan& plan);

/// Whether a change may be anchored (section 6.2): the plan stays satisfied by `acknowledged` after
/// taking away all leaves of any one acknowledging holder. Where even all leaves cannot do that (n
/// of n, must-have), all leaves must have acknowledged.
[[nodiscard]] bool quorum(const Plan& plan, const LeafSet& acknowledged);

/// The shape for KeyOps::deal.
[[nodiscard]] crypto::DealShape deal_shape(const Plan& plan);

}  // namespace kith::recovery
