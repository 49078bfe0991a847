#include "recovery/rotation.hpp"

#include <algorithm>
#include <utility>

#include "crypto/assert.hpp"
#include "ledger/identity.hpp"
#include "ledger/log_store.hpp"
#include "protocol/vault.hpp"
#include "recovery/owner_upload.hpp"

namespace kith::recovery {
namespace {

constexpr std::string_view kRotation = "rotation";
constexpr std::string_view kRecord = "rotation";
constexpr std::string_view kTimerLook = "look";
constexpr Duration kRotationLook{2'000};
constexpr Duration kRotationLookTest{200};
constexpr std::chrono::hours kRotationLookMax{1};
constexpr std::chrono::hours kPatience{24};
constexpr std::chrono::hours kPatienceTest{1};

/// Stored: never renumber.
enum class RotationStep : std::uint8_t { storing = 1, posted = 2, given_up = 3 };
constexpr bool is_valid(RotationStep step) {
  return step >= RotationStep::storing && step <= RotationStep::given_up;
}

/// A signed rotate that may not leave yet.
struct HeldEntry {
  std::string subject;
  Bytes blob;
  template <class V>
  void visit(V& v) {
    v("subject", subject), v("blob", blob);
  }
};

/// Record meta/rotation.
struct RotationJob {
  RotationStep step = RotationStep::storing;
  std::vector<HeldEntry> entries;
  std::uint64_t backup = 0;  ///< Counter of the backup waited for; 0: none is begun.
  std::uint32_t tries = 0;
  std::string problem;
  Time begun{};
  template <class V>
  void visit(V& v) {
    v("step", step), v("entries", entries), v("backup", backup), v("tries", tries);
    v("problem", problem), v("begun", begun);
  }
};

std::optional<RotationJob> rotation_job(Host& host) {
  return load<RotationJob>(host, "meta", kRecord);
}
void save_job(Host& host, const RotationJob& job) {
  save(host, "meta", kRecord, job);
}

ledger::Entry entry_of(const HeldEntry& held) {
  auto entry = ledger::parse_entry(held.blob);
  ASSERT(entry.has_value());  // Our own writing.
  return std::move(*entry);
}

/// The keys of an entry that never left are next keys again: only the vault may hold those.
void forget_keys(Host& host, const ledger::Entry& entry) {
  for (const ledger::EntrySignature& signature : entry.sigs) {
    ledger::forget_log_key(host, signature.k);
  }
}

/// The log takes no rotate as long as the identity is on its way to another ledger.
bool is_put_off(Host& host, const HeldEntry& held, const Error& error) {
  const auto view = ledger::stored_view(host, held.subject);
  const bool ended = view.has_value() && view->status == ledger::LogStatus::deactivated;
  return error == Errc::wrong_state && !ended;
}

/// Posts what can be posted now; what has to wait stays in the job.
void post(Host& host, RotationJob& job) {
  job.problem.clear();
  for (const HeldEntry& held : std::exchange(job.entries, {})) {
    const ledger::Entry entry = entry_of(held);
    const auto handed = ledger::post_prepared(host, held.subject, entry);
    if (handed.has_value()) continue;
    job.problem = handed.error().detail;
    if (is_put_off(host, held, handed.error())) {
      job.entries.push_back(held);
      continue;
    }
    forget_keys(host, entry);
    host.audit("identity.rotation-refused", {{"log", held.subject}});
    host.notify({"alarm",
                 "The new keys of your identity could not be posted (" + job.problem +
                     "). Look at `kith policy history`, then rotate again.",
                 held.subject,
                 {}});
  }
  if (job.entries.empty()) job.step = RotationStep::posted;
}

void give_up(Host& host, RotationJob& job) {
  for (const HeldEntry& held : job.entries) forget_keys(host, entry_of(held));
  job.entries.clear();
  job.step = RotationStep::given_up;
  host.audit("identity.rotation-given-up");
  host.notify({"alarm",
               "The keys of your identity were not replaced: no backup of the new ones could be "
               "stored. See `kith recovery status`, then run `kith did rotate` again.",
               {},
               {}});
}

Duration pause_before_look(Host& host, std::uint32_t tries) {
  const Duration first = host.test_mode() ? kRotationLookTest : kRotationLook;
  return std::min<Duration>(first * (1 << std::min<std::uint32_t>(tries, 16)), kRotationLookMax);
}

void look_later(Host& host, RotationJob& job, Time latest) {
  const Time next_look = host.now() + pause_before_look(host, job.tries);
  host.set_timer(kRotation, kTimerLook, std::min(next_look, latest));
  ++job.tries;
}

/// Does what can be done now. Runs again after every crash: what is done shows in the records.
void advance(Host& host, RotationJob job) {
  const Time deadline = job.begun + (host.test_mode() ? kPatienceTest : kPatience);
  const bool stored = job.backup != 0 && backup_stored(host, job.backup);
  if (stored || !backups_are_kept(host)) {
    post(host, job);
    if (job.step == RotationStep::storing) look_later(host, job, Time::max());
  } else if (host.now() >= deadline) {
    give_up(host, job);
  } else {
    if (!backup_runs(host)) {
      if (job.backup != 0) job.problem = "the backup of the new keys could not be stored yet";
      const auto begun = begin_backup(host);
      if (begun.has_value()) {
        job.backup = *begun;
      } else {
        job.problem = begun.error().detail;
      }
    }
    look_later(host, job, deadline);
  }
  save_job(host, job);
}

std::string version_of(const ledger::LogView& view) {
  return std::to_string(view.n()) + "-" + view.head().hash;
}

Result<JsonObject> rotation_status(Host& host) {
  const auto job = rotation_job(host);
  if (!job) return JsonObject{{"state", "none"}};
  TRY(const ledger::Identity own, ledger::needed_identity(host));
  TRY(const ledger::LogView did, ledger::stored_view(host, own.did));
  TRY(const ledger::LogView policy, ledger::stored_view(host, own.policy));
  JsonObject reply{{"did_version", version_of(did)}, {"policy_version", version_of(policy)}};
  reply["state"] = job->step == RotationStep::storing  ? "storing"
                   : job->step == RotationStep::posted ? "posted"
                                                       : "given-up";
  if (!job->problem.empty()) reply["problem"] = job->problem;
  return reply;
}

Result<JsonObject> begin(Host& host, const std::optional<StepUp>& step_up) {
  CHECK(ledger::needed_identity(host));
  std::optional<SealedKey> vault;
  if (protocol::vault_lock(host)) {
    TRY(vault, protocol::open_vault(host, step_up));
  }
  if (rotation_runs(host)) return rotation_status(host);
  CHECK(begin_rotation(host, vault, {}));
  return rotation_status(host);
}

}  // namespace

Result<void> begin_rotation(Host& host, const std::optional<SealedKey>& vault,
                            const LogChanges& changes) {
  TRY(const ledger::Identity own, ledger::needed_identity(host));
  if (rotation_runs(host)) {
    return fail(Errc::wrong_state,
                "new keys of your identity wait for their backup: see `kith did rotate-status`");
  }
  RotationJob job;
  job.begun = host.now();
  for (const std::string& subject : {own.did, own.policy}) {
    const auto change = changes.find(subject);
    TRY(const ledger::Entry entry,
        ledger::prepare_rotate(host, subject, vault,
                               change == changes.end() ? ledger::RotateChange{} : change->second));
    job.entries.push_back({subject, ledger::entry_blob(entry)});
  }
  advance(host, std::move(job));
  return {};
}

void rotation_looks_now(Host& host) {
  if (rotation_runs(host)) host.set_timer(kRotation, kTimerLook, host.now());
}

bool rotation_runs(Host& host) {
  const auto job = rotation_job(host);
  return job && job->step == RotationStep::storing;
}

Result<JsonObject> Rotation::on_command(Host& host, const Command& command) {
  return command.name == "did-rotate" ? begin(host, command.step_up) : rotation_status(host);
}

void Rotation::on_timer(Host& host, std::string_view) {
  auto job = rotation_job(host);
  if (job && job->step == RotationStep::storing) advance(host, std::move(*job));
}

}  // namespace kith::recovery
