#pragma once

/// The owner's side of a super-quorum: chosen people each hold a key for each of the owner's logs;
/// enough of them together recover an identity that others have captured, even if those others have
/// the ordinary recovery authority (log-protocol section 4). Setting one up (using it:
/// super_use.hpp):
///
///   offering --confirm--> setting --ledger shows it--> in-force
///       ^------------------ rotation given up --/
///
/// offering  each person is asked, and answers with keys or a no
/// setting   rec.hi of both logs is set by one rotation (rotation.hpp), which posts nothing before
/// a
///           backup that holds its keys and this record was stored and read back
/// in-force  every holder is told what rec.hi hashes, again and again until it has looked it up on
///           the ledger and confirmed
///
/// The two logs have keys and salts of their own: nothing on the ledger says that they belong
/// together, nor how many holders there are. A later set-up replaces the one in force; the older
/// one stays known, for what is older than the entry that replaced it is still recovered by it.
///
/// Record recovery-record/super; travels in backups.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/module.hpp"
#include "recovery/super_messages.hpp"

namespace kith::recovery {

/// Stored: never renumber.
enum class SuperStep : std::uint8_t { offering = 1, setting = 2, in_force = 3 };
constexpr bool is_valid(SuperStep step) {
  return step >= SuperStep::offering && step <= SuperStep::in_force;
}
[[nodiscard]] std::string_view step_name(SuperStep step);

/// Stored: never renumber.
enum class HolderStep : std::uint8_t { offered = 1, declined = 2, agreed = 3, confirmed = 4 };
constexpr bool is_valid(HolderStep step) {
  return step >= HolderStep::offered && step <= HolderStep::confirmed;
}
[[nodiscard]] std::string_view step_name(HolderStep step);

struct SuperHolder {
  std::string contact_id;
  std::string offer_id;
  HolderStep step = HolderStep::offered;
  std::string reason;  ///< When declined.
  std::vector<SuperKey> keys;
  template <class V>
  void visit(V& v) {
    v("contact_id", contact_id), v("offer_id", offer_id), v("step", step), v("reason", reason);
    v("keys", keys);
  }
  [[nodiscard]] std::string key_of(std::string_view log) const;  ///< "" where there is none.
};

struct SuperSet {
  SuperStep step = SuperStep::offering;
  std::uint32_t threshold = 0;
  std::vector<SuperHolder> holders;
  std::string text;
  std::vector<SuperOpening> openings;  ///< From `setting` on.
  std::string problem;
  std::uint32_t looks = 0;
  Time created{};
  template <class V>
  void visit(V& v) {
    v("step", step), v("threshold", threshold), v("holders", holders), v("text", text);
    v("openings", openings), v("problem", problem), v("looks", looks), v("created", created);
  }
  [[nodiscard]] const SuperOpening* opening_of(std::string_view log) const;
};

/// Oldest first. The last one may be in the making, all others were in force once.
[[nodiscard]] std::vector<SuperSet> super_sets(Host& host);
/// "none", "setting-up", "in-force" (the newest entry of both logs names it), "used-up" (they name
/// none any more).
[[nodiscard]] std::string super_state(Host& host);

/// {threshold, holders: [contact], text?} -> as describe_super.
[[nodiscard]] Result<JsonObject> begin_super(Host& host, const JsonObject& args);
/// {without?: [contact]}: with those who agreed; every other one must be named. Needs step-up.
[[nodiscard]] Result<JsonObject> confirm_super(Host& host, const Command& command);
/// Ends a set-up that is not in force.
[[nodiscard]] Result<JsonObject> cancel_super(Host& host);
[[nodiscard]] JsonObject describe_super(Host& host);

/// Whether this answer to an offer is to one of a super-quorum.
[[nodiscard]] bool answers_super_offer(Host& host, const Inbound& inbound);
[[nodiscard]] Result<void> on_super_answer(Host& host, const Inbound& inbound);
[[nodiscard]] Result<void> on_super_confirmed(Host& host, const Inbound& inbound);

inline constexpr std::string_view kSuperOwnerTimer = "owner";
/// Goes on with what can go on, and says again what was not answered.
void super_owner_looks(Host& host);

}  // namespace kith::recovery
