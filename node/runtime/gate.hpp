#pragma once

/// How much strangers may bring, and from where: what costs the use of a private key, and who
/// becomes a client. The agent is told the decision as a plain fact of the event, and tells what
/// became of it.
///
/// Contacts are not counted. Mail for a client that nobody signs is not either: the mailbox bounds
/// it. Loopback addresses count for the node alone, as a proxy on this machine speaks for many.

#include <cstdint>
#include <string>

#include "node/event.hpp"
#include "node/net/arrivals.hpp"

namespace kith::node {

struct GateLimits {
  std::size_t strangers = limits::kStrangersPerSecond;
  std::size_t strangers_per_address = limits::kStrangersPerAddressPerSecond;
  std::int64_t strangers_window_ms = 1000;
  std::size_t new_clients = limits::kNewGrantsPerMinute;  ///< Of one address.
  bool exempt_loopback = true;
};

/// Where an envelope comes from.
struct Origin {
  std::string address;   ///< Text form, without port; empty: it answers what we asked.
  bool vouched = false;  ///< A contact spoke on this connection: what comes on it is the contact's.
};

/// Bounded, in memory. `now_ms` is a clock that never goes back.
class Gate {
 public:
  explicit Gate(GateLimits limits = {});

  /// Writes the decisions into `event`. False: nothing at all is taken from there at present, as it
  /// sent too much in the name of contacts that was not theirs.
  [[nodiscard]] bool admit(EnvelopeArrived& event, const Origin& origin, std::int64_t now_ms);
  void count(const Outcome& outcome, const Origin& origin, std::int64_t now_ms);

 private:
  /// The group of addresses that is counted; empty: none.
  [[nodiscard]] std::string group_of(const Origin& origin) const;

  GateLimits limits_;
  Arrivals all_strangers_;  ///< One group.
  Arrivals strangers_;
  Arrivals impersonators_;
  Arrivals new_clients_;
};

}  // namespace kith::node
