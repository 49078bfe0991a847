#pragma once

/// One thread for work that would stall the io_context (Argon2id, bulk sealing). Jobs run in order,
/// one at a time: Argon2id alone may take hundreds of MiB.

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "crypto/limits.hpp"
#include "crypto/result.hpp"

namespace kith::node {

class Worker {
 public:
  explicit Worker(boost::asio::io_context& io);
  /// Waits for the job that is running; drops those that wait. No `done` is called afterwards.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Runs `job()` on the worker's thread, then `done(result)` on the io_context's, which stays
  /// alive until then. A job owns what it touches (moved in) and does not throw. Either may be
  /// move-only. Errors: `limit_exceeded` (limits::kWorkerJobsMax wait already; nothing will be
  /// called).
  template <class Job, class Done>
  [[nodiscard]] Result<void> run(Job job, Done done) {
    using Value = std::invoke_result_t<Job&>;
    struct Task {
      Job job;
      Done done;
      std::optional<Value> value;
    };
    auto task = std::make_shared<Task>(Task{std::move(job), std::move(done), std::nullopt});
    return submit([task] { task->value.emplace(task->job()); },
                  [task] { task->done(std::move(*task->value)); });
  }

  /// The same without a result.
  [[nodiscard]] Result<void> submit(std::function<void()> job, std::function<void()> done);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kith::node
