#pragma once

/// "Genuine?": whether a fresh device may believe the identity that it just opened (recovery-
/// protocol section 4). It knows nothing, so it believes nobody alone. A pure decision over what
/// the trustees' vouches opened to and what the policy logs show.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/time.hpp"
#include "recovery/terms.hpp"

namespace kith::recovery {

/// One contacted trustee; several sessions with one person count once.
struct TrusteeView {
  enum class State : std::uint8_t { silent, refused, answered };
  State state = State::silent;
  /// Answered: every policy address that any of its versions' vouches opened to.
  std::vector<std::string> vouches;
};

/// One policy log, followed through the vouch's ledger descriptors or the log part.
struct LogView {
  std::string policy_address;
  bool read = false;  ///< The log was reached and is valid.
  enum class Anchor : std::uint8_t { absent, at_head, replaced };
  Anchor anchor = Anchor::absent;  ///< Of the set that was opened.
  Duration replaced_ago{};         ///< For replaced: log time since then.
  Duration contest{};              ///< The log's contest period.
  /// The backup's signer is authorized in an effective state since that anchor.
  bool signer_authorized = false;
  /// Or named in a pending recover or rotate of this log.
  bool signer_pending = false;
};

struct GenuineInput {
  std::vector<TrusteeView> trustees;
  std::vector<LogView> logs;
  Duration since_first_contact{};
  TestMode mode = TestMode::off;
  bool user_accepts_few = false;  ///< The user confirmed to go on with fewer than three vouchers.
  std::optional<std::string> chosen;  ///< Policy address that the user chose by its words.
  std::optional<std::string> shown;   ///< Policy address whose counts and words were shown.
};

/// Below this many vouchers the device first waits.
inline constexpr std::size_t kVouchersEnough = 3;
inline constexpr std::chrono::hours kFewVouchersWait{24};

using RecognitionWords = std::array<std::string, 4>;

struct Candidate {
  std::string policy_address;
  RecognitionWords words;
  std::size_t vouching = 0;
  std::size_t contradicting = 0;
  friend bool operator==(const Candidate&, const Candidate&) = default;
};

enum class GenuineStep : std::uint8_t {
  finish,    ///< `candidates` has the one.
  show,      ///< Show counts and words of the one candidate, then ask again with `shown`.
  ask_user,  ///< Several candidates stand: the user chooses by their words.
  wait,      ///< `reason` says for what.
};

enum class WaitReason : std::uint8_t {
  none,
  no_vouch,          ///< No trustee's vouch has opened.
  log_not_read,      ///< The candidate's policy log has not been reached.
  anchor_not_found,  ///< The log does not hold this set, or replaced it too long ago.
  signer_unknown,    ///< The log does not authorize the backup's signer.
  outvoted,          ///< As many trustees contradict as vouch, or more.
  few_vouchers,      ///< Fewer than three: others may still answer, or the user confirms.
};
/// A plain sentence with the next step.
[[nodiscard]] std::string_view wait_text(WaitReason reason);

struct GenuineDecision {
  GenuineStep step = GenuineStep::wait;
  WaitReason reason = WaitReason::none;
  /// Those that stand (all checks hold); for outvoted and failed logs, those that do not.
  std::vector<Candidate> candidates;
};

[[nodiscard]] GenuineDecision judge_genuine(const GenuineInput& input);

}  // namespace kith::recovery
