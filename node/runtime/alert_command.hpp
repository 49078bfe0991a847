#pragma once

/// A program that is told of alerts: started without a shell, with the alert as one line of JSON on
/// its input. One thread, that of the io_context.

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "node/watch_limits.hpp"

namespace kith::node {

/// What became of one delivery: empty when it arrived, else why not, in words.
using AlertDone = std::function<void(const std::string& problem)>;

/// Runs one program at a time, in a process group of its own: without our environment but a PATH,
/// without any of our descriptors, its output thrown away, in "/", without core dumps, and unable
/// to gain privileges by what it starts. All of the group is killed when its time is over, when it
/// ends, or when this object does.
class AlertCommand {
 public:
  AlertCommand(boost::asio::io_context& io, std::vector<std::string> words,
               std::chrono::milliseconds timeout = watch_limits::kAlertCommandTimeout);
  ~AlertCommand();
  AlertCommand(const AlertCommand&) = delete;
  AlertCommand& operator=(const AlertCommand&) = delete;

  /// `done` is called later; at once if too many wait already.
  void run(std::string input, AlertDone done);
  [[nodiscard]] std::size_t waiting() const;  ///< The running one included.

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kith::node
