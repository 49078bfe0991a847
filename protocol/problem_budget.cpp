#include "protocol/problem_budget.hpp"

#include "crypto/limits.hpp"

namespace kith::protocol {

namespace {

constexpr std::string_view kCounts = "problem-count";

struct ProblemCount {
  std::uint32_t problems = 0;
  Time last{};
  template <class V>
  void visit(V& v) {
    v("problems", problems), v("last", last);
  }
};

std::string count_id(const Did& own, const Did& peer, std::string_view thread) {
  return own.text() + " " + peer.text() + " " + message_id_key(thread);
}

/// Room for one more thread.
void forget_oldest(Host& host) {
  const std::vector<std::string> ids = host.list(kCounts);
  if (ids.size() < limits::kThreadsCountedMax) return;
  std::string oldest;
  Time oldest_time = Time::max();
  for (const std::string& id : ids) {
    const auto count = load<ProblemCount>(host, kCounts, id);
    if (!count || count->last >= oldest_time) continue;
    oldest = id;
    oldest_time = count->last;
  }
  host.erase({std::string(kCounts), oldest});
}

}  // namespace

Budget count_problem(Host& host, const Did& own, const Did& peer, std::string_view thread) {
  const std::string id = count_id(own, peer, thread);
  auto count = load<ProblemCount>(host, kCounts, id);
  if (!count) {
    forget_oldest(host);
    count.emplace();
  }
  if (count->problems > limits::kThreadProblemsMax) return Budget::silenced;
  ++count->problems;
  count->last = host.now();
  save(host, kCounts, id, *count);
  return count->problems > limits::kThreadProblemsMax ? Budget::used_up : Budget::within;
}

bool is_silenced(Host& host, const Did& own, const Did& peer, std::string_view thread) {
  const auto count = load<ProblemCount>(host, kCounts, count_id(own, peer, thread));
  return count && count->problems > limits::kThreadProblemsMax;
}

}  // namespace kith::protocol
