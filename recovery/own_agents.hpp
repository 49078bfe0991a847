#pragma once

/// Module "own-agents": several devices of one owner. Each is an agent of the identity with keys of
/// its own, in the policy, in the public document and in the log of every relationship; they share
/// the vault, the link secret, contacts and texts.
///
/// Rooms: agent_pairing.hpp adds a device, agent_relationships.hpp puts it into the logs of
/// relationships, agent_records.hpp keeps the devices' records alike, agent_removal.hpp takes a
/// device away.
///
/// Commands (`!` needs the passphrase):
///   agent-add {name?} -> {id, url, expires}: an invitation for a device of one's own. `name`: ours
///       for it.
///       Errors: wrong_state (no identity or vault, no mediator), refused (the policy asks for more
///       signers than this device), limit_exceeded.
///   agent-accept {url} -> {contact, state}: the new device answers it.
///       Errors: those of accept_device_invitation; conflict (an identity lives here already),
///       wrong_state (another mediator than the inviting device's).
///   agent-code! {code, pairing?} -> {code_ok, tries_left, state}: the code that the other device
///       shows. First on the device that invited, which opens its vault; then on the new one, which
///       locks it anew under its own passphrase. `pairing`: id, when several are under way.
///       A wrong code is counted, and so no error. Errors: not_found, wrong_state, too_many_tries.
///   agent-pairings {} -> {pairings: [{id, name, adds, state, code_to_read?, needs: [..],
///       problem?}]}
///   agent-cancel {pairing} -> {}
///   agent-list {} -> {agents: [{name, key, this_device, state: active|removed, added?, removed?}],
///       relationships, waiting}: `waiting` relationships do not know this device yet.
///   agent-revoke! {agent} -> {agent, relationships, problems?}: agent_removal.hpp. `agent`: name
///   or
///       key.

#include <optional>
#include <string>
#include <vector>

#include "protocol/contact.hpp"
#include "protocol/module.hpp"

namespace kith::recovery {

/// Of a device that the policy names, and nobody has told of. Says less than any other name,
/// however late it was found: it never takes one's place.
inline constexpr std::string_view kUnknownDevice = "unknown device";

/// One device, as all devices of the owner know it. Collection `own-agent`, by its key in the
/// policy (Multikey).
struct OwnAgent {
  std::string key;
  std::string name;
  Time added{};
  Time removed{};  ///< Epoch: nobody said so. The policy decides whether it is one.
  template <class V>
  void visit(V& v) {
    v("key", key), v("name", name), v("added", added), v("removed", removed);
  }
  [[nodiscard]] bool is_removed() const { return removed != Time{}; }
  [[nodiscard]] bool is_named() const { return name != kUnknownDevice; }
};
inline constexpr std::string_view kOwnAgents = "own-agent";

/// Tells the owner that a device belongs to the identity which this one did not add.
void warn_of_agent(Host& host, const OwnAgent& agent);

[[nodiscard]] std::vector<OwnAgent> own_agents(Host& host);  ///< In the order they were added.
/// This device's key in the policy as a Multikey; empty: it has none.
[[nodiscard]] std::string own_agent_multikey(Host& host);
/// Keys of the policy in force; empty where there is none.
[[nodiscard]] std::vector<std::string> policy_agents(Host& host);
[[nodiscard]] bool contains_agent(const std::vector<std::string>& agents, std::string_view key);
/// Relationships that all devices share: with people, by logs, made and not under way.
[[nodiscard]] bool is_shared(const Contact& contact);
/// Other devices of the owner that were paired with this one, as contacts.
[[nodiscard]] std::vector<Contact> paired_devices(Host& host);

/// Looks after pairings, relationships and records as soon as possible.
void tend_agents_soon(Host& host);

class OwnAgents final : public Module {
 public:
  std::string_view name() const override { return protocol::kOwnAgentsModule; }
  std::vector<std::string> message_types() const override;
  std::vector<std::string> commands() const override;
  bool only_reads(std::string_view what) const override;
  Result<void> on_message(Host& host, const Inbound& inbound) override;
  Result<JsonObject> on_command(Host& host, const Command& command) override;
  void on_timer(Host& host, std::string_view timer) override;
  void on_start(Host& host) override;
};

}  // namespace kith::recovery
