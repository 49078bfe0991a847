#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "node/runtime/system_clock.hpp"
#include "node/runtime/worker.hpp"
#include "tests/node/net_fixture.hpp"

namespace kith::node {
namespace {

TEST(Worker, RunsJobsInOrderAndReportsOnTheLoop) {
  boost::asio::io_context io{1};
  Worker worker(io);
  const auto here = std::this_thread::get_id();
  std::vector<int> results;
  for (int i = 0; i < 10; ++i) {
    auto input = std::make_unique<int>(i);  // Jobs may be move-only.
    ASSERT_TRUE(worker
                    .run(
                        [input = std::move(input), here] {
                          EXPECT_NE(std::this_thread::get_id(), here);
                          return std::make_unique<int>(*input * 2);
                        },
                        [&results, here](std::unique_ptr<int> value) {
                          EXPECT_EQ(std::this_thread::get_id(), here);
                          results.push_back(*value);
                        })
                    .has_value());
  }
  io.run();  // Ends by itself, and not before the last result.
  EXPECT_EQ(results, (std::vector<int>{0, 2, 4, 6, 8, 10, 12, 14, 16, 18}));
}

TEST(Worker, BoundsTheQueue) {
  boost::asio::io_context io{1};
  std::promise<void> started;
  std::promise<void> gate;
  int done = 0;
  const auto count = [&done] { ++done; };
  Worker worker(io);
  const auto blocker = [&] {
    started.set_value();
    gate.get_future().wait();
  };
  ASSERT_TRUE(worker.submit(blocker, count).has_value());
  started.get_future().wait();
  std::size_t accepted = 0;
  while (worker.submit([] {}, count).has_value()) ++accepted;
  gate.set_value();
  EXPECT_EQ(accepted, limits::kWorkerJobsMax);
  io.run();
  EXPECT_EQ(done, static_cast<int>(accepted) + 1);
}

TEST(Worker, DestructionFinishesTheRunningJobAndDropsTheRest) {
  boost::asio::io_context io{1};
  std::promise<void> started;
  std::atomic<bool> ended = false;
  std::atomic<int> reported = 0;
  {
    Worker worker(io);
    const auto job = [&] {
      started.set_value();
      // Long enough that the destructor begins meanwhile, on any machine that is not stuck.
      for (std::int64_t end_ms = read_clocks().steady_ms + 50; read_clocks().steady_ms < end_ms;) {
      }
      ended = true;
    };
    ASSERT_TRUE(worker.submit(job, [&] { ++reported; }).has_value());
    started.get_future().wait();
    ASSERT_TRUE(worker.submit([] {}, [&] { ++reported; }).has_value());
  }
  EXPECT_TRUE(ended);
  io.run();
  EXPECT_EQ(reported, 0);
}

TEST(SystemClock, GoesForward) {
  const MachineClocks first = read_clocks();
  const MachineClocks second = read_clocks();
  EXPECT_GE(second.steady_ms, first.steady_ms);
  EXPECT_GT(first.wall_ms, std::int64_t{1700000000} * 1000);
}

}  // namespace
}  // namespace kith::node
