#pragma once

/// This device in the logs of the owner's relationships. A device that got a contact from another
/// one makes keys of its own for it; the device that holds the log's active keys puts them into the
/// log, and the contact learns them as any other change.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/pair_state.hpp"
#include "protocol/contact.hpp"
#include "protocol/host.hpp"

namespace kith::recovery {

/// Which keys a device of the owner has, or wants to have, in one of our DIDs. Collection
/// `agent-keys`, by agent_keys_id; shared by all devices.
struct AgentKeys {
  std::string did;
  std::string agent;  ///< The device's key in the policy.
  std::string auth;
  std::string agree;
  Bytes proof;  ///< By `agent`: no other device can name keys for it.
  template <class V>
  void visit(V& v) {
    v("did", did), v("agent", agent), v("auth", auth), v("agree", agree), v("proof", proof);
  }
};
inline constexpr std::string_view kAgentKeys = "agent-keys";
[[nodiscard]] std::string agent_keys_id(std::string_view did, std::string_view agent);

/// Signs and keeps this device's keys for a DID of ours; nothing changes if these are kept.
/// Errors: wrong_state (no agent key).
[[nodiscard]] Result<void> keep_agent_keys(Host& host, const std::string& did,
                                           const ledger::PairAgent& keys);
/// Errors: bad_key, bad_signature.
[[nodiscard]] Result<void> check_agent_keys(const AgentKeys& keys);
/// The relationship's log names this device.
[[nodiscard]] bool knows_this_device(Host& host, const Contact& contact);
/// Makes the keys that are missing, and puts those of `agents`, the devices of the policy, into the
/// logs that this one can change. Looks only where something changed since the last time.
void tend_relationships(Host& host, const std::vector<std::string>& agents);

/// The keys of one device in a DID of ours, as it signed them.
[[nodiscard]] std::optional<ledger::PairAgent> keys_of_device(Host& host, std::string_view did,
                                                              std::string_view agent);
/// Of those `agents` that have told of theirs, in their order.
[[nodiscard]] std::vector<ledger::PairAgent> keys_of_devices(
    Host& host, std::string_view did, const std::vector<std::string>& agents);

}  // namespace kith::recovery
