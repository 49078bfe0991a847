#include <algorithm>
#include <set>

#include "ledger/connection.hpp"
#include "ledger/did_kith.hpp"
#include "ledger/document_agents.hpp"
#include "ledger/identity.hpp"
#include "ledger/log_keys.hpp"
#include "ledger/policy.hpp"
#include "ledger/seen_ledgers.hpp"
#include "protocol/own_service.hpp"
#include "protocol/vault.hpp"
#include "recovery/finish_sign.hpp"
#include "recovery/finish_steps.hpp"
#include "recovery/vault_keys.hpp"
#include "recovery/wallet_backup.hpp"

namespace kith::recovery {
namespace {

/// Keys of this home's own beginnings, out of its own vault before another takes its place.
struct OwnItem {
  protocol::VaultRecord record;
  KeyPair pair;
};
Result<std::vector<OwnItem>> take_own_items(Host& host, const std::optional<StepUp>& step_up) {
  std::vector<OwnItem> items;
  if (!protocol::vault_lock(host)) return items;
  TRY(const SealedKey vault, protocol::open_vault(host, step_up));
  for (const protocol::VaultRecord& record : protocol::list_vault(host)) {
    if (record.use == protocol::VaultUse::link_secret) continue;  // The restored one counts.
    TRY(KeyPair pair, protocol::open_vault_item(host, vault, record.id));
    items.push_back({record, std::move(pair)});
  }
  return items;
}

/// What this home began with, beside the restored wallet.
struct OwnBeginnings {
  std::set<std::string> contacts;  ///< Ids.
  std::optional<Bytes> mediator;   ///< Records meta/mediator and meta/pickup.
  std::optional<Bytes> pickup;
};

/// The restored wallet in the place of this home's beginnings.
Result<OwnBeginnings> restore(Host& host, const Command& command, const OpenedSet& set) {
  TRY(const std::vector<OwnItem> own_items, take_own_items(host, command.step_up));
  OwnBeginnings own{{}, host.get({"meta", "mediator"}), host.get({"meta", "pickup"})};
  std::vector<Contact> renamed = protocol::list_contacts(host);
  for (const Contact& contact : renamed) own.contacts.insert(contact.id);
  // The restored mediator relationship takes mail from now on; addresses of the sessions end here.
  for (const std::string& did : host.list("own-did")) host.erase({"own-did", did});
  CHECK(restore_wallet(host, set.backup.content.expose()));
  CHECK(protocol::adopt_vault(host, set.capsule.vault.public_key, set.capsule.vault.sealed,
                              *command.step_up));
  for (const OwnItem& item : own_items) {
    CHECK(protocol::add_to_vault(host, item.record.use, item.record.id, item.record.subject,
                                 item.record.salt, item.pair.sealed));
  }
  CHECK(ledger::move_keys_to_vault(host));  // Of a home without a vault so far.
  // Other devices of before are no agents any more, whoever has them.
  for (Contact& contact : protocol::list_contacts(host)) {
    if (contact.role != ContactRole::device) continue;
    contact.state = ContactState::ended;
    protocol::save_contact(host, contact);
  }
  for (Contact& contact : renamed) {
    contact.name = protocol::free_contact_name(host, contact.name + " (this device)");
    protocol::save_contact(host, contact);
  }
  return own;
}

/// New agent keys towards one contact: the lost device's end with the rotate. `address`: where we
/// are reached now, if that changed.
Result<void> rotate_towards(Host& host, const SealedKey& vault, const Contact& contact,
                            const std::optional<ServiceEndpoint>& address) {
  TRY(ledger::PairState state, ledger::pair_state_of(host, contact.my_did));
  if (state.status != ledger::PairStatus::active) return {};
  TRY(ledger::PairAgent agent, ledger::make_pair_agent(host, contact.my_did));
  state.agents = {std::move(agent)};
  state.revoke = 1;
  if (address && !state.services.empty()) state.services = {ledger::pair_service(*address)};
  return ledger::rotate_pair_keys(host, contact.my_did, vault, state);
}

/// Takes one relationship over; if that cannot be, the notes say so.
bool take_over(Host& host, const SealedKey& vault, const Contact& contact,
               const std::optional<ServiceEndpoint>& address, FinishJob& job) {
  if (!contact.my_did.starts_with(ledger::kDidPrefix)) {
    job.notes.push_back("The connection with " + contact.name +
                        " has no log that could be taken over: connect anew.");
    return false;
  }
  const auto rotated = rotate_towards(host, vault, contact, address);
  if (rotated.has_value()) return true;
  job.notes.push_back("The connection with " + contact.name +
                      " could not be taken over: connect anew. (" + rotated.error().detail + ")");
  return false;
}

/// The restored mediator is out of reach for good: this device's own takes its place, if it has
/// one.
void replace_mediator(Host& host, const OwnBeginnings& own, const Contact& lost, FinishJob& job) {
  if (!own.mediator || !own.pickup) {
    job.given_up = lost.id;
    job.notes.push_back("Nobody keeps your mail any more: " + std::string(kRegisterAnew));
    return;
  }
  host.put({"meta", "mediator"}, *own.mediator);
  host.put({"meta", "pickup"}, *own.pickup);
  job.notes.emplace_back("The mediator of this device keeps your mail from now on.");
}

void rotate_relationships(Host& host, const SealedKey& vault, const OwnBeginnings& own,
                          FinishJob& job) {
  // The mediator first: where others reach us follows from it.
  std::optional<ServiceEndpoint> address;
  const auto mediator = own_mediator(host);
  const bool restored = mediator && !own.contacts.contains(mediator->id);
  if (restored && !take_over(host, vault, *mediator, {}, job)) {
    replace_mediator(host, own, *mediator, job);
    if (const auto service = protocol::own_service(host); service.has_value()) address = *service;
  }
  for (const Contact& contact : protocol::list_contacts(host)) {
    const bool done = own.contacts.contains(contact.id) || (restored && contact.id == mediator->id);
    if (done || contact.state == ContactState::ended) continue;
    static_cast<void>(take_over(host, vault, contact, address, job));
  }
}

/// The kept log becomes what the ledger shows; without a ledger it stays what the backup held.
Result<std::vector<ledger::AnchoredBlob>> keep_known_log(Host& host, const std::string& subject,
                                                         FinishJob& job) {
  const auto read = log_read(host, subject);
  if (!read) return fail(Errc::not_found, "the log of " + subject + " is not known");
  auto blobs = known_log(*read);
  if (!read->read_at) {
    job.notes.push_back("The ledger of " + subject +
                        " does not answer. Your entries are posted "
                        "as soon as it does.");
  }
  ledger::StoredLog log{read->read_at ? read->blobs : read->saved};
  save(host, "log", subject, log);
  return blobs;
}

ledger::FormerLedger ledger_at(Host& host, const LogStop& stop) {
  const auto seen = ledger::seen_ledger(host, stop.url);
  return {stop.url, seen ? seen->descriptor : std::string(), stop.id};
}

/// What was read on the identity's own ledger is all that counts.
void stay_home(Host& host, const std::string& subject, const ledger::Identity& own, LogRead read) {
  if (read.stops.size() > 1) {
    std::erase_if(read.blobs, [&](const auto& blob) { return blob.ledger != own.ledger_id; });
    for (ledger::StoredBlob& blob : read.blobs) blob.ledger.clear();
    read.stops.resize(1);
  }
  read.beyond = {};
  save_log_read(host, subject, read);
}

/// Both logs were moved, to the same ledger, and the vault holds the keys to continue them.
bool moved_by_owner(Host& host, const std::vector<LogRead>& reads,
                    const std::vector<std::string>& subjects) {
  for (std::size_t i = 0; i < reads.size(); ++i) {
    const auto there = moved_to(reads[i]);
    const auto view = ledger::read_log(subjects[i], known_log(reads[i]),
                                       {ledger::anchor_time(host.now()), host.test_mode()});
    if (!there || there->url.empty() || there->id != moved_to(reads[0])->id) return false;
    if (!view.has_value() || !holds_next_keys(host, *view)) return false;
  }
  return true;
}

/// The identity was moved after this backup was made: it lives where its logs are now. With
/// `undo_move`, and where the vault cannot continue them, the move counts as a thief's.
/// Errors: unreachable (that ledger does not answer).
Result<void> follow_move(Host& host, ledger::Identity& own, bool undo_move, FinishJob& job) {
  const std::vector<std::string> subjects{own.did, own.policy};
  std::vector<LogRead> reads;
  for (const std::string& subject : subjects) {
    reads.push_back(log_read(host, subject).value_or(LogRead{}));
  }
  if (undo_move || !moved_by_owner(host, reads, subjects)) {
    for (std::size_t i = 0; i < reads.size(); ++i) stay_home(host, subjects[i], own, reads[i]);
    return {};
  }
  for (const LogRead& read : reads) {
    if (read.beyond.id.empty()) continue;
    return fail(Errc::unreachable,
                "your identity was moved to " + read.beyond.url +
                    ", which does not answer: try again later. If it was not you who moved it, "
                    "`kith recover finish --undo-move` takes it back");
  }
  own.former.push_back({own.ledger_url, own.ledger, own.ledger_id});
  const std::vector<LogStop>& stops = reads[0].stops;
  for (std::size_t i = 1; i + 1 < stops.size(); ++i) {
    own.former.push_back(ledger_at(host, stops[i]));
  }
  const ledger::FormerLedger now_on = ledger_at(host, stops.back());
  own.ledger_url = now_on.url;
  own.ledger = now_on.descriptor;
  own.ledger_id = now_on.id;
  job.notes.push_back("Your identity was moved to " + now_on.url +
                      " after this backup was made. It lives there.");
  return {};
}

/// The owner may object to a recovery by the super-quorum.
Result<SuperQuorum> super_argument(const Command& command) {
  TRY(const bool veto, protocol::flag_argument(command.args, "veto_super"));
  return veto ? SuperQuorum::vetoed : SuperQuorum::respected;
}

Result<void> plan_identity(Host& host, const SealedKey& vault, const PublicKey& agent,
                           SuperQuorum super, FinishJob& job) {
  const auto own = ledger::identity(host);
  if (!own) return fail(Errc::malformed, "the backup holds no identity");
  job.entries.clear();
  job.slow = false;
  for (const std::string& subject : {own->did, own->policy}) {
    TRY(const auto blobs, keep_known_log(host, subject, job));
    const ledger::ReaderOptions options{ledger::anchor_time(host.now()), host.test_mode()};
    TRY(const ledger::LogView view, ledger::read_log(subject, blobs, options));
    const Json& before = view.current.state;
    TRY(const Json state, subject == own->did ? new_document(host, subject, before)
                                              : new_policy_state(agent, before));
    TRY(LogPlan plan, plan_log(host, vault, subject, blobs, state, super));
    job.slow = job.slow || plan.slow;
    std::ranges::move(plan.entries, std::back_inserter(job.entries));
    std::ranges::move(plan.notes, std::back_inserter(job.notes));
  }
  return {};
}

}  // namespace

Result<Json> new_policy_state(const PublicKey& agent, const Json& before) {
  TRY(ledger::Policy policy, ledger::parse_policy(before));
  policy.agents = {{crypto::multikey(agent), ledger::auth::kOwnerAll, std::nullopt, std::nullopt}};
  for (auto& [name, quorum] : policy.rules) quorum = 1;
  CHECK(ledger::check_policy(policy));
  return ledger::policy_json(policy);
}

Result<Json> new_document(Host& host, const std::string& did, const Json& before) {
  TRY(ledger::PairAgent agent, ledger::make_pair_agent(host, did));
  return ledger::document_with_agents(did, before, {std::move(agent)});
}

Result<void> begin_finish(Host& host, const Command& command, OpenedSet set,
                          const std::string& policy, bool undo_move) {
  if (!command.step_up) return fail(Errc::step_up_required);
  TRY(const OwnBeginnings beginnings, restore(host, command, set));
  auto own = ledger::identity(host);
  if (!own || own->policy != policy) {
    return fail(Errc::incident, "the backup belongs to another identity than its trustees say");
  }
  const SealedKey& vault = set.capsule.vault.sealed;
  FinishJob job;
  TRY(const KeyPair agent, ledger::make_agent_key(host));
  job.agent = agent.public_key;
  own->agent_key = agent.public_key;
  const auto linked = ledger::take_link_secret(host, vault);
  if (!linked.has_value() && linked.error() != Errc::not_found) return linked.error();
  if (!linked.has_value()) job.notes.emplace_back("The backup holds no link secret.");
  CHECK(follow_move(host, *own, undo_move, job));
  ledger::save_identity(host, *own);
  TRY(const SuperQuorum super, super_argument(command));
  CHECK(plan_identity(host, vault, agent.public_key, super, job));
  rotate_relationships(host, vault, beginnings, job);
  save_finish_job(host, job);
  host.cancel_timer(kDeviceModule, kTimerLogs);
  host.set_timer(kDeviceModule, kTimerFinish, host.now());
  host.audit("recover.wallet-restored", {{"slow", job.slow}});
  return {};
}

Result<void> sign_again(Host& host, const Command& command, FinishJob job) {
  if (job.step != FinishStep::identity) return {};  // The rest goes on by itself.
  TRY(const SealedKey vault, protocol::open_vault(host, command.step_up));
  TRY(const SuperQuorum super, super_argument(command));
  const auto own = ledger::identity(host);
  if (!own) return fail(Errc::wrong_state);
  for (const std::string& subject : {own->did, own->policy}) {
    std::string problem;
    const bool stuck = ledger::posted(host, subject) && !in_force(host, subject, job, problem);
    const auto view = ledger::stored_view(host, subject);
    if (!stuck || !view.has_value()) continue;
    const bool objects = view->pending && view->pending->record.super_quorum &&
                         super == SuperQuorum::vetoed && !is_own_pending(host, *view);
    if (view->pending && !objects) continue;
    std::erase_if(job.entries, [&](const PlannedEntry& entry) { return entry.subject == subject; });
    TRY(const Json state, subject == own->did ? new_document(host, subject, view->current.state)
                                              : new_policy_state(job.agent, view->current.state));
    TRY(LogPlan plan,
        plan_log(host, vault, subject, ledger::stored_blobs(host, subject), state, super));
    job.slow = job.slow || plan.slow;
    std::ranges::move(plan.entries, std::back_inserter(job.entries));
  }
  go_to(job, FinishStep::safety_copy);  // New keys: stored again before anything is posted.
  save_finish_job(host, job);
  host.set_timer(kDeviceModule, kTimerFinish, host.now());
  return {};
}

}  // namespace kith::recovery
