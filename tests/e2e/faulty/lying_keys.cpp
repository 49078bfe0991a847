#include "tests/e2e/faulty/lying_keys.hpp"

#include <algorithm>

#include "crypto/dleq.hpp"
#include "protocol/record.hpp"
#include "recovery/answer.hpp"

namespace kith::e2e {
namespace {

/// What a box of answers holds (recovery/answer.cpp).
struct AnswerList {
  std::vector<Bytes> answers;
  template <class V>
  void visit(V& v) {
    v("answers", answers);
  }
};

/// Boxes of answers have the associated data labelled("answer-box", session id).
bool is_answer_box(ByteView ad) {
  const Bytes sample = recovery::labelled("answer-box", {recovery::SessionId{}});
  const std::size_t prefix = sample.size() - recovery::SessionId{}.size();
  return ad.size() == sample.size() &&
         std::equal(ad.begin(), ad.begin() + static_cast<std::ptrdiff_t>(prefix), sample.begin());
}

}  // namespace

Result<Fault> parse_fault(std::string_view text) {
  if (text == "bad-proof") return Fault::bad_proof;
  if (text == "unknown-leaf") return Fault::unknown_leaf;
  if (text == "malformed") return Fault::malformed;
  return fail(Errc::usage, "KITH_FAULT is bad-proof, unknown-leaf or malformed");
}

LyingKeys::LyingKeys(KeyOps& honest, Random& random, Fault fault)
    : honest_(honest), random_(random), fault_(fault), invented_(Scalar::random_nonzero(random)) {}

Result<crypto::PartialAnswer> LyingKeys::partial(const SealedShare& share,
                                                 const std::vector<Point>& blinded,
                                                 ByteView statement) {
  if (fault_ != Fault::unknown_leaf) return honest_.partial(share, blinded, statement);
  crypto::PartialAnswer answer;
  TRY(const Point share_point, Point::base_times(invented_));
  for (const Point& point : blinded) {
    TRY(const Point partial, point.times(invented_));
    const Bytes fresh = random_.bytes(crypto::kProofFreshBytes);
    TRY(Bytes proof,
        crypto::prove_dleq(invented_, {share_point, point, partial}, statement, fresh));
    answer.partials.push_back(partial);
    answer.proofs.push_back(std::move(proof));
  }
  return answer;
}

Result<Bytes> LyingKeys::seal_to(const PublicKey& recipient, ByteView ad, ByteView plaintext) {
  if (!is_answer_box(ad)) return honest_.seal_to(recipient, ad, plaintext);
  TRY(AnswerList list, protocol::decode_record<AnswerList>(plaintext));
  for (Bytes& bytes : list.answers) {
    if (fault_ == Fault::malformed) {
      bytes = crypto::to_bytes(std::string_view("no answer"));
      continue;
    }
    TRY(recovery::LeafAnswer answer, recovery::read_answer(bytes));
    if (fault_ == Fault::unknown_leaf) {
      TRY(answer.share_point, Point::base_times(invented_));
    } else {
      for (Point& partial : answer.partials) {
        TRY(partial, partial.plus(Point::base()));
      }
    }
    bytes = recovery::encode_answer(answer);
  }
  return honest_.seal_to(recipient, ad, protocol::encode_record(list));
}

}  // namespace kith::e2e
