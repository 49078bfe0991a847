#pragma once

/// How much came from whom lately, as new connections within the last minute: a window for each
/// group of addresses, which begins with the first of them. Bounded; forgets who came longest ago.

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
                    std::size_t groups_max = limits::kHttpAddressesCountedMax,
                    std::int64_t window_ms = kWindowMs)
      : per_window_(per_window), groups_max_(groups_max), window_ms_(window_ms) {}

  /// Whether one more of that group would be too many. `now_ms` never goes back, here and below.
  [[nodiscard]] bool full(const std::string& group, std::int64_t now_ms) {
    while (!order_.empty() && now_ms - order_.front().first >= window_ms_) forget_oldest();
    const auto count = counts_.find(group);
    return count != counts_.end() && count->second >= per_window_;
  }
  void count(const std::string& group, std::int64_t now_ms) {
    if (full(group, now_ms)) return;
    if (!counts_.contains(group)) {
      if (counts_.size() >= groups_max_) forget_oldest();
      order_.emplace_back(now_ms, group);
    }
    ++counts_[group];
  }
  /// Counts one more of that group; false: too many.
  [[nodiscard]] bool admit(const std::string& group, std::int64_t now_ms) {
    if (full(group, now_ms)) return false;
    count(group, now_ms);
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
  std::int64_t window_ms_;
  std::map<std::string, std::size_t> counts_;
  std::deque<std::pair<std::int64_t, std::string>> order_;  ///< By the window's beginning.
};

}  // namespace kith::node
