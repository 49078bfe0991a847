#include <algorithm>

#include "crypto/json.hpp"
#include "ledger/identity.hpp"
#include "ledger/log_store.hpp"
#include "ledger/policy.hpp"
#include "ledger/strict_json.hpp"
#include "node/key_view.hpp"
#include "protocol/contact.hpp"
#include "protocol/vault.hpp"
#include "recovery/owner_set.hpp"
#include "recovery/trustee_share.hpp"

namespace kith::node {
namespace {

class ImpactOf {
 public:
  ImpactOf(Host& host, const NamedKeyInfo& key) : host_(host), key_(key) {
    own_ = ledger::identity(host);
  }

  KeyImpact find() {
    const auto kind = key_.info.kind;
    const auto is = [kind](KeyPurpose purpose) { return kind == kind_of(purpose); };
    if (is(KeyPurpose::authenticate) || is(KeyPurpose::agree)) of_envelopes();
    if (is(KeyPurpose::log_active) || is(KeyPurpose::log_next) || is(KeyPurpose::log_recovery)) {
      of_log();
    }
    if (is(KeyPurpose::agent)) of_agent();
    if (is(KeyPurpose::vault)) of_vault();
    if (is(KeyPurpose::link_secret)) of_link_secret();
    if (kind == KeyKind::share) of_share();
    if (is(KeyPurpose::retire) || kind == KeyKind::backup) of_set();
    if (is(KeyPurpose::session)) of_session();
    if (is(KeyPurpose::audit)) {
      affect("audit log", "audit", "entries that are signed from now on");
      grant("the audit log is signed with it");
    }
    if (is(KeyPurpose::witness)) of_witness();
    if (is(KeyPurpose::ledger)) {
      affect("ledger", "ledger", "the ledger that this home keeps, and all who read it");
      grant("the ledger of this home signs its checkpoints with it");
      advise("make a ledger anew, and let its users move: kith ledger move");
    }
    if (is(KeyPurpose::chain)) {
      affect("account", "chain", "what the account on the chain still holds");
      grant("the account on the chain may still hold money");
    }
    return std::move(impact_);
  }

 private:
  void affect(std::string what, std::string id, std::string name) {
    impact_.affects.push_back({std::move(what), std::move(id), std::move(name)});
  }
  void grant(std::string sentence) { impact_.grants.push_back(std::move(sentence)); }
  void advise(std::string step) { impact_.steps.push_back(std::move(step)); }

  [[nodiscard]] std::string owner() const { return key_.info.owner.value_or(""); }
  [[nodiscard]] bool held() const { return !crypto::is_gone(key_.info.state); }

  std::optional<Contact> contact() {
    for (Contact& one : protocol::list_contacts(host_)) {
      if (one.my_did == owner()) return std::move(one);
    }
    return std::nullopt;
  }

  /// Whoever has to do with the DID or log that the key belongs to.
  void of_owner() {
    if (own_ && owner() == own_->did) {
      affect("identity", own_->did, "all who read your public DID");
    } else if (own_ && owner() == own_->policy) {
      affect("policy", own_->policy, "who may act for you");
      if (const auto policy = policy_of_identity()) {
        for (const ledger::PolicyAgent& agent : policy->agents) {
          affect("grant", agent.key, "rights of this agent");
        }
        if (policy->set) affect("recovery", *policy->set, "your helpers' part after a loss");
      }
    } else if (const auto who = contact()) {
      affect("relationship", who->id, who->name);
    } else {
      affect("did", owner(), "an invitation or a connection that is not made yet");
    }
  }

  std::optional<ledger::Policy> policy_of_identity() {
    const auto view = ledger::stored_view(host_, own_->policy);
    if (!view.has_value()) return std::nullopt;
    auto policy = ledger::parse_policy(view->current.state);
    if (!policy.has_value()) return std::nullopt;
    return std::move(*policy);
  }

  void of_envelopes() {
    of_owner();
    const auto who = contact();
    if (who) {
      affect("messages", who->id,
             key_.info.kind == kind_of(KeyPurpose::agree) ? "what was sent with it can be read"
                                                          : "words in your name");
      advise("kith keys rotate " + who->name);
    } else if (own_ && owner() == own_->did) {
      advise("take this device out of your identity from another one: kith agent revoke");
    }
    const auto view = ledger::stored_view(host_, owner());
    if (!view.has_value()) {
      if (held()) grant("somebody may still write to its DID; it goes by itself when that is over");
      return;
    }
    const bool listed = crypto::json_text(view->current.state).find(key_.id) != std::string::npos;
    if (listed && view->status != ledger::LogStatus::deactivated) {
      grant("the document of its DID names it");
    }
  }

  void of_log() {
    of_owner();
    const auto view = ledger::stored_view(host_, owner());
    if (view.has_value()) {
      if (ledger::contains(view->current.keys.k, key_.id)) grant("its log goes by it");
      if (ledger::contains(view->current.next.kd, ledger::key_digest(key_.id))) {
        grant("its log announces it as a next key");
      }
    }
    const auto who = contact();
    if (key_.info.kind == kind_of(KeyPurpose::log_recovery)) {
      advise("nothing replaces a recovery key but a recovery: kith recover start, on a new device");
    } else if (who) {
      advise("kith keys compromised " + key_.id);
    } else {
      advise("kith did rotate");
    }
  }

  void of_agent() {
    if (!own_) return;
    affect("policy", own_->policy, "what this device may do for you");
    if (const auto policy = policy_of_identity()) {
      const auto* agent = ledger::find_agent(*policy, key_.info.mark.value_or(""));
      if (agent != nullptr) grant("your policy gives it rights");
    }
    for (const std::string& id : host_.list("proposal")) affect("proposal", id, "");
    if (recovery::owner_set(host_)) affect("backups", "backup", "signed with it");
    advise("take this device out from another one: kith agent revoke; or recover on a new device");
  }

  void of_vault() {
    for (const protocol::VaultRecord& item : protocol::list_vault(host_)) {
      affect("vault item", item.id, "");
    }
    if (recovery::owner_set(host_)) affect("backups", "backup", "their keys in the vault");
    grant("the vault opens with it");
    advise("kith did rotate, then recover into a new home: it makes a new vault");
  }

  void of_link_secret() {
    if (!own_) return;
    affect("identity", own_->did, "proofs of all your devices");
    grant("your devices prove with it that they are one");
    advise("recover into a new home: it makes a new one");
  }

  void of_share() {
    const auto who = protocol::find_contact(host_, owner());
    affect("recovery", owner(), who ? "of " + who->name : "of somebody who is no contact any more");
    if (recovery::find_trusteeship(host_, owner())) {
      grant("the owner of the share counts on it; it goes when they replace it");
    }
    advise("tell them, by voice: they make new shares with kith recovery setup");
  }

  void of_set() {
    const auto set = recovery::owner_set(host_);
    if (!set) return;
    affect("backups", "backup", "all that were sealed for this set");
    for (const recovery::TrusteeProgress& trustee : set->trustees) {
      const auto who = protocol::find_contact(host_, trustee.contact_id);
      affect("share", trustee.contact_id, who ? who->name : "");
    }
    const bool in_set = key_.info.kind == KeyKind::backup ||
                        std::ranges::any_of(set->record.leaves, [&](const auto& leaf) {
                          return crypto::hex(leaf.record_id) == owner();
                        });
    if (in_set) grant("the set in force uses it");
    advise("kith recovery setup");
  }

  void of_session() {
    const std::string id = key_.id.substr(std::string_view("session-").size());
    affect("recovery", id, "what one trustee answers");
    if (host_.get({"recover-session", id})) grant("the recovery is not over");
  }

  void of_witness() {
    for (const std::string& origin : host_.list("witness-ledger")) {
      affect("ledger", origin, "cosigned here");
      grant("the ledger " + origin + " counts on it");
    }
  }

  Host& host_;
  const NamedKeyInfo& key_;
  std::optional<ledger::Identity> own_;
  KeyImpact impact_;
};

}  // namespace

KeyImpact impact_of(Host& host, const NamedKeyInfo& key) {
  return ImpactOf(host, key).find();
}

JsonObject impact_json(const NamedKeyInfo& key, const KeyImpact& impact) {
  JsonArray affects, grants, steps;
  for (const KeyEffect& effect : impact.affects) {
    JsonObject row{{"what", effect.what}, {"id", effect.id}};
    if (!effect.name.empty()) row["name"] = effect.name;
    affects.push_back(std::move(row));
  }
  for (const std::string& text : impact.grants) grants.emplace_back(text);
  for (const std::string& text : impact.steps) steps.emplace_back(text);
  return {{"id", key.id},
          {"kind", key_kind_name(key.info.kind)},
          {"state", crypto::key_state_name(key.info.state)},
          {"affects", std::move(affects)},
          {"grants", std::move(grants)},
          {"steps", std::move(steps)}};
}

}  // namespace kith::node
