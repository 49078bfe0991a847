#include "node/runtime/crash_points.hpp"

#include <signal.h>

#include <charconv>

namespace kith::node {

Result<CrashPoints> CrashPoints::parse(std::string_view setting) {
  CrashPoints points;
  if (setting.empty()) return points;
  const std::size_t colon = setting.find(':');
  const auto wrong = [] {
    return fail(Errc::usage,
                "KITH_CRASH_AT is commit-before, commit-after or effect, a colon, and "
                "a number from 1");
  };
  if (colon == std::string_view::npos) return wrong();
  points.site_ = setting.substr(0, colon);
  const std::string_view number = setting.substr(colon + 1);
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), points.left_);
  const bool known =
      points.site_ == "commit-before" || points.site_ == "commit-after" || points.site_ == "effect";
  if (!known || error != std::errc() || end != number.data() + number.size() || points.left_ == 0) {
    return wrong();
  }
  return points;
}

void CrashPoints::pass(std::string_view site) {
  if (left_ == 0 || site != site_) return;
  if (--left_ == 0) ::raise(SIGKILL);
}

Result<void> CrashingStore::commit(const protocol::Batch& batch) {
  points_.pass("commit-before");
  auto result = store_.commit(batch);
  points_.pass("commit-after");
  return result;
}

}  // namespace kith::node
