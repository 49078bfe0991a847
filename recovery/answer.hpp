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

/// Body of recovery/1.0/partial-request.
struct PartialRequest {
  SessionId session_id{};
  std::vector<Point> blinded;  ///< 1 to limits::kPartialPointsMax; the capsule's first.

  template <class V>
  void visit(V& v) {
    v("session_id", session_id), v("blinded", blinded);
  }
};
/// Errors: malformed (no point), limit_exceeded.
[[nodiscard]] Result<void> check_request(const PartialRequest& request);

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
/// Errors: those of check_request and KeyOps::partial.
[[nodiscard]] Result<LeafAnswer> make_answer(const AcceptedLeaf& leaf, ByteView head,
                                             const PartialRequest& request,
                                             const PublicKey& session_key, KeyOps& keys);

/// An answer with the trustee's signature over it and its session: evidence that stays good.
struct SignedAnswer {
  Bytes answer;     ///< LeafAnswer as a record.
  Bytes signature;  ///< 64 bytes.

  template <class V>
  void visit(V& v) {
    v("answer", answer), v("signature", signature);
  }
};
/// What the trustee signs: session id, session key, answer.
[[nodiscard]] Bytes answer_statement(const SessionId& session_id, const PublicKey& session_key,
                                     ByteView answer);

inline constexpr std::size_t kAnswerBoxBytesMax = 8192;

/// Signed with `trustee_key` and boxed to the session key.
[[nodiscard]] Result<Bytes> seal_answer(const LeafAnswer& answer, const SessionId& session_id,
                                        const PublicKey& session_key, const SealedKey& trustee_key,
                                        KeyOps& keys);
/// The device's side: opens the box and checks the signature. What the answer says is not checked
/// yet: read_answer. `session` has purpose session.
/// Errors: limit_exceeded, cannot_decrypt, malformed, bad_signature.
[[nodiscard]] Result<SignedAnswer> open_answer(ByteView box, const SessionId& session_id,
                                               const PublicKey& session_key,
                                               const SealedKey& session, const PublicKey& trustee,
                                               KeyOps& keys);
/// Form only: sizes, counts, canonical points and scalars. Errors: malformed, limit_exceeded.
[[nodiscard]] Result<LeafAnswer> read_answer(ByteView answer);

}  // namespace kith::recovery
