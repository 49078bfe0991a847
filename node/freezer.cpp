#include "node/freezer.hpp"

#include <algorithm>

#include "ledger/identity.hpp"
#include "ledger/log_store.hpp"
#include "ledger/policy.hpp"
#include "ledger/proposal_messages.hpp"
#include "ledger/proposal_steps.hpp"
#include "protocol/messenger.hpp"
#include "protocol/sender.hpp"
#include "protocol/vault.hpp"
#include "recovery/agent_pairing.hpp"
#include "recovery/messages.hpp"
#include "recovery/own_agents.hpp"
#include "recovery/session_steps.hpp"

namespace kith::node {
namespace {

using protocol::find_freeze;
using protocol::Freeze;
using protocol::save_freeze;

constexpr std::size_t kFreezeIdBytes = 16;
constexpr std::string_view kThawAsks = "thaw-ask";

/// Another device wants to be let go. Collection `thaw-ask`, by contact id.
struct ThawAsk {
  Bytes id;
  Time asked{};
  template <class V>
  void visit(V& v) {
    v("id", id), v("asked", asked);
  }
};

Duration thaw_life(Host& host) {
  return host.test_mode() ? Duration{kThawLifeTest} : Duration{kThawLife};
}
Duration respite(Host& host) {
  return host.test_mode() ? Duration{kNoFreezeAfterThawTest} : Duration{kNoFreezeAfterThaw};
}

/// What the policy asks for, as far as this device counts in it.
struct Administrators {
  std::vector<std::string> keys;
  std::size_t needed = 1;
};

Administrators administrators(Host& host) {
  Administrators all;
  const auto own = ledger::identity(host);
  if (!own) return all;
  const auto view = ledger::stored_view(host, own->policy);
  if (!view.has_value()) return all;
  const auto policy = ledger::parse_policy(view->current.state);
  if (!policy.has_value()) return all;
  for (const ledger::PolicyAgent& agent : policy->agents) {
    if ((agent.auth & ledger::auth::kAdmin) != 0) all.keys.push_back(agent.key);
  }
  // A device that was taken out is let go by its passphrase: it can do nothing for the owner.
  const bool counts =
      std::ranges::find(all.keys, recovery::own_agent_multikey(host)) != all.keys.end();
  const auto rule = policy->rules.find("admin");
  if (counts && rule != policy->rules.end()) all.needed = rule->second;
  return all;
}

/// This device and those that agreed.
std::size_t agreed_count(const Freeze& freeze, const Administrators& all) {
  std::size_t count = 1;
  for (const std::string& key : freeze.agreed) {
    if (std::ranges::find(all.keys, key) != all.keys.end()) ++count;
  }
  return count;
}

JsonObject describe_freeze(Host& host) {
  const auto freeze = find_freeze(host);
  if (!freeze || !freeze->frozen) return {{"frozen", false}};
  JsonObject reply{{"frozen", true}, {"since", protocol::utc_text(freeze->since)}};
  if (!freeze->reason.empty()) reply["reason"] = freeze->reason;
  if (!freeze->by.empty()) reply["by"] = freeze->by;
  if (freeze->asked) {
    const Administrators all = administrators(host);
    reply["thawing"] = JsonObject{{"needed", all.needed}, {"agreed", agreed_count(*freeze, all)}};
  }
  return reply;
}

void freeze_now(Host& host, Bytes id, const std::string& reason, const std::string& by) {
  Freeze freeze;
  freeze.frozen = true;
  freeze.id = std::move(id);
  freeze.since = host.now();
  freeze.reason = reason;
  freeze.by = by;
  save_freeze(host, freeze);
  host.audit("freeze.begun", {{"by", by.empty() ? "this device" : "another device"}});
}

std::string key_of_device(Host& host, const Contact& contact) {
  const auto pairing = recovery::find_pairing(host, contact.id);
  return pairing ? pairing->agent : std::string();
}

std::string device_name(Host& host, const Contact& contact) {
  const auto agent =
      load<recovery::OwnAgent>(host, recovery::kOwnAgents, key_of_device(host, contact));
  return agent ? agent->name : contact.name;
}

/// By its name or key, as `agent-list` has them. Errors: not_found, conflict, wrong_state.
Result<Contact> device_called(Host& host, const std::string& wanted) {
  std::vector<Contact> found;
  for (Contact& contact : recovery::paired_devices(host)) {
    const bool fits = wanted == key_of_device(host, contact) || wanted == contact.name ||
                      wanted == device_name(host, contact);
    if (fits) found.push_back(std::move(contact));
  }
  if (found.size() > 1) return fail(Errc::conflict, "two devices are called that: give the key");
  if (found.empty()) {
    return fail(Errc::not_found, "no device of yours that this one was paired with is called " +
                                     wanted + "; see `kith agent list`");
  }
  return std::move(found.front());
}

/// Errors: not_authentic, unknown_peer.
Result<Contact> own_device(Host& host, const Inbound& inbound) {
  TRY(Contact contact, protocol::sender_of(host, inbound));
  const auto devices = recovery::paired_devices(host);
  if (std::ranges::find(devices, contact.id, &Contact::id) == devices.end()) {
    return fail(Errc::not_authentic, "this is for devices of the same owner");
  }
  return contact;
}

Result<void> send_to_device(Host& host, const Contact& contact, std::string_view name,
                            const FreezeBody& body) {
  TRY(Message message, protocol::message_to(host, contact, recovery::type_uri("agent", name)));
  message.body = protocol::encode_body(body);
  TRY(const std::string sent, protocol::send(host, std::move(message), {}));
  return {};
}

Result<JsonObject> freeze_device(Host& host, const JsonObject& args) {
  TRY(const auto reason, crypto::json_optional_string(args, "reason"));
  TRY(const auto device, crypto::json_optional_string(args, "device"));
  const std::string words = reason.value_or("");
  CHECK(ledger::check_reason(words));
  if (device) {
    TRY(const Contact contact, device_called(host, *device));
    CHECK(send_to_device(host, contact, kFreezeMessage,
                         {host.random().bytes(kFreezeIdBytes), words}));
    host.audit("freeze.asked", {{"agent", key_of_device(host, contact)}});
    return JsonObject{{"asked", device_name(host, contact)}};
  }
  if (!protocol::is_frozen(host)) {
    freeze_now(host, host.random().bytes(kFreezeIdBytes), words, {});
  }
  return describe_freeze(host);
}

/// What waited goes on: released parts, changes that enough devices signed.
void go_on(Host& host, Freeze freeze) {
  freeze.frozen = false;
  freeze.asked.reset();
  freeze.agreed.clear();
  freeze.thawed = host.now();
  save_freeze(host, freeze);
  host.audit("freeze.ended");
  host.set_timer(recovery::kSessionModule, recovery::kSessionTimer, host.now());
  ledger::look_at_proposals(host);
  recovery::tend_agents_soon(host);
}

/// The passphrase of this device was given with the command. Errors: those of open_vault.
Result<void> check_passphrase(Host& host, const std::optional<StepUp>& step_up) {
  if (!step_up) return fail(Errc::step_up_required);
  if (!protocol::vault_lock(host)) return {};
  const auto opened = protocol::open_vault(host, step_up);
  if (!opened.has_value()) return opened.error();
  return {};
}

/// Errors: those of send_to_device.
Result<void> ask_to_thaw(Host& host, const Freeze& freeze) {
  for (const Contact& contact : recovery::paired_devices(host)) {
    CHECK(send_to_device(host, contact, kThawAskMessage, {freeze.id, {}}));
  }
  return {};
}

Result<JsonObject> thaw_device(Host& host, const Command& command) {
  auto freeze = find_freeze(host);
  if (!freeze || !freeze->frozen) return fail(Errc::wrong_state, "this device is not frozen");
  CHECK(check_passphrase(host, command.step_up));
  const Administrators all = administrators(host);
  const bool fresh = freeze->asked && *freeze->asked + thaw_life(host) > host.now();
  if (!fresh) freeze->agreed.clear();
  if (agreed_count(*freeze, all) >= all.needed) {
    go_on(host, std::move(*freeze));
    return describe_freeze(host);
  }
  if (!fresh) freeze->asked = host.now();
  save_freeze(host, *freeze);
  host.audit("freeze.thaw-asked", {{"needed", all.needed}});
  CHECK(ask_to_thaw(host, *freeze));
  return describe_freeze(host);
}

Result<JsonObject> agree_to_thaw(Host& host, const Command& command) {
  TRY(const std::string device, crypto::json_string(command.args, "device"));
  TRY(const Contact contact, device_called(host, device));
  const auto ask = load<ThawAsk>(host, kThawAsks, contact.id);
  if (!ask || ask->asked + thaw_life(host) <= host.now()) {
    return fail(Errc::not_found, "that device does not ask to be let go");
  }
  CHECK(check_passphrase(host, command.step_up));
  CHECK(send_to_device(host, contact, kThawAgreeMessage, {ask->id, {}}));
  host.erase({std::string(kThawAsks), contact.id});
  host.audit("freeze.thaw-agreed", {{"agent", key_of_device(host, contact)}});
  return JsonObject{{"device", device_name(host, contact)}};
}

void on_freeze(Host& host, const Contact& contact, const FreezeBody& body) {
  const std::string by = device_name(host, contact);
  const auto before = find_freeze(host);
  if (before && before->frozen) return;
  const bool thawed_lately =
      before && before->thawed != Time{} && before->thawed + respite(host) > host.now();
  if (thawed_lately) {
    host.audit("freeze.refused", {{"agent", key_of_device(host, contact)}});
    host.notify({"alarm",
                 by +
                     " wants to freeze this device, which you let go less than an hour ago. It "
                     "goes on. If " +
                     by + " is not in your hands, take it away: kith agent revoke",
                 contact.id,
                 {}});
    return;
  }
  freeze_now(host, body.id, body.reason, by);
  host.notify({"frozen",
               by + " has frozen this device" +
                   (body.reason.empty() ? std::string(".") : ": " + body.reason + ".") +
                   " It rotates, releases and changes nothing until you run `kith thaw` here.",
               contact.id,
               {}});
  // Without a way back the other device simply does not hear of it.
  static_cast<void>(send_to_device(host, contact, kFrozenMessage, {body.id, {}}));
}

void on_thaw_ask(Host& host, const Contact& contact, const FreezeBody& body) {
  const auto before = load<ThawAsk>(host, kThawAsks, contact.id);
  save(host, kThawAsks, contact.id, ThawAsk{body.id, host.now()});
  if (before && before->id == body.id) return;
  const std::string name = device_name(host, contact);
  host.notify({"thaw-ask",
               name +
                   " is frozen and asks to be let go. If you typed the passphrase there "
                   "yourself: kith agent agree-thaw \"" +
                   name + "\"",
               contact.id,
               {}});
}

void on_thaw_agree(Host& host, const Contact& contact, const FreezeBody& body) {
  auto freeze = find_freeze(host);
  if (!freeze || !freeze->frozen || !freeze->asked || freeze->id != body.id) return;
  if (*freeze->asked + thaw_life(host) <= host.now()) return;
  const std::string key = key_of_device(host, contact);
  if (std::ranges::find(freeze->agreed, key) == freeze->agreed.end()) freeze->agreed.push_back(key);
  const Administrators all = administrators(host);
  if (agreed_count(*freeze, all) < all.needed) return save_freeze(host, *freeze);
  go_on(host, std::move(*freeze));
  host.notify({"thawed", "Your devices agreed: this one acts again.", contact.id, {}});
}

}  // namespace

std::vector<std::string> Freezer::message_types() const {
  return {recovery::type_uri("agent", kFreezeMessage), recovery::type_uri("agent", kFrozenMessage),
          recovery::type_uri("agent", kThawAskMessage),
          recovery::type_uri("agent", kThawAgreeMessage)};
}

Result<void> Freezer::on_message(Host& host, const Inbound& inbound) {
  TRY(const Contact contact, own_device(host, inbound));
  TRY(const auto body, protocol::decode_body<FreezeBody>(inbound.message.body));
  if (body.id.size() != kFreezeIdBytes) return fail(Errc::malformed, "the id has 16 bytes");
  CHECK(ledger::check_reason(body.reason));
  const auto is = [&](std::string_view name) {
    return inbound.message.type == recovery::type_uri("agent", name);
  };
  if (is(kFreezeMessage)) {
    on_freeze(host, contact, body);
  } else if (is(kThawAskMessage)) {
    on_thaw_ask(host, contact, body);
  } else if (is(kThawAgreeMessage)) {
    on_thaw_agree(host, contact, body);
  } else {
    host.notify({"frozen", device_name(host, contact) + " is frozen now.", contact.id, {}});
  }
  return {};
}

Result<JsonObject> Freezer::on_command(Host& host, const Command& command) {
  if (command.name == "freeze") return freeze_device(host, command.args);
  if (command.name == "thaw") return thaw_device(host, command);
  if (command.name == "thaw-agree") return agree_to_thaw(host, command);
  return describe_freeze(host);
}

}  // namespace kith::node
