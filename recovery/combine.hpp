#pragma once

/// The device's side of opening a set (recovery-protocol section 4): from all answers collected so
/// far to Y and e*Y, or to what is missing. Pure; called again whenever an answer arrives.
///
/// On a sheet, no thresholds are needed: a node's children that are on the sheet are all right, so
/// interpolating through all of them gives the node once there are enough, and the sheet says when.
///
/// Bounds. On-sheet work is one interpolation for each node. Where the sheet does not help (answers
/// off every sheet; a paper leaf with a mistyped path; a sheet with planted slots), subsets are
/// tried in order of how many leaves they leave out, at most Collected::trials_max of them
/// altogether: 1024 cover every subset of ten leaves, and every pair left out of forty.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/key.hpp"
#include "crypto/sealed_backup.hpp"
#include "crypto/secret_point.hpp"
#include "recovery/answer.hpp"
#include "recovery/sheet.hpp"

namespace kith::recovery {

/// What is to be opened: cores of containers (E, core_salt, ycheck).
using Targets = std::vector<crypto::ContainerCore>;

/// Secret of one session: what hides the points asked about from the trustee.
struct Blinding {
  std::vector<Scalar> factors;  ///< b_j, nonzero.
  std::vector<Point> blinded;   ///< b_j * E_j: the request.

  template <class V>
  void visit(V& v) {
    v("factors", factors), v("blinded", blinded);
  }
};
/// For one session; never the same for two. Errors: malformed (no target), limit_exceeded.
[[nodiscard]] Result<Blinding> blind(const Targets& targets, Random& random);

/// One answer that arrived, in the order of arrival.
struct CollectedAnswer {
  std::size_t session = 0;  ///< Index into Collected::sessions.
  Bytes answer;             ///< As open_answers gave it.
};
struct CollectedSession {
  SessionId session_id{};
  PublicKey session_key;
  Blinding blinding;
};
/// A share that the user has in hand: paper, archive or classic mode.
struct ShareInHand {
  XPath x_path;
  Scalar share;  ///< Secret.
  /// Set for a trustee's share (classic): found on the sheet as a leaf; otherwise as paper.
  std::optional<RecordId> record_id;
  std::uint64_t version = 0;
};
/// A record the device knows to exist: from the recovery record inside an opened backup.
struct KnownRecord {
  RecordId record_id{};
  std::uint64_t version = 0;
};

struct Collected {
  Targets targets;            ///< All under one Y; the first decides which Y is right.
  std::vector<Sheet> sheets;  ///< Newest first, if known; may be empty.
  std::vector<CollectedSession> sessions;
  std::vector<CollectedAnswer> answers;
  std::vector<ShareInHand> shares;
  /// Empty until a backup was opened; then `combine` can tell stale answers from invented ones.
  std::vector<KnownRecord> known;
  std::uint32_t trials_max = 1024;
};

/// What became of one answer.
enum class AnswerStatus : std::uint8_t {
  counted,    ///< Right, and on the sheet that opened (or belongs to a node that could not).
  repeated,   ///< The same leaf again: harmless.
  off_sheet,  ///< The proof holds, but no sheet knows it.
  tried,      ///< Off every sheet, and part of what opened.
  bad_proof,
  malformed,
};

enum class BlameReason : std::uint8_t { bad_proof, unknown_leaf, malformed };
struct Blame {
  std::size_t answer = 0;  ///< Index into Collected::answers.
  BlameReason reason = BlameReason::bad_proof;
  friend bool operator==(const Blame&, const Blame&) = default;
};

struct Opened {
  SecretPoint recovery_key;                        ///< Y
  std::vector<std::optional<SecretPoint>> points;  ///< e_j*Y for target j; nullopt: another Y.
  std::optional<std::size_t> sheet;                ///< That led there; nullopt: off every sheet.
};

struct Combined {
  std::optional<Opened> opened;
  std::vector<AnswerStatus> status;  ///< One for each answer.
  /// Leaves that stand in groups that are complete, and in groups that are not yet. The sheet hides
  /// how many are needed.
  std::size_t leaves_counted = 0;
  std::size_t groups_incomplete = 0;
  /// There are answers with good proofs, and no sheet knows any: ask another location for its
  /// sheet.
  bool sheet_suspect = false;
  /// Only after success, and only if a sheet led to it.
  std::vector<Blame> blame;
  /// Sessions whose answers are proven but stale: their trustees count as offline.
  std::vector<std::size_t> offline;
  /// Answers that can be judged only with `known`: neither blamed nor offline yet.
  std::vector<std::size_t> undecided;
};

/// Errors: malformed (no target), limit_exceeded (more than kCollectedAnswersMax answers).
[[nodiscard]] Result<Combined> combine(const Collected& collected);

/// 64 leaves, in three versions each, and as much again from others.
inline constexpr std::size_t kCollectedAnswersMax = 384;

}  // namespace kith::recovery
