#include "crypto/agent_proof.hpp"

#include "tests/constant_time/cases.hpp"
#include "tests/constant_time/marks.hpp"

namespace kith::test {

using namespace crypto;

/// The position is secret because it is found by what only the prover can open.
void prove_agent() {
  SecretRandom random("agent");
  agent_proof::Witness witness;
  for (Scalar* each : {&witness.agent.secret, &witness.agent.blinding, &witness.claim_blinding}) {
    *each = Scalar::random_nonzero(random);
    ASSERT(depends_on_secrets(each->bytes()));
  }
  witness.policy = Bytes(agent_proof::kPolicyBytes, 7);
  const auto commitment = agent_proof::commit(witness.agent);
  const auto claim = agent_proof::claim(witness.policy, witness.claim_blinding);
  ASSERT(commitment && claim && depends_on_secrets(commitment->bytes()));
  hand_out(commitment->bytes());
  hand_out(claim->bytes());

  agent_proof::Statement statement;
  for (std::uint64_t slot = 0; slot < 4; ++slot) {
    statement.leaves.push_back(agent_proof::dead_leaf(slot));
  }
  const auto leaf = agent_proof::leaf(*commitment, witness.policy);
  ASSERT(leaf);
  statement.leaves[2] = *leaf;
  statement.claim = *claim;
  statement.scope = Bytes(8, 1);
  const auto proof = agent_proof::prove(statement, witness, random.bytes(agent_proof::kFreshBytes));
  ASSERT(proof && depends_on_secrets(*proof));
  hand_out(*proof);
  ASSERT(agent_proof::verify(statement, *proof));

  const agent_proof::Registration registration{Bytes(3), witness.policy, Bytes(32), 1};
  const auto registered = agent_proof::prove_registration(witness.agent, registration,
                                                          random.bytes(agent_proof::kFreshBytes));
  ASSERT(registered && depends_on_secrets(*registered));
  hand_out(*registered);
  ASSERT(agent_proof::verify_registration(*commitment, registration, *registered));
}

}  // namespace kith::test
