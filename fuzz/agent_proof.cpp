// Proofs about agents and of registrations: what anybody may hand to a verifier or a ledger. The
// first byte says which: 0 a proof, 1 one with a pseudonym, else a registration.

#include "crypto/agent_proof_format.hpp"
#include "fuzz/agent_world.hpp"
#include "fuzz/target.hpp"

namespace kith::fuzz {
namespace {

using namespace crypto::agent_proof;

Verdict registration(const AgentWorld& world, ByteView proof) {
  const auto verified = verify_registration(world.commitment, world.registration, proof);
  hold(verify_registration(crypto::Point::base(), world.registration, proof).has_error(),
       "no proof is about a point that nobody registered");
  return verified ? Verdict::accepted : Verdict::refused;
}

}  // namespace

Verdict agent_proof(ByteView input) {
  if (input.empty()) return Verdict::refused;
  static const AgentWorld world;
  const ByteView proof = input.subspan(1);
  if (input[0] > 1) return registration(world, proof);
  const bool has_scope = input[0] == 1;
  const Statement& statement = has_scope ? world.scoped : world.plain;
  const auto verified = verify(statement, proof);
  if (proof.size() != proof_bytes(statement.leaves.size(), has_scope)) {
    hold(verified.has_error(), "a proof has one size");
    return Verdict::refused;
  }
  const auto parts = parse(proof, digits_of(statement.leaves.size()), has_scope);
  hold(parts.has_value() || verified.has_error(), "what holds can be read");
  if (!parts) return Verdict::refused;
  const std::string said = written(crypto::hex(encode(*parts, has_scope)));
  hold(must(crypto::from_hex(said), "hexadecimal") == crypto::to_bytes(proof),
       "a proof has one encoding");
  return verified ? Verdict::accepted : Verdict::refused;
}

}  // namespace kith::fuzz
