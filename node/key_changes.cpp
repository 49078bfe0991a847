#include "node/key_changes.hpp"

#include <algorithm>
#include <array>

#include "ledger/connection.hpp"
#include "ledger/identity.hpp"
#include "ledger/microledger.hpp"
#include "protocol/messenger.hpp"
#include "protocol/vault.hpp"
#include "recovery/rotation.hpp"

namespace kith::node {
namespace {

constexpr std::size_t kReasonCharsMax = 200;

bool is_of(const KeyInfo& info, std::initializer_list<KeyPurpose> purposes) {
  return std::ranges::any_of(purposes,
                             [&](KeyPurpose purpose) { return info.kind == kind_of(purpose); });
}

bool changes_a_ledger(const KeyInfo& info) {
  return is_of(info, {KeyPurpose::log_active, KeyPurpose::log_next, KeyPurpose::log_recovery,
                      KeyPurpose::agent});
}

Result<NamedKeyInfo> key_argument(Host& host, const JsonObject& args) {
  TRY(const std::string text, crypto::json_string(args, "key"));
  return key_named(host, text);
}

Result<std::optional<std::string>> reason_argument(const JsonObject& args) {
  TRY(auto reason, crypto::json_optional_string(args, "reason"));
  if (reason && reason->size() > kReasonCharsMax) {
    return fail(Errc::usage, "a reason has at most 200 bytes");
  }
  return reason;
}

void keep(Host& host, const NamedKeyInfo& key) {
  save(host, crypto::is_gone(key.info.state) ? kKeyGone : kKeyInfo, key.id, key.info);
}

JsonObject state_reply(const NamedKeyInfo& key) {
  return {{"id", key.id}, {"state", crypto::key_state_name(key.info.state)}};
}

/// One step of a key, with its entry in the audit log.
Result<JsonObject> change(Host& host, const JsonObject& args, NamedKeyInfo key, KeyEvent event,
                          std::string_view audit_event) {
  TRY(const auto reason, reason_argument(args));
  CHECK(step(key.info, event, host.now()));
  key.info.reason = reason;
  keep(host, key);
  JsonObject details{{"key", key.id}, {"kind", key_kind_name(key.info.kind)}};
  if (reason) details["reason"] = *reason;
  host.audit(audit_event, std::move(details));
  return state_reply(key);
}

std::optional<Contact> contact_with_log(Host& host, const std::string& did) {
  for (Contact& contact : protocol::list_contacts(host)) {
    if (contact.my_did == did) return std::move(contact);
  }
  return std::nullopt;
}

/// The opened vault, where there is one. Errors: those of open_vault.
Result<std::optional<SealedKey>> opened_vault(Host& host, const Command& command) {
  if (!protocol::vault_lock(host)) return std::optional<SealedKey>();
  TRY(SealedKey vault, protocol::open_vault(host, command.step_up));
  return std::optional<SealedKey>(std::move(vault));
}

/// A compromised next key becomes active for a moment: only the rotation after it is rid of it.
Result<void> rotate_relationship_log(Host& host, const Command& command, const Contact& contact,
                                     bool twice) {
  TRY(const auto vault, opened_vault(host, command));
  TRY(const ledger::PairState state, ledger::pair_state_of(host, contact.my_did));
  CHECK(ledger::rotate_pair_log(host, contact, vault, state));
  if (!twice) return {};
  return ledger::rotate_pair_log(host, contact, vault, state);
}

/// What is replaced at once; the rest is for the steps that the impact names.
Result<std::vector<std::string>> replace_now(Host& host, const Command& command,
                                             const NamedKeyInfo& key) {
  std::vector<std::string> done;
  const bool in_use = key.info.state == KeyState::active || key.info.state == KeyState::pre_active;
  if (!in_use || !key.info.owner) return done;
  const auto contact = contact_with_log(host, *key.info.owner);
  const bool connected = contact && contact->state == protocol::ContactState::connected;
  if (connected && is_of(key.info, {KeyPurpose::authenticate, KeyPurpose::agree})) {
    CHECK(replace_relationship_keys(host, *contact));
    done.push_back("new keys towards " + contact->name + " are on their way");
  }
  if (connected && is_of(key.info, {KeyPurpose::log_active, KeyPurpose::log_next})) {
    CHECK(
        rotate_relationship_log(host, command, *contact, is_of(key.info, {KeyPurpose::log_next})));
    done.push_back("the log of your relationship with " + contact->name + " goes by other keys");
  }
  const auto own = ledger::identity(host);
  const bool of_identity = own && (*key.info.owner == own->did || *key.info.owner == own->policy);
  if (of_identity && is_of(key.info, {KeyPurpose::log_active})) {
    TRY(const auto vault, opened_vault(host, command));
    CHECK(recovery::begin_rotation(host, vault, {}));
    done.emplace_back("the keys of your identity are being replaced: kith did rotate-status");
  }
  return done;
}

/// The record that a destroyed key is erased with.
std::optional<protocol::RecordKey> record_of(Host& host, const NamedKeyInfo& key) {
  const auto there = [&](std::string collection, std::string id) {
    protocol::RecordKey record{std::move(collection), std::move(id)};
    return host.get(record) ? std::optional(record) : std::nullopt;
  };
  for (const std::string& kid : host.list("own-key")) {
    if (key_in_record({"own-key", kid}) == key.id) return there("own-key", kid);
  }
  if (auto item = there("vault-item", key.id)) return item;
  if (key.info.kind == kind_of(KeyPurpose::witness)) return there("meta", "witness-key");
  if (key.info.kind == kind_of(KeyPurpose::session)) {
    return there("session-key", key.id.substr(std::string_view("session-").size()));
  }
  if (key.info.kind == KeyKind::share) {
    return there("share", key.id.substr(std::string_view("share-").size()));
  }
  return std::nullopt;
}

}  // namespace

Result<void> replace_relationship_keys(Host& host, const Contact& contact) {
  TRY(ledger::PairState state, ledger::pair_state_of(host, contact.my_did));
  if (state.status != ledger::PairStatus::active ||
      contact.state != protocol::ContactState::connected) {
    return fail(Errc::wrong_state, "you are not connected with that contact");
  }
  if (!ledger::in_sync(host, contact)) {
    return fail(Errc::wrong_state, "the contact has not confirmed the last change yet");
  }
  protocol::OwnSecrets secrets(host);
  const auto ours = std::ranges::find_if(state.agents, [&](const ledger::PairAgent& agent) {
    return secrets.find(contact.my_did + "#" + agent.auth).has_value();
  });
  if (ours == state.agents.end()) {
    return fail(Errc::not_found, "this device has no keys in that relationship");
  }
  TRY(*ours, ledger::make_pair_agent(host, contact.my_did));
  CHECK(ledger::update_own_pair_state(host, contact, state));
  host.audit("key.replaced", {{"contact", contact.id}});
  return {};
}

Result<JsonObject> mark_compromised(Host& host, const Command& command) {
  TRY(const NamedKeyInfo before, key_argument(host, command.args));
  TRY(const auto reason, reason_argument(command.args));
  TRY(const KeyState next, crypto::next_key_state(before.info.state, KeyEvent::compromise));
  const KeyImpact impact = impact_of(host, before);
  TRY(const std::vector<std::string> rotated, replace_now(host, command, before));
  NamedKeyInfo key = before;
  CHECK(step(key.info, KeyEvent::compromise, host.now()));
  key.info.reason = reason;
  keep(host, key);
  JsonObject details{{"key", key.id},
                     {"kind", key_kind_name(key.info.kind)},
                     {"affected", impact.affects.size()},
                     {"replaced", !rotated.empty()}};
  if (reason) details["reason"] = *reason;
  host.audit("key.compromised", std::move(details));
  JsonObject reply = impact_json(key, impact);
  reply["state"] = crypto::key_state_name(next);
  JsonArray done;
  for (const std::string& text : rotated) done.emplace_back(text);
  reply["rotated"] = std::move(done);
  return reply;
}

Result<JsonObject> suspend_key(Host& host, const JsonObject& args) {
  TRY(NamedKeyInfo key, key_argument(host, args));
  const bool may_rest =
      key.info.kind == KeyKind::share ||
      is_of(key.info, {KeyPurpose::agent, KeyPurpose::log_active, KeyPurpose::witness});
  if (!may_rest) {
    return fail(Errc::refused,
                "only a device's own key, a log's active key, a witness's key and a share can "
                "rest: without another, something would be lost");
  }
  return change(host, args, std::move(key), KeyEvent::suspend, "key.suspended");
}

Result<JsonObject> renew_key(Host& host, const JsonObject& args) {
  TRY(NamedKeyInfo key, key_argument(host, args));
  return change(host, args, std::move(key), KeyEvent::renew, "key.renewed");
}

Result<JsonObject> destroy_key(Host& host, const JsonObject& args) {
  TRY(NamedKeyInfo key, key_argument(host, args));
  TRY(const auto reason, reason_argument(args));
  CHECK(crypto::next_key_state(key.info.state, KeyEvent::destroy));
  if (changes_a_ledger(key.info)) {
    return fail(Errc::refused,
                "keys that change a ledger are not destroyed: vetoes and proofs may need them");
  }
  const KeyImpact impact = impact_of(host, key);
  if (!impact.grants.empty()) return fail(Errc::wrong_state, impact.grants.front());
  const auto record = record_of(host, key);
  if (!record) return fail(Errc::refused, "this kind of key ends with what it is for, not alone");
  key.info.reason = reason.value_or("by its owner");
  keep(host, key);
  host.erase(*record);  // The inventory follows, and the audit log gets its receipt.
  CHECK(step(key.info, KeyEvent::destroy, host.now()));
  return state_reply(key);
}

}  // namespace kith::node
