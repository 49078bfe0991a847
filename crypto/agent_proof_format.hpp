#pragma once

/// What proving and verifying share; used by crypto/agent_proof*.cpp only.

#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "crypto/agent_proof.hpp"
#include "crypto/group_sums.hpp"

namespace kith::crypto::agent_proof {

struct Generators {
  Point secret;                                   ///< G_S
  Point policy;                                   ///< G_I
  Point blinding;                                 ///< H
  std::array<Point, kDigitsMax * kRadix> digits;  ///< V, row by row
};
/// Hashed once for the process.
[[nodiscard]] const Generators& generators();
/// U
[[nodiscard]] Point scope_generator(ByteView scope);

/// How many digits a position in a list of this length has; 0 if there is no proof for it.
[[nodiscard]] std::size_t digits_of(std::size_t leaves);

/// A proof's parts in their order; `digits` decides how many.
struct Parts {
  Point rerandomised;             ///< C
  Point pseudonym;                ///< T; default without a scope
  Point mask;                     ///< A: commits to the digits' masks
  Point bits;                     ///< B: commits to the digits
  Point cross;                    ///< C': a*(1 - 2*sigma)
  Point squares;                  ///< D: -a^2
  std::vector<Point> lower;       ///< G_k, one a digit
  Point leaf_nonce;               ///< t1
  Point claim_nonce;              ///< t2
  Point pseudonym_nonce;          ///< t3; default without a scope
  std::vector<Scalar> responses;  ///< f, three a digit (t = 1, 2, 3)
  Scalar mask_response;           ///< zA
  Scalar cross_response;          ///< zC
  Scalar position_response;       ///< z
  Scalar secret_response;         ///< zS
  Scalar policy_response;         ///< zI
  Scalar blinding_response;       ///< zR
  Scalar claim_response;          ///< zRho
};

[[nodiscard]] Bytes encode(const Parts& parts, bool has_scope);
/// Errors: malformed.
[[nodiscard]] Result<Parts> parse(ByteView proof, std::size_t digits, bool has_scope);

/// Everything public before the proof's own points.
[[nodiscard]] Bytes transcript(const Statement& statement);
/// x, over the transcript and all points of the proof. Errors: bad_proof for zero.
[[nodiscard]] Result<Scalar> challenge(ByteView transcript, const Parts& parts, bool has_scope);

}  // namespace kith::crypto::agent_proof
