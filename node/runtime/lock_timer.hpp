#pragma once

/// When an unlocked node locks itself: told to by `lock`, after a time without commands, or at a
/// time that `unlock` named. It only says that the node shall stop for that; what comes then is
/// run_node's business.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>

#include "node/runtime/command_desk.hpp"

namespace kith::node {

class LockTimer {
 public:
  /// Seconds; 0: never. Without a passphrase nothing ever locks: whoever reads the disk has the
  /// keys anyway. `stop_node` is called at most once, never from the constructor.
  LockTimer(boost::asio::io_context& io, std::int64_t idle_s, std::int64_t after_s,
            bool has_passphrase, std::function<void()> stop_node);

  /// Answers `lock`, and `unlock` of a node that is not locked. `desk` ends before this does.
  void add_to(CommandDesk& desk);
  void used();  ///< A command has come.
  void stop();  ///< The node stops.
  [[nodiscard]] bool lock_wanted() const { return lock_wanted_; }

 private:
  [[nodiscard]] Result<JsonObject> lock();
  [[nodiscard]] Result<JsonObject> unlock(const JsonObject& args);
  void arm();
  void lock_now();

  boost::asio::steady_timer timer_;
  std::int64_t idle_ms_;
  std::int64_t lock_at_ms_;  ///< Of the steady clock; 0: never.
  std::int64_t used_at_ms_;
  bool has_passphrase_;
  bool lock_wanted_ = false;
  std::function<void()> stop_node_;
};

}  // namespace kith::node
