#include "recovery/own_agents.hpp"

#include <algorithm>

#include "ledger/did_kith.hpp"
#include "ledger/identity.hpp"
#include "ledger/log_store.hpp"
#include "ledger/policy.hpp"
#include "protocol/freeze.hpp"
#include "recovery/agent_limits.hpp"
#include "recovery/agent_pairing.hpp"
#include "recovery/agent_records.hpp"
#include "recovery/agent_relationships.hpp"
#include "recovery/agent_removal.hpp"
#include "recovery/messages.hpp"

namespace kith::recovery {
namespace {

constexpr std::string_view kTend = "tend";
constexpr Duration kTendEveryTest{5'000};
constexpr Duration kTendSoon{500};

void tend_at(Host& host, Duration pause) {
  host.set_timer(protocol::kOwnAgentsModule, kTend, host.now() + pause);
}

void tend(Host& host) {
  if (own_agents(host).empty() && paired_devices(host).empty()) return;
  const auto present = policy_agents(host);
  watch_own_membership(host, present);
  watch_for_unknown_agents(host, present);
  part_from_removed(host, present);
  if (!protocol::stopped(host, protocol::Operation::change_policy)) {
    tend_relationships(host, present);
  }
  tell_devices(host);
  tend_at(host, host.test_mode() ? kTendEveryTest : Duration{agent_limits::kSyncEvery});
}

Result<JsonObject> list_agents(Host& host) {
  const std::string me = own_agent_multikey(host);
  const auto in_policy = policy_agents(host);
  std::vector<OwnAgent> agents = own_agents(host);
  for (const std::string& key : in_policy) {  // A single device has told nobody of itself.
    if (std::ranges::find(agents, key, &OwnAgent::key) != agents.end()) continue;
    agents.push_back({key, std::string(kUnknownDevice), {}, {}});
  }
  JsonArray rows;
  for (const OwnAgent& agent : agents) {
    const bool there = contains_agent(in_policy, agent.key);
    const bool nameless = agent.key == me && !agent.is_named();
    JsonObject row{{"name", nameless ? "this device" : agent.name},
                   {"key", agent.key},
                   {"this_device", agent.key == me},
                   {"state", there ? "active" : "removed"}};
    if (agent.added != Time{}) row["added"] = protocol::utc_text(agent.added);
    if (agent.is_removed() && !there) row["removed"] = protocol::utc_text(agent.removed);
    rows.push_back(std::move(row));
  }
  std::int64_t relationships = 0;
  std::int64_t waiting = 0;
  for (const Contact& contact : protocol::list_contacts(host)) {
    if (!is_shared(contact) || contact.state != ContactState::connected) continue;
    ++relationships;
    if (!knows_this_device(host, contact)) ++waiting;
  }
  return JsonObject{
      {"agents", std::move(rows)}, {"relationships", relationships}, {"waiting", waiting}};
}

}  // namespace

void warn_of_agent(Host& host, const OwnAgent& agent) {
  host.audit("agent.unknown", {{"agent", agent.key}});
  host.notify({"alarm",
               "Your identity has a device \"" + agent.name +
                   "\". If you did not add it, remove it at once: `kith agent list`, `kith agent "
                   "revoke`.",
               agent.key,
               {}});
}

std::vector<OwnAgent> own_agents(Host& host) {
  std::vector<OwnAgent> all;
  for (const std::string& key : host.list(kOwnAgents)) {
    all.push_back(*load<OwnAgent>(host, kOwnAgents, key));
  }
  std::ranges::stable_sort(all, {}, &OwnAgent::added);
  return all;
}

bool contains_agent(const std::vector<std::string>& agents, std::string_view key) {
  return std::ranges::find(agents, key) != agents.end();
}

std::string own_agent_multikey(Host& host) {
  const auto agent = ledger::own_agent_key(host);
  return agent.has_value() ? crypto::multikey(agent->public_key) : std::string();
}

std::vector<std::string> policy_agents(Host& host) {
  std::vector<std::string> keys;
  const auto own = ledger::identity(host);
  if (!own) return keys;
  const auto view = ledger::stored_view(host, own->policy);
  if (!view.has_value()) return keys;
  const auto policy = ledger::parse_policy(view->current.state);
  if (!policy.has_value()) return keys;
  for (const ledger::PolicyAgent& agent : policy->agents) keys.push_back(agent.key);
  return keys;
}

bool is_shared(const Contact& contact) {
  const bool made =
      contact.state == ContactState::connected || contact.state == ContactState::ended;
  return contact.role == ContactRole::person && made && !contact.their_did.empty() &&
         contact.my_did.starts_with(ledger::kDidPrefix);
}

std::vector<Contact> paired_devices(Host& host) {
  std::vector<Contact> devices;
  const auto present = policy_agents(host);
  for (const Pairing& pairing : list_pairings(host)) {
    if (pairing.step != PairingStep::done) continue;
    if (!contains_agent(present, pairing.agent)) continue;
    auto contact = protocol::find_contact(host, pairing.contact_id);
    if (contact && contact->state == ContactState::connected) devices.push_back(*contact);
  }
  return devices;
}

void tend_agents_soon(Host& host) {
  tend_at(host, kTendSoon);
}

std::vector<std::string> OwnAgents::message_types() const {
  std::vector<std::string> types = pairing_message_types();
  types.push_back(type_uri("agent", kRecordsMessage));
  types.push_back(type_uri("agent", kRecordsTakenMessage));
  return types;
}

std::vector<std::string> OwnAgents::commands() const {
  return {"agent-add",    "agent-accept", "agent-code",  "agent-pairings",
          "agent-cancel", "agent-list",   "agent-revoke"};
}

bool OwnAgents::only_reads(std::string_view what) const {
  return what == "agent-pairings" || what == "agent-list";
}

Result<void> OwnAgents::on_message(Host& host, const Inbound& inbound) {
  const std::string& type = inbound.message.type;
  const bool records =
      type == type_uri("agent", kRecordsMessage) || type == type_uri("agent", kRecordsTakenMessage);
  return records ? on_records_message(host, inbound) : on_pairing_message(host, inbound);
}

Result<JsonObject> OwnAgents::on_command(Host& host, const Command& command) {
  if (command.name == "agent-add") return add_agent(host, command.args);
  if (command.name == "agent-accept") return accept_agent(host, command.args);
  if (command.name == "agent-code") return type_agent_code(host, command);
  if (command.name == "agent-cancel") return cancel_pairing(host, command.args);
  if (command.name == "agent-revoke") return revoke_agent(host, command);
  if (command.name == "agent-list") return list_agents(host);
  return JsonObject{{"pairings", describe_pairings(host)}};
}

void OwnAgents::on_timer(Host& host, std::string_view timer) {
  const std::size_t space = timer.find(' ');
  const std::string_view what = timer.substr(0, space);
  const std::string_view id = space == std::string_view::npos ? "" : timer.substr(space + 1);
  if (what == kTend) tend(host);
  if (what == "pairing") repeat_pairing(host, id);
  if (what == protocol::kAgentConnectedTimer) begin_pairing(host, id);
}

void OwnAgents::on_start(Host& host) {
  if (!own_agents(host).empty()) tend_agents_soon(host);
}

}  // namespace kith::recovery
