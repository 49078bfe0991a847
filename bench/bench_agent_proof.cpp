// Proofs about agents, as multiples of one multiplication of a group element by libsodium, timed in
// the same run.
//
//   bench_agent_proof [--short]

#include <cstdio>
#include <string_view>

#include "bench/timing.hpp"
#include "crypto/agent_proof.hpp"

namespace {

using namespace kith;
using namespace kith::crypto::agent_proof;

template <class T>
T must(Result<T> result, const char* what) {
  if (!result.has_value()) bench::give_up(what);
  return std::move(*result);
}

struct Made {
  crypto::SeededRandom random{1, "bench"};
  Statement statement;
  Witness witness;

  explicit Made(std::size_t leaves) {
    witness.agent = {crypto::Scalar::random(random), crypto::Scalar()};
    witness.agent.blinding = crypto::Scalar::random(random);
    witness.policy = random.bytes(kPolicyBytes);
    witness.claim_blinding = crypto::Scalar::random(random);
    for (std::size_t i = 0; i < leaves; ++i) statement.leaves.push_back(dead_leaf(i));
    const auto commitment = must(commit(witness.agent), "a commitment");
    statement.leaves[leaves / 3] = must(leaf(commitment, witness.policy), "a leaf");
    statement.claim = must(claim(witness.policy, witness.claim_blinding), "a claim");
    statement.scope = crypto::to_bytes("did:example:verifier");
  }
};

void run(std::size_t leaves, std::size_t pairs) {
  Made made(leaves);
  const auto scalar = crypto::Scalar::random(made.random);
  const bench::Work multiply = [&] { must(made.statement.claim.times(scalar), "a product"); };
  Bytes proof;
  const bench::Work proving = [&] {
    proof = must(prove(made.statement, made.witness, made.random.bytes(kFreshBytes)), "a proof");
  };
  const bench::Work verifying = [&] { must(verify(made.statement, proof), "the check"); };
  const auto prove_time = bench::timed(pairs, {multiply, 50}, {proving, 1});
  const auto verify_time = bench::timed(pairs, {multiply, 50}, {verifying, 1});
  std::printf(
      "N = %4zu: proof %zu bytes, prove %.0f multiplications (%.1f ms), verify %.0f (%.1f ms)\n",
      leaves, proof.size(), prove_time.ratio, prove_time.time_us / 1000, verify_time.ratio,
      verify_time.time_us / 1000);
}

}  // namespace

int main(int count, char** words) {
  const bool is_short = count > 1 && std::string_view(words[1]) == "--short";
  for (const std::size_t leaves : {64U, 256U, 1024U}) run(leaves, is_short ? 1 : 11);
}
