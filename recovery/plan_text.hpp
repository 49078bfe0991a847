#pragma once

/// Plans as people write them (docs/recovery-plans.md):
///
///     2 of (anna, ben weight 2, paper safe, all of (carl, "dora of the choir"))
///
///   group  = (NUMBER | "all") "of" "(" member {"," member} ")"
///   member = group | "paper" name | name ["weight" NUMBER]
///   name   = letters up to a space, comma or parenthesis; or anything in quotes
///
/// Lines do not matter; # begins a comment. Pure functions.

#include <string>
#include <string_view>

#include "recovery/plan.hpp"

namespace kith::recovery {

/// That language, or the JSON of plan.hpp if it begins with a brace; checked. The ids of holders
/// are names as written. Errors: malformed (which says the line), limit_exceeded.
[[nodiscard]] Result<Plan> read_plan(std::string_view text);

/// In that language, on one line. Reading it gives the same plan. Asserts check_plan.
[[nodiscard]] std::string plan_text(const Plan& plan);

}  // namespace kith::recovery
