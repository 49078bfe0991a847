#pragma once

/// The owner's records of a recovery set, shared by setup, upkeep, and a recovered device.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocol/host.hpp"
#include "recovery/dealing.hpp"

namespace kith::recovery {

/// Where a set stands. Stored: never renumber.
enum class SetStep : std::uint8_t {
  offering = 1,    ///< Trustees are asked; those who agree get their share.
  storing = 2,     ///< Sheet, capsule, log part and backup go to the locations.
  anchoring = 3,   ///< The anchor goes into the policy log.
  committing = 4,  ///< Trustees are told to keep the new share.
  done = 5,
};
constexpr bool is_valid(SetStep step) {
  return step >= SetStep::offering && step <= SetStep::done;
}
[[nodiscard]] std::string_view step_name(SetStep step);

/// One trustee's part of the job. Stored: never renumber.
enum class TrusteeStep : std::uint8_t {
  offered = 1,
  declined = 2,
  preparing = 3,  ///< Agreed; the share is under way.
  prepared = 4,   ///< Acknowledged with a proof.
  committed = 5,
};
constexpr bool is_valid(TrusteeStep step) {
  return step >= TrusteeStep::offered && step <= TrusteeStep::committed;
}
[[nodiscard]] std::string_view step_name(TrusteeStep step);

struct TrusteeProgress {
  std::size_t leaf = 0;
  std::string contact_id;
  std::string offer_id;
  Bytes change_id;
  Bytes challenge;
  Bytes wire;  ///< Leaf record, until committed. The share in it is sealed to the trustee.
  TrusteeStep step = TrusteeStep::offered;
  std::optional<Time> last_proof;  ///< Of the newest valid heartbeat.
  template <class V>
  void visit(V& v) {
    v("leaf", leaf), v("contact_id", contact_id), v("offer_id", offer_id),
        v("change_id", change_id), v("challenge", challenge), v("wire", wire), v("step", step),
        v("last_proof", last_proof);
  }
};

/// Collection `recovery-record`, id `set`: the newest set, from the moment it was dealt. A set that
/// it replaces stays as id `replaced` until the new one is done.
struct OwnerSet {
  RecoveryRecord record;
  SetStep step = SetStep::offering;
  std::vector<TrusteeProgress> trustees;
  Bytes sheet;
  Bytes capsule;
  std::vector<Bytes> token_hashes;   ///< limits::kBackupTokensPerSet of them.
  std::string job;                   ///< Upload under way.
  std::string proposal;              ///< Entry that other devices are asked to sign; empty: none.
  std::uint64_t backup_counter = 0;  ///< Newest sealed.
  Bytes sealed_core;                 ///< crypto::core_digest of that one.
  std::uint64_t stored_counter = 0;  ///< Newest stored and read back.
  Bytes stored_core;                 ///< Its core_digest; empty: not known.
  Bytes stored_digest;               ///< wallet_digest of that.
  Time stored{};
  std::optional<Time> drilled;  ///< When heartbeats last satisfied the plan.
  template <class V>
  void visit(V& v) {
    v("record", record), v("step", step), v("trustees", trustees), v("sheet", sheet),
        v("capsule", capsule), v("token_hashes", token_hashes), v("job", job),
        v("proposal", proposal), v("backup_counter", backup_counter), v("sealed_core", sealed_core),
        v("stored_counter", stored_counter), v("stored_core", stored_core),
        v("stored_digest", stored_digest), v("stored", stored), v("drilled", drilled);
  }
};

/// The upload of what was sealed last has ended well.
void mark_stored(OwnerSet& set, Time now);
/// head_i for leaf number `leaf` (recovery-protocol section 4): which backup is the newest; empty
/// while none is stored. Errors: malformed (a damaged record).
[[nodiscard]] Result<Bytes> head_for(const OwnerSet& set, std::size_t leaf, Random& random);

[[nodiscard]] std::optional<OwnerSet> owner_set(Host& host);
void save_set(Host& host, const OwnerSet& set);
void erase_set(Host& host);

/// A recovery that a trustee told us about (collection `recovery-alert`, by session id in hex).
struct RecoveryAlert {
  std::string contact_id;
  Time noticed{};
  Time earliest_release{};
  bool veto_sent = false;
  bool vetoed = false;  ///< The trustee confirmed.
  template <class V>
  void visit(V& v) {
    v("contact_id", contact_id), v("noticed", noticed), v("earliest_release", earliest_release),
        v("veto_sent", veto_sent), v("vetoed", vetoed);
  }
};

}  // namespace kith::recovery
