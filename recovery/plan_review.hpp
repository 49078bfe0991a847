#pragma once

/// What a plan means for its owner: who can open the backup together, who could do it behind the
/// owner's back, and whose loss the plan survives. Pure functions over plans that check_plan
/// accepts.

#include <cstdint>
#include <optional>
#include <vector>

#include "recovery/plan.hpp"

namespace kith::recovery {

struct PlanReview {
  std::size_t holders = 0;      ///< People and sheets of paper.
  std::size_t fewest = 0;       ///< So many are enough, if they are the right ones.
  std::size_t survived = 0;     ///< Any so many may be lost at once.
  std::uint64_t ways = 0;       ///< Sets of holders that are enough, and not without one of them.
  std::vector<Holder> alone;    ///< Each of them is enough.
  std::vector<Holder> needed;   ///< Without each of them nothing opens.
  std::vector<Holder> useless;  ///< In no such set.
};

/// Errors: limit_exceeded (a holder has several leaves, and there are more than
/// kWeightedHoldersMax).
[[nodiscard]] Result<PlanReview> review_plan(const Plan& plan);
/// Every subset is looked at then.
inline constexpr std::size_t kWeightedHoldersMax = 16;

/// The smallest sets, by size and then in the plan's order, at most `most` of them. Only where
/// there are at most kWeightedHoldersMax holders; else empty.
[[nodiscard]] std::vector<std::vector<Holder>> smallest_sets(const Plan& plan, std::size_t most);

enum class PlanFault : std::uint8_t {
  one_is_enough,   ///< Refused without a second word (recovery-protocol section 2).
  no_loss,         ///< The loss of any one... makes it useless.
  one_is_needed,   ///< One person can keep the owner out for ever.
  two_are_enough,  ///< Of many: two who agree are few.
  somebody_useless,
};
/// In this order. `one_is_needed` is left out where `no_loss` says it for all.
[[nodiscard]] std::vector<PlanFault> plan_faults(const PlanReview& review);

}  // namespace kith::recovery
