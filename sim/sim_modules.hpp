#pragma once

/// The modules of a simulated node: those of the real one (node/wiring.hpp), and those that are
/// written but not wired there yet.

#include <memory>
#include <vector>

#include "node/wiring.hpp"

namespace kith::sim {

[[nodiscard]] std::vector<std::unique_ptr<protocol::Module>> sim_modules(
    const node::NodeConfig& config);

}  // namespace kith::sim
