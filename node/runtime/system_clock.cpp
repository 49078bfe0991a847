#include "node/runtime/system_clock.hpp"

#include <chrono>

namespace kith::node {

MachineClocks read_clocks() {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  const auto steady = std::chrono::steady_clock::now().time_since_epoch();
  return {.wall_ms = duration_cast<milliseconds>(wall).count(),
          .steady_ms = duration_cast<milliseconds>(steady).count()};
}

}  // namespace kith::node
