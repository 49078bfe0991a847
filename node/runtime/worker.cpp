#include "node/runtime/worker.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace kith::node {
namespace {

using Guard = boost::asio::executor_work_guard<boost::asio::io_context::executor_type>;

struct Task {
  std::function<void()> job;
  std::function<void()> done;
  Guard guard;  ///< Keeps the io_context running until `done` was called.
};

}  // namespace

class Worker::Impl {
 public:
  explicit Impl(boost::asio::io_context& io)
      : io_(io), alive_(std::make_shared<bool>(true)), thread_([this] { loop(); }) {}

  ~Impl() {
    *alive_ = false;
    std::deque<std::unique_ptr<Task>> dropped;
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      dropped.swap(waiting_);
    }
    wake_.notify_one();
    thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> submit(std::function<void()> job, std::function<void()> done) {
    auto task =
        std::make_unique<Task>(Task{std::move(job), std::move(done), Guard{io_.get_executor()}});
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.size() >= limits::kWorkerJobsMax) {
        return fail(Errc::limit_exceeded, "too much work is waiting already");
      }
      waiting_.push_back(std::move(task));
    }
    wake_.notify_one();
    return {};
  }

 private:
  void loop() {
    while (true) {
      std::unique_ptr<Task> task;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        if (stopping_) return;
        task = std::move(waiting_.front());
        waiting_.pop_front();
      }
      task->job();
      // The task travels whole, so that what it captured is destroyed on the io_context's thread.
      std::shared_ptr<Task> finished = std::move(task);
      boost::asio::post(io_, [finished = std::move(finished), alive = alive_] {
        if (*alive) finished->done();
      });
    }
  }

  boost::asio::io_context& io_;
  /// Read and written on the io_context's thread only.
  std::shared_ptr<bool> alive_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Task>> waiting_;
  bool stopping_ = false;
  std::thread thread_;  ///< Last: it uses all of the above.
};

Worker::Worker(boost::asio::io_context& io) : impl_(std::make_unique<Impl>(io)) {}
Worker::~Worker() = default;

Result<void> Worker::submit(std::function<void()> job, std::function<void()> done) {
  return impl_->submit(std::move(job), std::move(done));
}

}  // namespace kith::node
