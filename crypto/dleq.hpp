#pragma once

/// Proofs about shares (recovery-protocol sections 4 and 5), made non-interactive by Fiat-Shamir:
///
///   DLEQ (Chaum-Pedersen): log_G(S) = log_E(P), so the partial P was made with the share of S.
///   Schnorr: the prover knows log_G(S), the heartbeat's proof.
///
/// A proof is challenge || response, 64 bytes. The challenge covers the kind of proof, the caller's
/// statement, all points and commitments. The nonce is hashed from the share, 32 fresh bytes and
/// everything the challenge covers before the commitments, so a generator that repeats itself never
/// makes two different proofs share a nonce.
///
/// Pure functions; thread-safe; constant time in the share. `statement` is what the caller binds
/// the proof to, already free of ambiguity (section 4: label, record id, version, session id, key).

#include <cstddef>

#include "crypto/bytes.hpp"
#include "crypto/result.hpp"
#include "crypto/ristretto.hpp"

namespace kith::crypto {

inline constexpr std::size_t kProofBytes = 64;
inline constexpr std::size_t kProofFreshBytes = 32;

/// The public points of a DLEQ proof.
struct DleqPoints {
  Point share_point;  ///< S = s*G
  Point blinded;      ///< E, from the requester
  Point partial;      ///< P = s*E
};

/// `fresh` has kProofFreshBytes (asserted). Errors: bad_key for a zero share.
[[nodiscard]] Result<Bytes> prove_dleq(const Scalar& share, const DleqPoints& points,
                                       ByteView statement, ByteView fresh);
/// Errors: malformed (size, scalars not below L), bad_proof.
[[nodiscard]] Result<void> verify_dleq(const DleqPoints& points, ByteView statement,
                                       ByteView proof);

/// `fresh` has kProofFreshBytes (asserted). Errors: bad_key for a zero share.
[[nodiscard]] Result<Bytes> prove_schnorr(const Scalar& share, const Point& share_point,
                                          ByteView statement, ByteView fresh);
/// Errors: malformed (size, scalars not below L), bad_proof.
[[nodiscard]] Result<void> verify_schnorr(const Point& share_point, ByteView statement,
                                          ByteView proof);

}  // namespace kith::crypto
