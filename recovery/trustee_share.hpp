#pragma once

/// What this agent holds for its contacts as their trustee: leaf records and shares, with the rules
/// for changing them (recovery-protocol sections 2, 6 and 8).
///
///   prepared --commit--> committed --replaced or retired--> retained --contest days--> gone
///       \--abort--> gone                                        \--signed retire--> gone at once
///
/// Records are kept without shares in collection `trusteeship`, by contact id; they travel in
/// backups. Shares are sealed records of collection `share`, which never do: after a recovery of
/// this agent its shares are missing, and it says so.
///
/// All versions held are answered in a recovery, because only the owner's sheet decides which of
/// them counts. Nothing here is done by a message alone that a thief of an unlocked device of the
/// owner could not wait out: destructive steps take the contest days of the record they touch.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/contact.hpp"
#include "protocol/host.hpp"
#include "recovery/leaf_record.hpp"
#include "recovery/messages.hpp"

namespace kith::recovery {

/// Versions held for one contact, of all records; a further PREPARE is refused.
inline constexpr std::size_t kHeldVersionsMax = 64;

/// Stored: never renumber.
enum class HeldState : std::uint8_t {
  prepared = 1,
  committed = 2,
  retained = 3,  ///< Replaced or retired; releasable until its contest days have run.
};
constexpr bool is_valid(HeldState state) {
  return state >= HeldState::prepared && state <= HeldState::retained;
}
[[nodiscard]] std::string_view held_state_name(HeldState state);

struct HeldVersion {
  LeafRecord record;  ///< Without its share box.
  HeldState state = HeldState::prepared;
  Bytes change_id;
  std::uint64_t order = 0;  ///< Counts up with every PREPARE of this contact.
  Time since{};             ///< When it came into `state`, by this machine's clock.
  Duration kept{};          ///< Retained for so long, as far as ticks saw it pass.
  std::uint32_t releases = 0;
  Bytes head;  ///< Of the last heartbeat; may be empty.
  template <class V>
  void visit(V& v) {
    v("record", record), v("state", state), v("change_id", change_id), v("order", order),
        v("since", since), v("kept", kept), v("releases", releases), v("head", head);
  }
};

/// Terms of a version that was replaced by weaker ones: they bind later versions until its contest
/// days have run, even if the version itself is gone.
struct TermsFloor {
  Terms terms;
  std::uint64_t order = 0;  ///< Binds versions of a higher order.
  Time since{};
  Duration kept{};
  template <class V>
  void visit(V& v) {
    v("terms", terms), v("order", order), v("since", since), v("kept", kept);
  }
};

/// Collection `trusteeship`, by contact id. Exists from the moment the user accepted the offer.
struct Trusteeship {
  std::string contact_id;
  std::vector<std::string> capabilities;  ///< Accepted ones.
  Time accepted{};
  Time last_heartbeat{};
  Time last_tick{};
  std::uint64_t next_order = 0;
  std::vector<HeldVersion> versions;
  std::vector<TermsFloor> floors;
  template <class V>
  void visit(V& v) {
    v("contact_id", contact_id), v("capabilities", capabilities), v("accepted", accepted),
        v("last_heartbeat", last_heartbeat), v("last_tick", last_tick), v("next_order", next_order),
        v("versions", versions), v("floors", floors);
  }
  [[nodiscard]] HeldVersion* find(ByteView record_id, std::uint64_t version);
  [[nodiscard]] bool accepted_share() const;  ///< RECOVERY_SHARE is among the capabilities.
};

[[nodiscard]] std::optional<Trusteeship> find_trusteeship(Host& host, std::string_view contact_id);
void save_trusteeship(Host& host, const Trusteeship& trusteeship);

/// The record with its share, ready for make_answer. Errors: not_found (the share is not on this
/// device).
[[nodiscard]] Result<AcceptedLeaf> held_leaf(Host& host, std::string_view contact_id,
                                             const HeldVersion& version);

/// Terms under which `version` is released now: its own, and for as long as their contest days run
/// those of everything it replaced, whichever protects the owner more.
[[nodiscard]] Terms terms_in_force(const Trusteeship& trusteeship, const HeldVersion& version);

/// PREPARE: checks and keeps the record beside the present ones, and answers with share-prepared,
/// share-busy or share-held (wrong base, or a version that does not go up). A repeat is answered
/// again. Errors: refused (no accepted offer), limit_exceeded, conflict (the same version with
/// other contents), malformed; those of accept_leaf_record.
struct PrepareAnswer {
  std::string_view type;  ///< kName of the answer.
  JsonObject body;
};
[[nodiscard]] Result<PrepareAnswer> prepare_share(Host& host, const Contact& owner,
                                                  const SharePrepare& prepare);
/// COMMIT: the prepared version counts; records of earlier changes become retained. A repeat is Ok.
/// Errors: wrong_state (nothing prepared under that change id), not_found.
[[nodiscard]] Result<void> commit_share(Host& host, const Contact& owner,
                                        const ShareChange& change);
/// Forgets what that change prepared. What is committed stays.
[[nodiscard]] Result<void> abort_share(Host& host, const Contact& owner, const ShareChange& change);
/// Signed by the version's retire key: a version no longer committed is dropped at once. Unsigned:
/// it stays releasable for its contest days, a committed one becomes retained.
/// Errors: bad_signature, wrong_state (signed, but the version is not replaced yet).
[[nodiscard]] Result<void> retire_share(Host& host, const Contact& owner,
                                        const ShareChange& change);
[[nodiscard]] ShareHeld held_by(Host& host, std::string_view contact_id, ByteView change_id);

/// What the retire key signs: change id, record id, version.
[[nodiscard]] Bytes retire_statement(const ShareChange& change);

/// Proof that the share is still here, with the signed time. Errors: not_found, malformed.
[[nodiscard]] Result<HeartbeatResponse> answer_heartbeat(Host& host, const Contact& owner,
                                                         const HeartbeatRequest& request);

/// Lets contest days run: drops retained versions and floors that are over. `hold` keeps versions
/// (a recovery is open). Returns true when something was dropped.
bool age_trusteeship(Host& host, Trusteeship& trusteeship, bool hold);

}  // namespace kith::recovery
