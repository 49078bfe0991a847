#pragma once

/// The tree over a ledger's leaves (RFC 9162 section 2.1, with SHA-256): its root commits to every
/// leaf and their order, so that a host can prove that an entry is there and that a later tree only
/// adds to an earlier one.
///
/// Nodes that cover 2^level leaves, all there, never change again: these are stored as leaves are
/// appended, and every root and proof of every size is made of them. A node at the right edge of a
/// tree, which covers fewer, is computed.
///
/// Pure. Proofs list hashes from the leaves upwards, as RFC 9162 does; a valid one has 65 at most,
/// and a verifier given more stops there.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "crypto/hash.hpp"
#include "crypto/result.hpp"

namespace kith::ledger {

using crypto::Digest256;

/// Covers leaves [index << level, (index + 1) << level).
struct MerkleNode {
  std::uint32_t level = 0;
  std::uint64_t index = 0;
  friend auto operator<=>(const MerkleNode&, const MerkleNode&) = default;
};
struct MerkleNodeHash {
  MerkleNode node;
  Digest256 hash{};
};
/// Reads a complete node. Asked only for nodes inside the size that the caller named. Errors: of
/// the storage behind it; they end the computation.
using MerkleReader = std::function<Result<Digest256>(const MerkleNode&)>;
using MerkleProof = std::vector<Digest256>;

[[nodiscard]] Digest256 merkle_leaf_hash(ByteView leaf);
[[nodiscard]] Digest256 merkle_parent(const Digest256& left, const Digest256& right);

/// The nodes that become complete when leaf number `size` is appended to a tree of `size` leaves:
/// the leaf itself first, then upwards. Errors: of `read`.
[[nodiscard]] Result<std::vector<MerkleNodeHash>> merkle_append(std::uint64_t size,
                                                                const Digest256& leaf,
                                                                const MerkleReader& read);
/// Of the first `size` leaves; of none: the hash of nothing. Errors: of `read`.
[[nodiscard]] Result<Digest256> merkle_root(std::uint64_t size, const MerkleReader& read);

/// That leaf `index` is in the tree of `size`. Errors: not_found (index >= size), of `read`.
[[nodiscard]] Result<MerkleProof> inclusion_proof(std::uint64_t index, std::uint64_t size,
                                                  const MerkleReader& read);
/// That the tree of `size` begins with that of `old_size`. Empty where both are the same and where
/// the old one is empty. Errors: not_found (old_size > size), of `read`.
[[nodiscard]] Result<MerkleProof> consistency_proof(std::uint64_t old_size, std::uint64_t size,
                                                    const MerkleReader& read);

/// RFC 9162 section 2.1.3.2.
[[nodiscard]] bool proves_inclusion(std::span<const Digest256> proof, const Digest256& leaf,
                                    std::uint64_t index, std::uint64_t size, const Digest256& root);
/// RFC 9162 section 2.1.4.2; an empty old tree is the beginning of every tree, its root is checked.
[[nodiscard]] bool proves_consistency(std::span<const Digest256> proof, std::uint64_t old_size,
                                      const Digest256& old_root, std::uint64_t size,
                                      const Digest256& root);

}  // namespace kith::ledger
