#include "tests/sim/agent_memory.hpp"

#include <gtest/gtest.h>

namespace kith::sim {
namespace {

TEST(AgentMemory, OfAnIdleAgentIsAtMostTenKibibytes) {
  const AgentMemory idle = measure_idle();
  EXPECT_LE(idle.heap_bytes + idle.locked_bytes, kIdleBytesMax);
  EXPECT_GT(idle.heap_bytes, sizeof(SimNode)) << "nothing was counted";
}

TEST(AgentMemory, IsCountedToTheByteAndGivenBack) {
  const std::uint64_t before = heap_bytes_held;
  {
    const Bytes block(5'000);
    EXPECT_GE(heap_bytes_held - before, 5'000U);
    EXPECT_LT(heap_bytes_held - before, 5'100U);
  }
  EXPECT_EQ(heap_bytes_held, before);
}

}  // namespace
}  // namespace kith::sim
