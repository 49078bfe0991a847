// Bytes of one simulated agent. Exit code 1 when an idle one takes more than it may.

#include <cstdio>

#include "tests/sim/agent_memory.hpp"

namespace {

void row(const char* what, const kith::sim::AgentMemory& memory) {
  std::printf("%-32s %12llu %12llu %12llu\n", what,
              static_cast<unsigned long long>(memory.heap_bytes),
              static_cast<unsigned long long>(memory.disk_bytes),
              static_cast<unsigned long long>(memory.locked_bytes));
}

}  // namespace

int main() {
  std::printf("%-32s %12s %12s %12s\n", "bytes per agent", "heap", "of it disk", "locked pages");
  const auto idle = kith::sim::measure_idle();
  row("idle", idle);
  row("set up with five trustees", kith::sim::measure_set_up());
  const bool good = idle.heap_bytes + idle.locked_bytes <= kith::sim::kIdleBytesMax;
  if (!good)
    std::printf("an idle agent may take %llu bytes\n",
                static_cast<unsigned long long>(kith::sim::kIdleBytesMax));
  return good ? 0 : 1;
}
