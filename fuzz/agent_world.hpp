#pragma once

/// The same agent, list and statements in every run, so that the proofs in the corpus hold.

#include "crypto/agent_proof.hpp"
#include "crypto/assert.hpp"
#include "crypto/random.hpp"

namespace kith::fuzz {

struct AgentWorld {
  crypto::SeededRandom random{1, "agent proofs"};
  crypto::agent_proof::Witness witness;
  crypto::Point commitment;
  crypto::agent_proof::Registration registration;
  crypto::agent_proof::Statement plain;
  crypto::agent_proof::Statement scoped;

  AgentWorld() {
    using namespace crypto;
    witness.agent.secret = Scalar::random_nonzero(random);
    witness.agent.blinding = Scalar::random_nonzero(random);
    witness.policy = random.bytes(agent_proof::kPolicyBytes);
    witness.claim_blinding = Scalar::random_nonzero(random);
    const auto committed = agent_proof::commit(witness.agent);
    ASSERT(committed.has_value());
    commitment = *committed;
    registration = {to_bytes("ledger"), witness.policy, Bytes(32, 1), 1};
    for (std::uint64_t slot = 0; slot < agent_proof::kRadix; ++slot) {
      plain.leaves.push_back(agent_proof::dead_leaf(slot));
    }
    const auto leaf = agent_proof::leaf(commitment, witness.policy);
    const auto claim = agent_proof::claim(witness.policy, witness.claim_blinding);
    ASSERT(leaf.has_value() && claim.has_value());
    plain.leaves[2] = *leaf;
    plain.origin = to_bytes("ledger");
    plain.claim = *claim;
    plain.context = to_bytes("nonce");
    scoped = plain;
    scoped.scope = to_bytes("verifier");
  }
};

}  // namespace kith::fuzz
