#pragma once

/// The scenario "setup-and-recover": a town of people who set recovery up with five friends, three
/// of them needed; every tenth loses everything and takes the identity back. Faults go on until
/// the identity is back, or until five days have passed since the loss: then they end, and what is
/// left must come right.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/checkers.hpp"

namespace kith::sim {

struct RunPlan {
  std::uint64_t seed = 1;
  std::size_t people = 40;  ///< More than `trustees`, at most 100.
  std::size_t threshold = 3;
  std::size_t trustees = 5;
  bool faults = false;
  std::function<void(std::string_view)> on_trace;
};

struct RunReport {
  std::uint64_t seed = 0;
  Findings findings;  ///< Empty: everything held.
  std::string trace_hash;
  std::uint64_t events = 0;
  Duration lasted{};
  World::Marks marks;
};

[[nodiscard]] RunReport run_setup_and_recover(const RunPlan& plan);

/// What must have happened at least once over a set of runs with faults; names of what did not.
[[nodiscard]] Findings missing_coverage(const World::Marks& marks);

}  // namespace kith::sim
