#include "recovery/owner_upload.hpp"

#include <algorithm>

#include "ledger/identity.hpp"
#include "ledger/log_store.hpp"
#include "protocol/contact.hpp"
#include "protocol/own_service.hpp"
#include "recovery/owner_anchor.hpp"
#include "recovery/owner_setup.hpp"
#include "recovery/rotation.hpp"
#include "recovery/wallet_backup.hpp"

namespace kith::recovery {
namespace {

constexpr Duration kStoreAgain{60'000};
constexpr Duration kBackupLook{60'000};
constexpr Duration kBackupLookTest{2'000};
constexpr Duration kBackupLookMax{3'600'000};

LeafSet acknowledged(const OwnerSet& set) {
  LeafSet leaves;
  for (const TrusteeProgress& trustee : set.trustees) {
    if (trustee.step >= TrusteeStep::prepared) leaves.insert(trustee.leaf);
  }
  return leaves;
}

std::optional<LocationLink> own_location(Host& host) {
  const auto grant = protocol::mediator_grant(host);
  if (!grant) return std::nullopt;
  const auto contact = protocol::find_contact(host, grant->contact_id);
  if (!contact) return std::nullopt;
  return LocationLink{contact->my_did, contact->their_did, {}};
}

/// Seals the parts of the set and starts their upload.
Result<void> start_upload(Host& host, OwnerSet& set, bool whole_set) {
  const auto link = own_location(host);
  if (!link) return fail(Errc::wrong_state, "no backup location");
  TRY(const SecretPoint key, recovery_key_of(set.record));
  const Bytes set_id = crypto::to_bytes(set.record.set_id);
  std::vector<PartVersion> parts;
  if (whole_set) {
    parts.push_back({BackupPart::sheet, set_id, 0, {set.sheet}, set.token_hashes});
    parts.push_back({BackupPart::capsule, set_id, 0, {set.capsule}, {}});
  }
  ++set.backup_counter;
  save_set(host, set);  // The snapshot below holds the set with this counter.
  set.stored_digest = content_digest(host);
  TRY(PartVersion backup, seal_part(host, crypto::ContainerFormat::backup, BackupPart::backup,
                                    set_id, key, set.backup_counter, wallet_snapshot(host)));
  TRY(PartVersion log, seal_part(host, crypto::ContainerFormat::log_part, BackupPart::log, set_id,
                                 key, set.backup_counter, own_logs_snapshot(host)));
  TRY(set.sealed_core, part_core_digest(backup));
  parts.push_back(std::move(log));
  parts.push_back(std::move(backup));
  set.job = start_put(host, kOwnerModule, kTimerStored, *link, parts);
  save_set(host, set);
  return {};
}

}  // namespace

/// Enough trustees hold their share: store everything, then anchor.
void store_when_enough(Host& host, OwnerSet& set) {
  if (set.step != SetStep::offering || !quorum(set.record.plan, acknowledged(set))) return;
  set.step = SetStep::storing;
  const auto started = start_upload(host, set, true);
  if (!started.has_value()) {
    set.step = SetStep::offering;  // The repeat timer comes back to it.
    host.notify({"alarm", "Your backup could not be stored: " + started.error().detail, {}, {}});
    save_set(host, set);
  }
}

void after_upload(Host& host) {
  auto set = owner_set(host);
  if (!set || set->job.empty()) return;
  const auto result = job_result(host, set->job);
  if (!result.has_value() || result->state == JobState::running) return;
  drop_job(host, set->job);
  set->job.clear();
  if (result->state == JobState::failed) {
    host.notify({"alarm", "Your backup could not be stored: " + result->problem, {}, {}});
    host.audit("backup.failed");
    if (set->step == SetStep::storing) set->step = SetStep::offering;
    save_set(host, *set);
    host.set_timer(kOwnerModule, kTimerRepeat, host.now() + kStoreAgain);
    return;
  }
  mark_stored(*set, host.now());
  host.audit("backup.stored", {{"counter", set->stored_counter}});
  save_set(host, *set);
  rotation_looks_now(host);
  if (set->step == SetStep::storing) begin_anchoring(host, *set);
  host.set_timer(kOwnerModule, kTimerBackup,
                 host.now() + (host.test_mode() ? kBackupLookTest : kBackupLook));
}

bool backups_are_kept(Host& host) {
  const auto set = owner_set(host);
  return set && set->step != SetStep::offering && own_location(host);
}

bool backup_runs(Host& host) {
  const auto set = owner_set(host);
  return set && !set->job.empty();
}

Result<std::uint64_t> begin_backup(Host& host) {
  auto set = owner_set(host);
  if (!set || set->step == SetStep::offering) {
    return fail(Errc::wrong_state, "nobody keeps a backup of this wallet yet");
  }
  if (!set->job.empty()) return fail(Errc::wrong_state, "another backup is being stored");
  CHECK(start_upload(host, *set, false));
  return set->backup_counter;
}

bool backup_stored(Host& host, std::uint64_t counter) {
  const auto set = owner_set(host);
  return set && set->stored_counter >= counter;
}

void backup_if_changed(Host& host) {
  auto set = owner_set(host);
  if (!set || set->step != SetStep::done) return;
  // A wallet that has not changed for long is looked at ever more rarely.
  const Duration least = host.test_mode() ? kBackupLookTest : kBackupLook;
  const Duration look = std::clamp((host.now() - set->stored) / 4, least, kBackupLookMax);
  host.set_timer(kOwnerModule, kTimerBackup, host.now() + look);
  if (!set->job.empty() || content_digest(host) == set->stored_digest) return;
  const auto started = start_upload(host, *set, false);
  if (!started.has_value()) {
    host.audit("backup.not-started", {{"code", crypto::error_text(started.error().code).code}});
  }
}

}  // namespace kith::recovery
