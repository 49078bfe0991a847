#pragma once

/// What a person would do next, told from what the node says of itself. Pure: it asks nobody.

#include <string>
#include <vector>

#include "crypto/json.hpp"

namespace kith::node {

using crypto::JsonObject;

/// What is known; an empty object where the node gave no answer.
struct Situation {
  JsonObject status;    ///< Of the command `status`, with `running`.
  JsonObject identity;  ///< Of `identity-status`.
  JsonObject recovery;  ///< Of `recovery-status`.
  JsonObject recover;   ///< Of `recover-status`.
};

/// Sentences in the order in which to act, each with its command; none: nothing is left to do.
std::vector<std::string> next_steps(const Situation& situation);

/// What a wallet without an identity has to do with ledgers.
struct LedgerSituation {
  std::string identity;  ///< State of `identity-status`: "none" or "waiting-for-ledger".
  JsonObject host;       ///< Of `ledger-host`.
  JsonObject copy;       ///< Of `ledger-replica`.
  JsonObject recover;    ///< Of `recover-status`.
  bool running = false;
};
std::vector<std::string> ledger_steps(const LedgerSituation& situation);

}  // namespace kith::node
