#include "recovery/answer.hpp"

#include <algorithm>

#include "crypto/dleq.hpp"
#include "crypto/limits.hpp"
#include "recovery/vouch.hpp"

namespace kith::recovery {
namespace {

Bytes key_bytes(const PublicKey& key) {
  Bytes bytes{static_cast<std::uint8_t>(key.type)};
  crypto::append(bytes, key.bytes);
  return bytes;
}

/// Binds a box to its session, so that one opened elsewhere is refused.
Bytes box_ad(const SessionId& session_id) {
  return labelled("answer-box", {session_id});
}

Result<void> check_count(std::size_t points) {
  if (points == 0) return fail(Errc::malformed, "partial request: no point");
  if (points > limits::kPartialPointsMax) {
    return fail(Errc::limit_exceeded, "partial request: more than four points");
  }
  return {};
}

/// What the box holds.
struct AnswerList {
  std::vector<Bytes> answers;

  template <class V>
  void visit(V& v) {
    v("answers", answers);
  }
};

}  // namespace

Result<PartialQuestion> read_question(ByteView session_id, const std::vector<Bytes>& points) {
  PartialQuestion question;
  if (session_id.size() != question.session_id.size()) {
    return fail(Errc::malformed, "partial request: session id");
  }
  std::copy(session_id.begin(), session_id.end(), question.session_id.begin());
  CHECK(check_count(points.size()));
  for (const Bytes& point : points) {
    TRY(const Point parsed, Point::parse(point));
    question.blinded.push_back(parsed);
  }
  return question;
}

Bytes partial_statement(const RecordId& record_id, std::uint64_t version,
                        const SessionId& session_id, const PublicKey& session_key) {
  return labelled("partial", {record_id, u64_bytes(version), session_id, key_bytes(session_key)});
}

Result<LeafAnswer> make_answer(const AcceptedLeaf& leaf, ByteView head,
                               const PartialQuestion& question, const PublicKey& session_key,
                               KeyOps& keys) {
  CHECK(check_count(question.blinded.size()));
  const LeafRecord& record = leaf.record;
  const Bytes statement =
      partial_statement(record.record_id, record.version, question.session_id, session_key);
  TRY(crypto::PartialAnswer partial, keys.partial(leaf.share, question.blinded, statement));
  LeafAnswer answer;
  answer.record_id = record.record_id;
  answer.version = record.version;
  answer.x_path = record.x_path;
  answer.share_point = record.share_point;
  answer.partials = std::move(partial.partials);
  answer.proofs = std::move(partial.proofs);
  answer.r = record.r;
  answer.vouch = record.vouch;
  answer.head = crypto::to_bytes(head);
  return answer;
}

Bytes encode_answer(const LeafAnswer& answer) {
  return protocol::encode_record(answer);
}

Result<Bytes> seal_answers(const std::vector<LeafAnswer>& answers, const SessionId& session_id,
                           const PublicKey& session_key, KeyOps& keys) {
  if (answers.size() > kAnswersPerReplyMax) {
    return fail(Errc::limit_exceeded, "more than 32 answers at once");
  }
  AnswerList list;
  for (const LeafAnswer& answer : answers) list.answers.push_back(encode_answer(answer));
  return keys.seal_to(session_key, box_ad(session_id), protocol::encode_record(list));
}

Bytes answers_statement(const SessionId& session_id, const PublicKey& session_key, ByteView box) {
  return labelled("answers", {session_id, key_bytes(session_key), box});
}

Result<std::vector<Bytes>> open_answers(ByteView box, const SessionId& session_id,
                                        const SealedKey& session, KeyOps& keys) {
  if (box.size() > kAnswersBoxBytesMax) return fail(Errc::limit_exceeded, "answers: too large");
  TRY(const Bytes opened, keys.open_box(session, box_ad(session_id), box));
  TRY(AnswerList list, protocol::decode_record<AnswerList>(opened));
  if (list.answers.size() > kAnswersPerReplyMax) {
    return fail(Errc::limit_exceeded, "more than 32 answers at once");
  }
  return std::move(list.answers);
}

Result<LeafAnswer> read_answer(ByteView bytes) {
  if (bytes.size() > kAnswerBytesMax) return fail(Errc::limit_exceeded, "answer: too large");
  TRY(LeafAnswer answer, protocol::decode_record<LeafAnswer>(bytes));
  CHECK(check_leaf_path(answer.x_path));
  if (answer.version == 0 || answer.version > kVersionMax) {
    return fail(Errc::malformed, "answer: version");
  }
  // A field that was left out is a default-made point, which is none.
  CHECK(Point::parse(answer.share_point.bytes()));
  if (answer.partials.empty() || answer.partials.size() > limits::kPartialPointsMax ||
      answer.partials.size() != answer.proofs.size()) {
    return fail(Errc::malformed, "answer: number of partials or proofs");
  }
  for (const Bytes& proof : answer.proofs) {
    if (proof.size() != crypto::kProofBytes) return fail(Errc::malformed, "answer: proof size");
  }
  if (answer.vouch.size() != limits::kVouchBytes) {
    return fail(Errc::malformed, "answer: vouch size");
  }
  if (!answer.head.empty() && answer.head.size() != kHeadBytes) {
    return fail(Errc::malformed, "answer: head size");
  }
  return answer;
}

}  // namespace kith::recovery
