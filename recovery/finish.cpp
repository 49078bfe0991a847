#include "recovery/finish.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "crypto/assert.hpp"
#include "ledger/connection.hpp"
#include "ledger/did_kith.hpp"
#include "ledger/identity.hpp"
#include "ledger/log_keys.hpp"
#include "ledger/policy.hpp"
#include "protocol/own_service.hpp"
#include "protocol/pickup.hpp"
#include "protocol/vault.hpp"
#include "recovery/finish_sign.hpp"
#include "recovery/owner_set.hpp"
#include "recovery/wallet_backup.hpp"

namespace kith::recovery {
namespace {

constexpr std::string_view kLinkSecret = "link-secret";
constexpr Duration kLook{2'000};
constexpr Duration kLookTest{200};
constexpr Duration kLookMax{60'000};
constexpr std::uint32_t kTriesBeforeSaying = 5;

void save_job(Host& host, const FinishJob& job) {
  save(host, "recovery-record", "finish", job);
}

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

/// The restored wallet in the place of this home's beginnings. Returns the ids of contacts that
/// belong to this home alone.
Result<std::set<std::string>> restore(Host& host, const Command& command, const OpenedSet& set) {
  TRY(const std::vector<OwnItem> own_items, take_own_items(host, command.step_up));
  std::set<std::string> own_contacts;
  std::vector<Contact> renamed = protocol::list_contacts(host);
  for (const Contact& contact : renamed) own_contacts.insert(contact.id);
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
  for (Contact& contact : renamed) {
    contact.name = protocol::free_contact_name(host, contact.name + " (this device)");
    protocol::save_contact(host, contact);
  }
  return own_contacts;
}

Result<void> take_link_secret(Host& host, const SealedKey& vault, FinishJob& job) {
  const auto held = protocol::vault_items_of(host, "", protocol::VaultUse::link_secret);
  if (held.empty()) {
    job.notes.emplace_back("The backup holds no link secret.");
    return {};
  }
  TRY(const KeyPair secret, protocol::open_vault_item(host, vault, held.front().id));
  protocol::remember_key(host, kLinkSecret, secret.sealed);
  return {};
}

/// New agent keys towards one contact: the lost device's end with the rotate.
Result<void> rotate_towards(Host& host, const SealedKey& vault, const Contact& contact) {
  TRY(ledger::PairState state, ledger::pair_state_of(host, contact.my_did));
  if (state.status != ledger::PairStatus::active) return {};
  TRY(ledger::PairAgent agent, ledger::make_pair_agent(host, contact.my_did));
  state.agents = {std::move(agent)};
  state.revoke = 1;
  return ledger::rotate_pair_keys(host, contact.my_did, vault, state);
}

void rotate_relationships(Host& host, const SealedKey& vault,
                          const std::set<std::string>& own_contacts, FinishJob& job) {
  for (const Contact& contact : protocol::list_contacts(host)) {
    if (own_contacts.contains(contact.id) || contact.state == ContactState::ended) continue;
    if (!contact.my_did.starts_with(ledger::kDidPrefix)) {
      job.notes.push_back("The connection with " + contact.name +
                          " has no log that could be taken over: connect anew.");
      continue;
    }
    const auto rotated = rotate_towards(host, vault, contact);
    if (!rotated.has_value()) {
      job.notes.push_back("The connection with " + contact.name +
                          " could not be taken over: connect anew. (" + rotated.error().detail +
                          ")");
    }
  }
}

Result<Json> new_policy_state(Host& host, const PublicKey& agent, const Json& before) {
  static_cast<void>(host);
  TRY(ledger::Policy policy, ledger::parse_policy(before));
  policy.agents = {{crypto::multikey(agent), ledger::auth::kOwnerAll, std::nullopt, std::nullopt}};
  for (auto& [name, quorum] : policy.rules) quorum = 1;
  CHECK(ledger::check_policy(policy));
  return ledger::policy_json(policy);
}

/// The public document with fresh keys of this device; services stay.
Result<Json> new_document(Host& host, const std::string& did, const Json& before) {
  TRY(ledger::PairAgent agent, ledger::make_pair_agent(host, did));
  ledger::PairState shape;
  shape.agents = {std::move(agent)};
  Json document = ledger::pair_document(did, shape);
  if (before.is_object()) {
    if (const Json* services = before.get_object().if_contains("service")) {
      document.get_object()["service"] = *services;
    }
  }
  return document;
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

Result<void> plan_identity(Host& host, const SealedKey& vault, const PublicKey& agent,
                           FinishJob& job) {
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
                                              : new_policy_state(host, agent, before));
    TRY(LogPlan plan, plan_log(host, vault, subject, blobs, state));
    job.slow = job.slow || plan.slow;
    std::ranges::move(plan.entries, std::back_inserter(job.entries));
    std::ranges::move(plan.notes, std::back_inserter(job.notes));
  }
  return {};
}

std::optional<Contact> own_mediator(Host& host) {
  const auto grant = protocol::mediator_grant(host);
  return grant ? protocol::find_contact(host, grant->contact_id) : std::nullopt;
}

void look_again(Host& host, FinishJob& job) {
  const Duration first = host.test_mode() ? kLookTest : kLook;
  const Duration pause = std::min(first * (1 << std::min<std::uint32_t>(job.tries, 8)), kLookMax);
  ++job.tries;
  host.set_timer(kDeviceModule, kTimerFinish, host.now() + pause);
}

void go_to(FinishJob& job, FinishStep step) {
  job.step = step;
  job.tries = 0;
  job.problem.clear();
}

// --- The steps. Each returns true when it is done.

bool tell_mediator(Host& host, FinishJob& job) {
  const auto mediator = own_mediator(host);
  if (!mediator) {
    job.notes.emplace_back("The backup knows no mediator; the one of this device is kept.");
    return true;
  }
  if (ledger::in_sync(host, *mediator)) return true;
  if (job.tries == 0) ledger::send_sync(host, *mediator);  // Then the module repeats it.
  if (job.tries >= kTriesBeforeSaying) job.problem = "your mediator does not answer yet";
  return false;
}

Result<void> start_safety_copy(Host& host, FinishJob& job) {
  auto set = owner_set(host);
  const auto mediator = own_mediator(host);
  if (!set || !mediator) return fail(Errc::not_found, "no recovery set in the backup");
  TRY(const SecretPoint key, recovery_key_of(set->record));
  const Bytes set_id(set->record.set_id.begin(), set->record.set_id.end());
  set->backup_counter = std::max(set->backup_counter, opening_summary(host).counter) + 1;
  set->job.clear();  // Of the lost device.
  // The backup may be older than the set's last steps; the log has shown that the set is anchored.
  set->step = SetStep::done;
  save_set(host, *set);
  const LocationLink link{mediator->my_did, mediator->their_did, {}};
  std::vector<PartVersion> parts(2);
  TRY(parts[0], seal_part(host, crypto::ContainerFormat::log_part, BackupPart::log, set_id, key,
                          set->backup_counter, own_logs_snapshot(host)));
  TRY(parts[1], seal_part(host, crypto::ContainerFormat::backup, BackupPart::backup, set_id, key,
                          set->backup_counter, wallet_snapshot(host)));
  job.backup_job = start_put(host, kDeviceModule, kTimerFinish, link, parts);
  return {};
}

bool store_safety_copy(Host& host, FinishJob& job) {
  if (job.backup_job.empty()) {
    const auto started = start_safety_copy(host, job);
    if (started.has_value()) return false;
    if (started.error() == Errc::not_found) {
      job.notes.push_back("No copy could be stored before posting: " + started.error().detail);
      return true;
    }
    job.problem = started.error().detail;
    return false;
  }
  const auto result = job_result(host, job.backup_job);
  if (result.has_value() && result->state == JobState::running) return false;
  drop_job(host, job.backup_job);
  job.backup_job.clear();
  if (result.has_value() && result->state == JobState::done) {
    auto set = owner_set(host);
    if (set) {
      set->stored_counter = set->backup_counter;
      set->stored = host.now();
      save_set(host, *set);
    }
    host.audit("recover.safety-copy-stored");
    return true;
  }
  job.problem = result.has_value() ? result->problem : result.error().detail;
  return false;
}

/// Everything that was planned counts in the log as it is known now, and no recover is pending.
bool in_force(Host& host, const std::string& subject, const FinishJob& job, std::string& problem) {
  const auto view = ledger::stored_view(host, subject);
  if (!view.has_value()) return false;
  if (view->pending) {
    problem = "waiting until " + ledger::utc_text(view->pending->record.effective_from) +
              ": until then anybody who holds the next keys can object";
    return false;
  }
  std::set<std::string> counted;
  for (const auto& record : view->history) counted.insert(record.hash);
  for (const PlannedEntry& planned : job.entries) {
    if (planned.subject != subject) continue;
    const auto entry = ledger::parse_entry(planned.blob);
    const bool counts = entry.has_value() && (counted.contains(ledger::entry_hash(*entry)) ||
                                              entry->op == ledger::Op::veto);
    if (!counts) {
      problem = "others changed the log in the meantime: run `kith recover finish` again";
      return false;
    }
  }
  return true;
}

bool post_identity(Host& host, FinishJob& job) {
  for (PlannedEntry& planned : job.entries) {
    if (planned.handed_in) continue;
    const auto entry = ledger::parse_entry(planned.blob);
    ASSERT(entry.has_value());  // Our own writing.
    const auto handed = ledger::post_entry(host, planned.subject, *entry);
    if (!handed.has_value()) {
      job.problem = "run `kith recover finish` again: " + handed.error().detail;
      return false;
    }
    planned.handed_in = true;
  }
  const auto own = ledger::identity(host);
  if (!own) return false;
  for (const std::string& subject : {own->did, own->policy}) {
    if (!ledger::posted(host, subject)) {
      job.problem = job.tries < kTriesBeforeSaying ? "" : "waiting for the ledger";
      return false;
    }
    if (!in_force(host, subject, job, job.problem)) return false;
  }
  host.audit("recover.identity-taken-back");
  return true;
}

bool register_mail(Host& host, FinishJob& job) {
  if (job.tries == 0) {
    protocol::register_all_again(host);
    host.set_timer("pickup", "poll", host.now());
  }
  if (protocol::all_registered(host)) return true;
  if (job.tries >= kTriesBeforeSaying) job.problem = "your mediator does not answer yet";
  return false;
}

void close_all(Host& host, FinishJob& job) {
  for (const Contact& contact : protocol::list_contacts(host)) {
    if (contact.state != ContactState::ended) ledger::send_sync(host, contact);
  }
  close_sessions(host, "recovered");
  const OpeningSummary summary = opening_summary(host);
  for (const BlamedTrustee& blamed : summary.blamed) {
    host.notify({"alarm",
                 blamed.trustee + " answered badly (" + blamed.reason +
                     "). Ask them why, and choose somebody else for your next set.",
                 blamed.session,
                 {}});
  }
  // The owner's own upkeep goes on: backups of what changed, and proofs of the shares.
  for (const std::string_view timer : {"repeat", "backup", "heartbeat"}) {
    host.set_timer("recovery", timer, host.now());
  }
  host.audit("recover.finished", {{"blamed", summary.blamed.size()}});
  host.notify({"recover",
               "You have your identity back; the lost devices are out. Your trustees still hold "
               "their shares for you: see `kith recovery status`.",
               {},
               {}});
  go_to(job, FinishStep::done);
}

}  // namespace

std::optional<FinishJob> finish_job(Host& host) {
  auto job = load<FinishJob>(host, "recovery-record", "finish");
  if (!job) return std::nullopt;
  const auto agent = ledger::own_agent_key(host);
  // A job of another device came with the backup: its keys are not ours.
  if (!agent.has_value() || !(agent->public_key == job->agent)) return std::nullopt;
  return job;
}

Result<void> begin_finish(Host& host, const Command& command, OpenedSet set,
                          const std::string& policy) {
  if (!command.step_up) return fail(Errc::step_up_required);
  TRY(const std::set<std::string> own_contacts, restore(host, command, set));
  auto own = ledger::identity(host);
  if (!own || own->policy != policy) {
    return fail(Errc::incident, "the backup belongs to another identity than its trustees say");
  }
  const SealedKey& vault = set.capsule.vault.sealed;
  FinishJob job;
  TRY(const KeyPair agent, ledger::make_agent_key(host));
  job.agent = agent.public_key;
  own->agent_key = agent.public_key;
  CHECK(take_link_secret(host, vault, job));
  CHECK(plan_identity(host, vault, agent.public_key, job));
  rotate_relationships(host, vault, own_contacts, job);
  ledger::save_identity(host, *own);
  save_job(host, job);
  host.cancel_timer(kDeviceModule, kTimerLogs);
  host.set_timer(kDeviceModule, kTimerFinish, host.now());
  host.audit("recover.wallet-restored", {{"slow", job.slow}});
  return {};
}

Result<void> sign_again(Host& host, const Command& command, FinishJob job) {
  if (job.step != FinishStep::identity) {
    return fail(Errc::wrong_state, "that goes on by itself: see `kith recover status`");
  }
  TRY(const SealedKey vault, protocol::open_vault(host, command.step_up));
  const auto own = ledger::identity(host);
  if (!own) return fail(Errc::wrong_state);
  for (const std::string& subject : {own->did, own->policy}) {
    std::string problem;
    const bool stuck = ledger::posted(host, subject) && !in_force(host, subject, job, problem);
    const auto view = ledger::stored_view(host, subject);
    if (!stuck || !view.has_value() || view->pending) continue;
    std::erase_if(job.entries, [&](const PlannedEntry& entry) { return entry.subject == subject; });
    TRY(const Json state, subject == own->did
                              ? new_document(host, subject, view->current.state)
                              : new_policy_state(host, job.agent, view->current.state));
    TRY(LogPlan plan, plan_log(host, vault, subject, ledger::stored_blobs(host, subject), state));
    job.slow = job.slow || plan.slow;
    std::ranges::move(plan.entries, std::back_inserter(job.entries));
  }
  go_to(job, FinishStep::safety_copy);  // New keys: stored again before anything is posted.
  save_job(host, job);
  host.set_timer(kDeviceModule, kTimerFinish, host.now());
  return {};
}

void advance_finish(Host& host) {
  auto job = finish_job(host);
  if (!job || job->step == FinishStep::done) return;
  // One step a unit: what it started is durable before the next begins.
  bool done = false;
  switch (job->step) {
    case FinishStep::mediator:
      done = tell_mediator(host, *job);
      if (done) go_to(*job, FinishStep::safety_copy);
      break;
    case FinishStep::safety_copy:
      done = store_safety_copy(host, *job);
      if (done) go_to(*job, FinishStep::identity);
      break;
    case FinishStep::identity:
      done = post_identity(host, *job);
      if (done) go_to(*job, FinishStep::mail);
      break;
    case FinishStep::mail:
      done = register_mail(host, *job);
      if (done) go_to(*job, FinishStep::close);
      break;
    case FinishStep::close:
      close_all(host, *job);
      break;
    case FinishStep::done:
      return;
  }
  if (job->step != FinishStep::done) {
    if (done) {
      host.set_timer(kDeviceModule, kTimerFinish, host.now());
    } else {
      look_again(host, *job);
    }
  }
  save_job(host, *job);
}

namespace {

std::string people_detail(Host& host) {
  std::size_t told = 0, all = 0;
  for (const Contact& contact : protocol::list_contacts(host)) {
    const bool counts = contact.state == ContactState::connected &&
                        contact.my_did.starts_with(ledger::kDidPrefix) &&
                        contact.role == ContactRole::person;
    if (!counts) continue;
    ++all;
    if (ledger::in_sync(host, contact)) ++told;
  }
  return std::to_string(told) + " of " + std::to_string(all) + " contacts know your new keys";
}

}  // namespace

JsonArray describe_steps(Host& host, const FinishJob& job) {
  struct Row {
    FinishStep step;
    const char* name;
  };
  constexpr Row kRows[] = {
      {FinishStep::mediator, "tell your mediator of the new keys"},
      {FinishStep::safety_copy, "store a copy, in case this device is lost too"},
      {FinishStep::identity, "replace the keys of your identity; lost devices are out"},
      {FinishStep::mail, "register your addresses again"},
      {FinishStep::close, "tell contacts and trustees"},
  };
  JsonArray steps;
  for (const Row& row : kRows) {
    JsonObject step{{"name", row.name}};
    step["state"] = job.step > row.step ? "done" : job.step == row.step ? "doing" : "to-do";
    if (job.step == row.step && !job.problem.empty()) {
      step["state"] = "waiting";
      step["detail"] = job.problem;
    }
    if (row.step == FinishStep::close && job.step == FinishStep::done) {
      step["detail"] = people_detail(host);
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace kith::recovery
