#pragma once

/// Interpolation over a tree of leaves whose thresholds nobody knows (recovery-protocol section 4).
/// Used by combine only; pure.

#include <optional>
#include <utility>
#include <vector>

#include "recovery/ids.hpp"
#include "recovery/sheet.hpp"

namespace kith::recovery {

/// A leaf to build from.
struct TreeLeaf {
  XPath x_path;
  Point point;  ///< S_i
};

/// The root as a sum: value = sum of coefficient * point over `terms` (indices into the leaves).
struct TreeRoot {
  Point value;
  std::vector<std::pair<std::size_t, Scalar>> terms;
  std::size_t groups_left_out = 0;  ///< Inner groups that are not on the sheet.
};

/// Interpolates bottom-up through all chosen leaves. With a sheet, an inner node counts only if its
/// point is on it; without one, every inner node counts. Of two children at one x the first counts.
/// nullopt when there is nothing to build, or only nonsense (a group of more than 32, the
/// identity). `groups_left_out` may be asked for in that case too.
[[nodiscard]] std::optional<TreeRoot> build_root(const std::vector<TreeLeaf>& leaves,
                                                 const std::vector<std::size_t>& chosen,
                                                 const Sheet* sheet,
                                                 std::size_t* groups_left_out = nullptr);

/// Calls `attempt` with ever fewer of `units` (each a list of leaves that stay or go together):
/// first all, then all but one, all but two, ... up to `left_out_max`, until it returns true or
/// `trials` are used up; counts `trials` down. `fixed` leaves are always in.
template <class Attempt>
bool search_subsets(const std::vector<std::vector<std::size_t>>& units,
                    const std::vector<std::size_t>& fixed, std::size_t left_out_max,
                    std::uint32_t& trials, const Attempt& attempt) {
  for (std::size_t out = 0; out <= left_out_max && out <= units.size(); ++out) {
    // `gone` runs through all combinations of `out` units in lexicographic order.
    std::vector<std::size_t> gone(out);
    for (std::size_t i = 0; i < out; ++i) gone[i] = i;
    for (bool more = true; more;) {
      if (trials == 0) return false;
      --trials;
      std::vector<std::size_t> chosen = fixed;
      for (std::size_t unit = 0, next = 0; unit < units.size(); ++unit) {
        if (next < out && gone[next] == unit) {
          ++next;
        } else {
          chosen.insert(chosen.end(), units[unit].begin(), units[unit].end());
        }
      }
      if (attempt(chosen)) return true;
      std::size_t at = out;
      while (at > 0 && gone[at - 1] == units.size() - out + at - 1) --at;
      more = at > 0;
      if (more) {
        ++gone[at - 1];
        for (std::size_t i = at; i < out; ++i) gone[i] = gone[i - 1] + 1;
      }
    }
  }
  return false;
}

}  // namespace kith::recovery
