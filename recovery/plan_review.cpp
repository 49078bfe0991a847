#include "recovery/plan_review.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace kith::recovery {
namespace {

/// Different ones, in the plan's order.
std::vector<Holder> holders_of(const Plan& plan) {
  std::vector<Holder> holders;
  for (const Holder& holder : plan_leaves(plan)) {
    if (std::ranges::find(holders, holder) == holders.end()) holders.push_back(holder);
  }
  return holders;
}

std::uint64_t saturated_sum(std::uint64_t a, std::uint64_t b) {
  return a > std::numeric_limits<std::uint64_t>::max() - b
             ? std::numeric_limits<std::uint64_t>::max()
             : a + b;
}

std::uint64_t saturated_product(std::uint64_t a, std::uint64_t b) {
  if (a == 0 || b == 0) return 0;
  return a > std::numeric_limits<std::uint64_t>::max() / b
             ? std::numeric_limits<std::uint64_t>::max()
             : a * b;
}

/// Of a subtree whose leaves all have holders of their own.
struct Counted {
  std::uint64_t ways = 1;
  std::size_t fewest = 1;
  std::size_t breaking = 1;  ///< So many losses, of the right ones, close it.
};

/// Sum of the smallest `count`.
std::size_t smallest_sum(std::vector<std::size_t> values, std::size_t count) {
  std::ranges::sort(values);
  std::size_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += values[i];
  return sum;
}

Counted count(const Plan& plan) {
  if (plan.is_leaf()) return {};
  std::vector<std::size_t> fewest;
  std::vector<std::size_t> breaking;
  // ways[k]: ways to open k of the children so far.
  std::vector<std::uint64_t> ways(plan.threshold + 1U, 0);
  ways[0] = 1;
  for (const Plan& child : plan.children) {
    const Counted counted = count(child);
    fewest.push_back(counted.fewest);
    breaking.push_back(counted.breaking);
    for (std::size_t k = plan.threshold; k > 0; --k) {
      ways[k] = saturated_sum(ways[k], saturated_product(ways[k - 1], counted.ways));
    }
  }
  return {ways.back(), smallest_sum(fewest, plan.threshold),
          smallest_sum(breaking, plan.children.size() - plan.threshold + 1U)};
}

/// The plan over subsets of its holders, as bits.
class Subsets {
 public:
  explicit Subsets(const Plan& plan) : plan_(plan), holders_(holders_of(plan)) {
    const auto leaves = plan_leaves(plan);
    for (const Holder& holder : leaves) {
      owner_.push_back(
          static_cast<std::size_t>(std::ranges::find(holders_, holder) - holders_.begin()));
    }
  }

  [[nodiscard]] const std::vector<Holder>& holders() const { return holders_; }
  [[nodiscard]] std::uint32_t everybody() const {
    return static_cast<std::uint32_t>((std::uint64_t{1} << holders_.size()) - 1);
  }
  [[nodiscard]] bool opens(std::uint32_t subset) const {
    std::size_t leaf = 0;
    return opens(plan_, subset, leaf);
  }
  [[nodiscard]] bool is_minimal(std::uint32_t subset) const {
    if (!opens(subset)) return false;
    for (std::size_t i = 0; i < holders_.size(); ++i) {
      const std::uint32_t one = 1U << i;
      if ((subset & one) != 0 && opens(subset & ~one)) return false;
    }
    return true;
  }

 private:
  bool opens(const Plan& node, std::uint32_t subset, std::size_t& leaf) const {
    if (node.is_leaf()) return (subset >> owner_[leaf++] & 1) != 0;
    std::size_t open = 0;
    for (const Plan& child : node.children) open += opens(child, subset, leaf) ? 1U : 0U;
    return open >= node.threshold;
  }

  const Plan& plan_;
  std::vector<Holder> holders_;
  std::vector<std::size_t> owner_;  ///< By leaf.
};

PlanReview review_subsets(const Subsets& subsets) {
  PlanReview review;
  review.holders = subsets.holders().size();
  review.fewest = review.holders;
  std::size_t breaking = review.holders;
  std::uint32_t useful = 0;
  const std::uint32_t everybody = subsets.everybody();
  for (std::uint32_t subset = 1; subset != 0 && subset <= everybody; ++subset) {
    const auto size = static_cast<std::size_t>(std::popcount(subset));
    if (!subsets.opens(everybody & ~subset)) breaking = std::min(breaking, size);
    if (!subsets.is_minimal(subset)) continue;
    ++review.ways;
    useful |= subset;
    review.fewest = std::min(review.fewest, size);
  }
  review.survived = breaking - 1;
  for (std::size_t i = 0; i < review.holders; ++i) {
    if ((useful >> i & 1) == 0) review.useless.push_back(subsets.holders()[i]);
  }
  return review;
}

/// Whether all leaves but those of `holder` are too few.
bool is_needed(const Plan& plan, const std::vector<Holder>& leaves, const Holder& holder) {
  LeafSet others;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    if (leaves[i] != holder) others.insert(i);
  }
  return !satisfied(plan, others);
}

}  // namespace

Result<PlanReview> review_plan(const Plan& plan) {
  const std::vector<Holder> holders = holders_of(plan);
  const std::vector<Holder> leaves = plan_leaves(plan);
  PlanReview review;
  if (holders.size() == leaves.size()) {
    const Counted counted = count(plan);
    review = {holders.size(), counted.fewest, counted.breaking - 1, counted.ways, {}, {}, {}};
  } else {
    if (holders.size() > kWeightedHoldersMax) {
      return fail(Errc::limit_exceeded,
                  "with weights, a plan of more than 16 holders cannot be looked through");
    }
    review = review_subsets(Subsets(plan));
  }
  review.alone = holders_who_suffice(plan);
  for (const Holder& holder : holders) {
    if (is_needed(plan, leaves, holder)) review.needed.push_back(holder);
  }
  return review;
}

std::vector<std::vector<Holder>> smallest_sets(const Plan& plan, std::size_t most) {
  const Subsets subsets(plan);
  std::vector<std::vector<Holder>> sets;
  if (subsets.holders().size() > kWeightedHoldersMax) return sets;
  for (std::uint32_t subset = 1; subset <= subsets.everybody(); ++subset) {
    if (!subsets.is_minimal(subset)) continue;
    std::vector<Holder>& set = sets.emplace_back();
    for (std::size_t i = 0; i < subsets.holders().size(); ++i) {
      if ((subset >> i & 1) != 0) set.push_back(subsets.holders()[i]);
    }
  }
  std::ranges::stable_sort(sets, {}, [](const auto& set) { return set.size(); });
  if (sets.size() > most) sets.resize(most);
  return sets;
}

std::vector<PlanFault> plan_faults(const PlanReview& review) {
  std::vector<PlanFault> faults;
  if (!review.alone.empty()) faults.push_back(PlanFault::one_is_enough);
  if (review.survived == 0) {
    faults.push_back(review.needed.size() == review.holders ? PlanFault::no_loss
                                                            : PlanFault::one_is_needed);
  }
  if (review.fewest == 2 && review.holders > 4) faults.push_back(PlanFault::two_are_enough);
  if (!review.useless.empty()) faults.push_back(PlanFault::somebody_useless);
  return faults;
}

}  // namespace kith::recovery
