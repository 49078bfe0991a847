#pragma once

/// Which part of the story a batch belongs to, read off the records in it: for crash sites and
/// coverage. The simulator looks in from outside; nodes know nothing of phases.

#include <string_view>
#include <vector>

#include "protocol/store.hpp"

namespace kith::sim {

/// The phases in which every run of seeds must have crashed.
[[nodiscard]] const std::vector<std::string_view>& phases();

/// One of phases(), or empty.
[[nodiscard]] std::string_view phase_of(const protocol::Batch& batch);

}  // namespace kith::sim
