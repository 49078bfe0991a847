#pragma once

/// How many new connections came from whom within the last minute: a window for each group of
/// addresses, which begins with its first connection. Bounded; forgets who came longest ago.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "crypto/limits.hpp"

namespace kith::node {

class Arrivals {
 public:
  static constexpr std::int64_t kWindowMs = 60'000;

  explicit Arrivals(std::size_t per_window,
                    std::size_t groups_max = limits::kHttpAddressesCountedMax)
      : per_window_(per_window), groups_max_(groups_max) {}

  /// Counts one more of that group; false: too many. `now_ms` never goes back.
  [[nodiscard]] bool admit(const std::string& group, std::int64_t now_ms) {
    while (!order_.empty() && now_ms - order_.front().first >= kWindowMs) forget_oldest();
    if (!counts_.contains(group)) {
      if (counts_.size() >= groups_max_) forget_oldest();
      order_.emplace_back(now_ms, group);
    }
    std::size_t& count = counts_[group];
    if (count >= per_window_) return false;
    ++count;
    return true;
  }
  [[nodiscard]] std::size_t groups() const { return counts_.size(); }

 private:
  void forget_oldest() {
    counts_.erase(order_.front().second);
    order_.pop_front();
  }

  std::size_t per_window_;
  std::size_t groups_max_;
  std::map<std::string, std::size_t> counts_;
  std::deque<std::pair<std::int64_t, std::string>> order_;  ///< By the window's beginning.
};

}  // namespace kith::node
