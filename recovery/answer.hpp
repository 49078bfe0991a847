#pragma once

/// The device's request for partial decryptions and a trustee's answer (recovery-protocol
/// section 4). An answer is bound three times: its proofs to the session and its key, its box to
/// the session key, its signature to the trustee.

#include <vector>

#include "crypto/key_ops.hpp"
#include "protocol/record.hpp"
#include "recovery/ids.hpp"
#include "recovery/leaf_record.hpp"

namespace kith::recovery {

/// What a partial-request (messages.hpp) asks, after reading.
struct PartialQuestion {
  SessionId session_id{};
  std::vector<Point> blinded;  ///< 1 to limits::kPartialPointsMax; the capsule's first.
};
/// Reads the message's fields. Errors: malformed (sizes, points, no point), limit_exceeded.
[[nodiscard]] Result<PartialQuestion> read_question(ByteView session_id,
                                                    const std::vector<Bytes>& points);

/// One record version's answer.
struct LeafAnswer {
  RecordId record_id{};
  std::uint64_t version = 0;
  XPath x_path;
  Point share_point;
  std::vector<Point> partials;  ///< P_j = s_i * blinded_j
  std::vector<Bytes> proofs;    ///< DLEQ, crypto::kProofBytes each.
  Salt r{};
  Bytes vouch;
  Bytes head;  ///< kHeadBytes, or empty when no heartbeat brought one.

  template <class V>
  void visit(V& v) {
    v("record_id", record_id), v("version", version), v("x_path", x_path);
    v("share_point", share_point), v("partials", partials), v("proofs", proofs), v("r", r);
    v("vouch", vouch), v("head", head);
  }
};

/// What a partial's proofs cover besides the points: record id, version, session id, and the
/// requester's key, which is the session key.
[[nodiscard]] Bytes partial_statement(const RecordId& record_id, std::uint64_t version,
                                      const SessionId& session_id, const PublicKey& session_key);

/// The trustee's computation; `head` is the last one a heartbeat brought, or empty.
/// Errors: limit_exceeded, malformed (the question), those of KeyOps::partial.
[[nodiscard]] Result<LeafAnswer> make_answer(const AcceptedLeaf& leaf, ByteView head,
                                             const PartialQuestion& question,
                                             const PublicKey& session_key, KeyOps& keys);

/// Versions that one trustee answers in one message: committed, retained and prepared ones of all
/// its leaves.
inline constexpr std::size_t kAnswersPerReplyMax = 32;
inline constexpr std::size_t kAnswerBytesMax = 4096;
inline constexpr std::size_t kAnswersBoxBytesMax = 160 * 1024;

/// All answers of one trustee in one box to the session key. Errors: limit_exceeded, bad_key.
[[nodiscard]] Result<Bytes> seal_answers(const std::vector<LeafAnswer>& answers,
                                         const SessionId& session_id, const PublicKey& session_key,
                                         KeyOps& keys);
/// What the trustee signs about the box, so that a bad answer can be shown to others.
[[nodiscard]] Bytes answers_statement(const SessionId& session_id, const PublicKey& session_key,
                                      ByteView box);
/// The device's side; `session` has purpose session. Each element is one answer as read_answer
/// takes it, not checked yet, so that a malformed one does not hide the others.
/// Errors: limit_exceeded, cannot_decrypt, malformed.
[[nodiscard]] Result<std::vector<Bytes>> open_answers(ByteView box, const SessionId& session_id,
                                                      const SealedKey& session, KeyOps& keys);

[[nodiscard]] Bytes encode_answer(const LeafAnswer& answer);
/// Form only: sizes, counts, canonical points and scalars. Errors: malformed, limit_exceeded.
[[nodiscard]] Result<LeafAnswer> read_answer(ByteView answer);

}  // namespace kith::recovery
