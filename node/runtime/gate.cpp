#include "node/runtime/gate.hpp"

#include "node/net/http_parts.hpp"

namespace kith::node {
namespace {

constexpr std::size_t kGroups = limits::kHttpAddressesCountedMax;
constexpr std::int64_t kMinuteMs = 60'000;
const std::string kEverywhere = "*";

}  // namespace

Gate::Gate(GateLimits limits)
    : limits_(limits),
      all_strangers_(limits.strangers, 1, limits.strangers_window_ms),
      strangers_(limits.strangers_per_address, kGroups, limits.strangers_window_ms),
      impersonators_(limits.strangers_per_address, kGroups, limits.strangers_window_ms),
      new_clients_(limits.new_clients, kGroups, kMinuteMs) {}

std::string Gate::group_of(const Origin& origin) const {
  return stranger_group(origin.address, limits_.exempt_loopback);
}

bool Gate::admit(EnvelopeArrived& event, const Origin& origin, std::int64_t now_ms) {
  if (origin.address.empty()) return true;
  const std::string group = group_of(origin);
  event.no_new_clients = !group.empty() && new_clients_.full(group, now_ms);
  if (origin.vouched) return true;
  event.contacts_only = all_strangers_.full(kEverywhere, now_ms) ||
                        (!group.empty() && strangers_.full(group, now_ms));
  return group.empty() || !impersonators_.full(group, now_ms);
}

void Gate::count(const Outcome& outcome, const Origin& origin, std::int64_t now_ms) {
  if (origin.address.empty()) return;
  const std::string group = group_of(origin);
  if (outcome.new_client && !group.empty()) new_clients_.count(group, now_ms);
  const bool impersonator = outcome.opened_for == OpenedFor::impersonator;
  if (impersonator && !group.empty()) impersonators_.count(group, now_ms);
  if (origin.vouched || (outcome.opened_for != OpenedFor::stranger && !impersonator)) return;
  all_strangers_.count(kEverywhere, now_ms);
  if (!group.empty()) strangers_.count(group, now_ms);
}

}  // namespace kith::node
