#include "recovery/finish.hpp"

#include <algorithm>
#include <set>

#include "crypto/assert.hpp"
#include "ledger/connection.hpp"
#include "ledger/did_kith.hpp"
#include "ledger/identity.hpp"
#include "protocol/own_service.hpp"
#include "protocol/pickup.hpp"
#include "recovery/finish_steps.hpp"
#include "recovery/owner_set.hpp"
#include "recovery/super_owner.hpp"
#include "recovery/super_reading.hpp"
#include "recovery/vault_keys.hpp"
#include "recovery/wallet_backup.hpp"

namespace kith::recovery {
namespace {

constexpr Duration kLook{2'000};
constexpr Duration kLookTest{200};
constexpr Duration kLookMax{60'000};
constexpr std::uint32_t kTriesBeforeSaying = 5;
/// A day of looks at kLookMax apart: then the job goes on without its mediator.
constexpr std::uint32_t kTriesAtMost = 24 * 60;
constexpr std::uint32_t kTriesAtMostTest = 30;
void look_again(Host& host, FinishJob& job) {
  const Duration first = host.test_mode() ? kLookTest : kLook;
  const Duration pause = std::min(first * (1 << std::min<std::uint32_t>(job.tries, 8)), kLookMax);
  ++job.tries;
  host.set_timer(kDeviceModule, kTimerFinish, host.now() + pause);
}

// --- The steps. Each returns true when it is done.

bool patience_is_over(Host& host, const FinishJob& job) {
  return job.tries >= (host.test_mode() ? kTriesAtMostTest : kTriesAtMost);
}

void say_mediator_is_silent(FinishJob& job) {
  if (job.tries < kTriesBeforeSaying) return;
  job.problem =
      "your mediator does not answer yet; if it is gone for good, " + std::string(kRegisterAnew);
}

void give_up_mediator(Host& host, FinishJob& job) {
  const auto mediator = own_mediator(host);
  if (!mediator) return;
  job.given_up = mediator->id;
  host.audit("recover.mediator-given-up");
  host.notify({"alarm",
               mediator->name + " does not answer. Your recovery goes on without it; no mail " +
                   "reaches you until you " + kRegisterAnew,
               mediator->id,
               {}});
}

bool tell_mediator(Host& host, FinishJob& job) {
  const auto mediator = own_mediator(host);
  if (!mediator) {
    job.notes.emplace_back("The backup knows no mediator, and neither does this device.");
    return true;
  }
  if (mediator->id == job.given_up || ledger::in_sync(host, *mediator)) return true;
  if (patience_is_over(host, job)) {
    give_up_mediator(host, job);
    return true;
  }
  if (job.tries == 0) ledger::send_sync(host, *mediator);  // Then the module repeats it.
  say_mediator_is_silent(job);
  return false;
}

Result<void> start_safety_copy(Host& host, FinishJob& job) {
  auto set = owner_set(host);
  const auto mediator = own_mediator(host);
  if (!set || !mediator) return fail(Errc::not_found, "no recovery set in the backup");
  TRY(const SecretPoint key, recovery_key_of(set->record));
  const Bytes set_id(set->record.set_id.begin(), set->record.set_id.end());
  const OpeningSummary opened = opening_summary(host);
  set->backup_counter = std::max(set->backup_counter, opened.counter);
  // Heads only warn, but a location takes no number far above the highest that it has seen.
  if (opened.newest_known <= set->backup_counter + limits::kBackupCounterLead / 2) {
    set->backup_counter = std::max(set->backup_counter, opened.newest_known);
  }
  ++set->backup_counter;
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
  TRY(set->sealed_core, part_core_digest(parts[1]));
  save_set(host, *set);
  job.backup_job = start_put(host, kDeviceModule, kTimerFinish, link, parts);
  return {};
}

bool no_safety_copy(FinishJob& job, const std::string& why) {
  job.notes.push_back("No copy could be stored before posting: " + why);
  return true;
}

bool store_safety_copy(Host& host, FinishJob& job) {
  if (needs_mediator(host, job) || patience_is_over(host, job)) {
    if (!needs_mediator(host, job)) give_up_mediator(host, job);
    if (!job.backup_job.empty()) drop_job(host, job.backup_job);
    job.backup_job.clear();
    return no_safety_copy(job, "no mediator answers. A backup is made when you have one again");
  }
  if (job.backup_job.empty()) {
    const auto started = start_safety_copy(host, job);
    if (started.has_value()) return false;
    if (started.error() == Errc::not_found) {
      return no_safety_copy(job, started.error().detail);
    }
    job.problem = started.error().detail;
    return false;
  }
  const auto result = job_result(host, job.backup_job);
  if (result.has_value() && result->state == JobState::running) {
    say_mediator_is_silent(job);
    return false;
  }
  drop_job(host, job.backup_job);
  job.backup_job.clear();
  if (result.has_value() && result->state == JobState::done) {
    auto set = owner_set(host);
    if (set) {
      mark_stored(*set, host.now());
      save_set(host, *set);
    }
    host.audit("recover.safety-copy-stored");
    return true;
  }
  job.problem = result.has_value() ? result->problem : result.error().detail;
  return false;
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
  job.waits = false;
  for (const std::string& subject : {own->did, own->policy}) {
    const auto view = ledger::stored_view(host, subject);
    job.waits = job.waits || (view.has_value() && view->pending.has_value());
  }
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
  if (protocol::all_registered(host) || needs_mediator(host, job)) return true;
  if (patience_is_over(host, job)) {
    give_up_mediator(host, job);
    return true;
  }
  say_mediator_is_silent(job);
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
  host.set_timer(kSuperModule, kSuperOwnerTimer, host.now());
  host.audit("recover.finished", {{"blamed", summary.blamed.size()}});
  host.notify(
      {"recover",
       job.imported
           ? "Your identity lives on this device now; the home that it was exported from is "
             "out. Your trustees still hold their shares for you: see `kith recovery "
             "status`."
           : "You have your identity back; the lost devices are out. Your trustees still "
             "hold their shares for you: see `kith recovery status`.",
       {},
       {}});
  go_to(job, FinishStep::done);
}

}  // namespace

void save_finish_job(Host& host, const FinishJob& job) {
  save(host, "recovery-record", "finish", job);
}

void go_to(FinishJob& job, FinishStep step) {
  job.step = step;
  job.tries = 0;
  job.problem.clear();
}

std::optional<Contact> own_mediator(Host& host) {
  const auto grant = protocol::mediator_grant(host);
  return grant ? protocol::find_contact(host, grant->contact_id) : std::nullopt;
}

bool in_force(Host& host, const std::string& subject, const FinishJob& job, std::string& problem) {
  const auto view = ledger::stored_view(host, subject);
  if (!view.has_value()) return false;
  if (view->pending) {
    const bool others = view->pending->record.super_quorum && !is_own_pending(host, *view);
    problem =
        "waiting until " + ledger::utc_text(view->pending->record.effective_from) +
        (others ? ", when a recovery by your last resort counts that this wallet did not make: "
                  "`kith recover finish --veto-super` objects"
                : ": until then anybody who holds the next keys can object");
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

std::optional<FinishJob> finish_job(Host& host) {
  auto job = load<FinishJob>(host, "recovery-record", "finish");
  if (!job) return std::nullopt;
  const auto agent = ledger::own_agent_key(host);
  // A job of another device came with the backup: its keys are not ours.
  if (!agent.has_value() || !(agent->public_key == job->agent)) return std::nullopt;
  return job;
}

bool needs_mediator(Host& host, const FinishJob& job) {
  const auto mediator = own_mediator(host);
  if (!mediator) return !protocol::own_service(host).has_value();
  return mediator->id == job.given_up && !ledger::in_sync(host, *mediator);
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
  save_finish_job(host, *job);
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
