#pragma once

/// Proof that an agent is one of many authorized ones, without saying which (docs/agent-proof.md
/// has the statement, the argument and the vectors). Everybody sees the list of leaves, one for
/// each agent that may prove, and dead points in slots that nobody holds:
///
///   leaf         L = K + iota*G_I, where K = S*G_S + r*H is what the agent registered
///   claim        C_I = iota*G_I + rho*H, which the verifier has: the same hidden policy
///   pseudonym    T = S*U, only where the statement has a scope; U is hashed from it
///   proof        knowledge of l, S, iota, r, rho with leaf l = S*G_S + iota*G_I + r*H, C_I, T
///
/// Generators are hashed, so nobody knows a relation between them. Proofs are bound to all of the
/// statement; their size depends on the length of the list and on whether there is a scope. The
/// prover's steps depend on neither the position nor any secret.
///
/// Not post-quantum: a discrete logarithm between generators would forge proofs; who proved would
/// stay hidden all the same.
///
/// Pure functions; thread-safe. What is asserted is the caller's; what others send is a Result.

#include <cstdint>
#include <vector>

#include "crypto/bytes.hpp"
#include "crypto/hash.hpp"
#include "crypto/result.hpp"
#include "crypto/ristretto.hpp"

namespace kith::crypto::agent_proof {

/// Positions are numbers of base 4, of one to five digits: 4, 16, 64, 256 or 1024 leaves.
inline constexpr std::size_t kRadix = 4;
inline constexpr std::size_t kDigitsMax = 5;
inline constexpr std::size_t kPolicyBytes = 32;
inline constexpr std::size_t kFreshBytes = 32;
inline constexpr std::size_t kRegistrationProofBytes = 96;

/// What an agent keeps: the opening of its commitment. Secret.
struct AgentSecret {
  Scalar secret;    ///< S; whoever has it can prove, and make the agent's pseudonyms.
  Scalar blinding;  ///< r
};

/// K. Errors: bad_key when it is the identity.
[[nodiscard]] Result<Point> commit(const AgentSecret& agent);
/// iota of a policy, whose id has kPolicyBytes (asserted). Public, and so never in a pseudonym.
[[nodiscard]] Scalar policy_scalar(ByteView policy);
/// L = K + iota*G_I; whoever keeps the list computes it. Errors: bad_key when it is the identity.
[[nodiscard]] Result<Point> leaf(const Point& commitment, ByteView policy);
/// What fills a slot that nobody holds: a point that nobody can open.
[[nodiscard]] Point dead_leaf(std::uint64_t slot);
/// C_I = iota*G_I + rho*H. Errors: bad_key when it is the identity.
[[nodiscard]] Result<Point> claim(ByteView policy, const Scalar& claim_blinding);

/// What a registration is bound to.
struct Registration {
  Bytes origin;  ///< The ledger's id.
  Bytes policy;  ///< kPolicyBytes (asserted).
  Bytes agent_key;
  std::uint64_t policy_sequence = 0;
};

/// Knowledge of S and r with K = S*G_S + r*H, and of nothing else in K. Without it a stranger could
/// register S*G_S + (iota_victim - iota_own)*G_I + r*H, and his leaf would open to the victim's
/// policy. `fresh` has kFreshBytes (asserted). Errors: bad_key (K is the identity).
[[nodiscard]] Result<Bytes> prove_registration(const AgentSecret& agent,
                                               const Registration& registration, ByteView fresh);
/// Errors: malformed (size, scalars not below L), bad_proof.
[[nodiscard]] Result<void> verify_registration(const Point& commitment,
                                               const Registration& registration, ByteView proof);

/// All that a verifier knows. A proof holds for this alone, to the byte.
struct Statement {
  Bytes origin;  ///< The ledger's id.
  std::uint64_t epoch = 0;
  Digest256 epoch_root{};
  std::uint32_t bucket = 0;
  std::vector<Point> leaves;  ///< 4, 16, 64, 256 or 1024.
  Point claim;                ///< C_I
  Bytes scope;                ///< Empty: no pseudonym.
  /// Who asks whom, the verifier's nonce, what is said with it: deterministic bytes of the
  /// caller's.
  Bytes context;
};

/// What the prover knows. Secret.
struct Witness {
  AgentSecret agent;
  Bytes policy;           ///< kPolicyBytes (asserted).
  Scalar claim_blinding;  ///< rho
};

/// Of a list of that length. Asserts that there is a proof for it.
[[nodiscard]] std::size_t proof_bytes(std::size_t leaves, bool has_scope);

/// `fresh` has kFreshBytes (asserted); the nonces are hashed from it, the witness and the
/// statement, so that a generator that repeats itself never makes two different proofs share a
/// nonce. Errors: malformed (length of the list), not_found (the agent is not in the list), bad_key
/// (the claim is another policy's).
[[nodiscard]] Result<Bytes> prove(const Statement& statement, const Witness& witness,
                                  ByteView fresh);

/// The pseudonym T where the statement has a scope, else the default point. Errors: malformed
/// (length of the list, size, anything that is not in its one encoding), bad_proof.
[[nodiscard]] Result<Point> verify(const Statement& statement, ByteView proof);

}  // namespace kith::crypto::agent_proof
