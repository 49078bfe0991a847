#pragma once

/// The only place that reads the machine's clocks.

#include <cstdint>

namespace kith::node {

struct MachineClocks {
  std::int64_t wall_ms;    ///< Milliseconds since 1970-01-01 UTC; jumps when people or NTP set it.
  std::int64_t steady_ms;  ///< Milliseconds since some point in the past; never goes backwards.
};

[[nodiscard]] MachineClocks read_clocks();

}  // namespace kith::node
