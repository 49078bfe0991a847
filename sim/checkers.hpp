#pragma once

/// Checkers: look at a run from outside the nodes and say in words what is wrong. An empty list is
/// what every run must end with. They read stores, the wire and the ledger directly; nodes do not
/// know of them.

#include <string>
#include <vector>

#include "sim/canary.hpp"
#include "sim/people.hpp"

namespace kith::sim {

using Findings = std::vector<std::string>;

/// Every person who lost everything is back, with the identity of before.
[[nodiscard]] Findings check_recovered(const std::vector<Person>& people);
/// A set in force has enough holders: trustees whose machine is not lost and whose disk holds the
/// committed record, at least as many as the threshold.
[[nodiscard]] Findings check_holders(const std::vector<Person>& people, std::size_t threshold);
/// What was received is what was sent, each text once.
[[nodiscard]] Findings check_texts(const Crowd& crowd);
/// Received texts by "from|to|text": the part of check_texts that tests feed by hand.
[[nodiscard]] Findings compare_texts(const std::vector<Text>& sent,
                                     const std::vector<Text>& received);
/// The ledger's policy names the new machine's agent and no longer the lost one's, and the node's
/// own copy ends in the same head.
[[nodiscard]] Findings check_policies(Town& town, const std::vector<Person>& people);
/// Both logs of everybody, read over all ledgers in the order in which people live there, are
/// settled; the node's own copies end in the same heads, and its identity lives where they do. Who
/// was to move has moved, unless everything was lost before that.
[[nodiscard]] Findings check_moves(Town& town, const std::vector<Person>& people);
/// A released answer: somebody approved that session, and the waiting period had passed since.
struct Release {
  std::string trustee;
  std::string session;
  Time at{};
};
[[nodiscard]] Findings check_releases(const std::vector<Release>& releases,
                                      const std::vector<Approval>& approvals, Duration waiting);
/// No secret on the disk of a node that serves others.
[[nodiscard]] Findings check_disk(const SimStore& store, std::string_view whose,
                                  const CanarySearch& canaries);
/// The same for every entry of a ledger.
[[nodiscard]] Findings check_ledger(ledger::MemoryLedger& ledger, const CanarySearch& canaries);

}  // namespace kith::sim
