#include "node/runtime/lock_timer.hpp"

#include <algorithm>
#include <utility>

#include "crypto/json.hpp"
#include "node/runtime/system_clock.hpp"

namespace kith::node {
namespace {

constexpr std::int64_t kSecond = 1000;

}  // namespace

LockTimer::LockTimer(boost::asio::io_context& io, std::int64_t idle_s, std::int64_t after_s,
                     bool has_passphrase, std::function<void()> stop_node)
    : timer_(io),
      idle_ms_(has_passphrase ? idle_s * kSecond : 0),
      lock_at_ms_(0),
      used_at_ms_(read_clocks().steady_ms),
      has_passphrase_(has_passphrase),
      stop_node_(std::move(stop_node)) {
  if (has_passphrase && after_s > 0) lock_at_ms_ = used_at_ms_ + after_s * kSecond;
  arm();
}

void LockTimer::add_to(CommandDesk& desk) {
  desk.add("lock", [this](const JsonObject&) { return lock(); });
  desk.add("unlock", [this](const JsonObject& args) { return unlock(args); });
}

void LockTimer::used() {
  used_at_ms_ = read_clocks().steady_ms;
}

void LockTimer::stop() {
  timer_.cancel();
}

Result<JsonObject> LockTimer::lock() {
  if (!has_passphrase_) {
    return fail(Errc::wrong_state,
                "this wallet has no passphrase, so locking would protect nothing");
  }
  lock_at_ms_ = 1;  // Long ago: the answer leaves first.
  arm();
  return JsonObject{{"locked", true}};
}

Result<JsonObject> LockTimer::unlock(const JsonObject& args) {
  if (const Json* time = args.if_contains("for_s"); time != nullptr && has_passphrase_) {
    TRY(const std::int64_t for_s, crypto::json_int(args, "for_s"));
    if (for_s > 0) lock_at_ms_ = read_clocks().steady_ms + for_s * kSecond;
    arm();
  }
  return JsonObject{{"locked", false}};
}

void LockTimer::arm() {
  if (idle_ms_ == 0 && lock_at_ms_ == 0) return;
  const std::int64_t now_ms = read_clocks().steady_ms;
  std::int64_t due_ms = idle_ms_ == 0 ? lock_at_ms_ : used_at_ms_ + idle_ms_;
  if (lock_at_ms_ != 0) due_ms = std::min(due_ms, lock_at_ms_);
  timer_.expires_after(std::chrono::milliseconds{std::max<std::int64_t>(due_ms - now_ms, 0)});
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || lock_wanted_) return;
    const std::int64_t now = read_clocks().steady_ms;
    const bool idle = idle_ms_ != 0 && now >= used_at_ms_ + idle_ms_;
    const bool due = lock_at_ms_ != 0 && now >= lock_at_ms_;
    if (!idle && !due) return arm();
    lock_now();
  });
}

void LockTimer::lock_now() {
  lock_wanted_ = true;
  stop_node_();
}

}  // namespace kith::node
