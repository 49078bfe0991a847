#include "ledger/merkle.hpp"

#include <bit>

#include "crypto/assert.hpp"

namespace kith::ledger {
namespace {

// RFC 9162 section 2.1.1: a leaf can never be taken for a node.
constexpr std::array<std::uint8_t, 1> kLeafPrefix{0x00};
constexpr std::array<std::uint8_t, 1> kNodePrefix{0x01};

/// Leaves [begin, end), not empty.
struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  [[nodiscard]] std::uint64_t size() const { return end - begin; }
  /// Where RFC 9162 divides it: the largest power of two below its size, from its begin.
  [[nodiscard]] std::uint64_t middle() const { return begin + std::bit_floor(size() - 1); }
};

/// Ranges begin at a multiple of the power of two that their size reaches, because trees are
/// divided only at middle(): one whose size is a power of two is a complete node.
Result<Digest256> range_hash(const Range& range, const MerkleReader& read) {
  if (std::has_single_bit(range.size())) {
    const auto level = static_cast<std::uint32_t>(std::countr_zero(range.size()));
    return read(MerkleNode{level, range.begin >> level});
  }
  TRY(const Digest256 left, range_hash({range.begin, range.middle()}, read));
  TRY(const Digest256 right, range_hash({range.middle(), range.end}, read));
  return merkle_parent(left, right);
}

/// The way from a node up to the root, past its siblings, as RFC 9162 goes it in both verifiers.
class Climb {
 public:
  Climb(std::uint64_t node, std::uint64_t last) : node_(node), last_(last) {}

  [[nodiscard]] bool at_root() const { return last_ == 0; }
  [[nodiscard]] bool is_right_child() const { return (node_ & 1) != 0; }
  void go_up() {
    node_ >>= 1;
    last_ >>= 1;
  }
  /// Goes up past the next sibling. True: that is on the left.
  [[nodiscard]] bool pass_sibling() {
    const bool on_left = is_right_child() || node_ == last_;
    if (on_left) {
      // The right edge has nodes with one child: they are not nodes of the tree.
      while (!is_right_child() && node_ != 0) go_up();
    }
    go_up();
    return on_left;
  }

 private:
  std::uint64_t node_;
  std::uint64_t last_;  ///< The rightmost node of the same level.
};

/// Adds the hash of `range` to a proof that is collected from the root downwards.
Result<void> add(MerkleProof& proof, const Range& range, const MerkleReader& read) {
  TRY(const Digest256 hash, range_hash(range, read));
  proof.push_back(hash);
  return {};
}

}  // namespace

Digest256 merkle_leaf_hash(ByteView leaf) {
  return crypto::Sha256().update(kLeafPrefix).update(leaf).finish();
}

Digest256 merkle_parent(const Digest256& left, const Digest256& right) {
  return crypto::Sha256().update(kNodePrefix).update(left).update(right).finish();
}

Result<std::vector<MerkleNodeHash>> merkle_append(std::uint64_t size, const Digest256& leaf,
                                                  const MerkleReader& read) {
  std::vector<MerkleNodeHash> complete{{{0, size}, leaf}};
  // Every right child that is complete makes its parent complete.
  while ((complete.back().node.index & 1) != 0) {
    const auto [node, hash] = complete.back();
    TRY(const Digest256 left, read(MerkleNode{node.level, node.index - 1}));
    complete.push_back({{node.level + 1, node.index >> 1}, merkle_parent(left, hash)});
  }
  return complete;
}

Result<Digest256> merkle_root(std::uint64_t size, const MerkleReader& read) {
  if (size == 0) return crypto::sha256({});
  return range_hash({0, size}, read);
}

Result<MerkleProof> inclusion_proof(std::uint64_t index, std::uint64_t size,
                                    const MerkleReader& read) {
  if (index >= size) return fail(Errc::not_found, "the tree has fewer leaves");
  MerkleProof proof;
  Range range{0, size};
  while (range.size() > 1) {
    const Range left{range.begin, range.middle()};
    const Range right{range.middle(), range.end};
    const bool is_left = index < range.middle();
    CHECK(add(proof, is_left ? right : left, read));
    range = is_left ? left : right;
  }
  return MerkleProof(proof.rbegin(), proof.rend());
}

Result<MerkleProof> consistency_proof(std::uint64_t old_size, std::uint64_t size,
                                      const MerkleReader& read) {
  if (old_size > size) return fail(Errc::not_found, "the tree has fewer leaves");
  if (old_size == 0 || old_size == size) return MerkleProof{};
  MerkleProof proof;
  Range range{0, size};
  bool is_old_root = true;  // Whose hash the verifier knows already.
  while (range.end != old_size) {
    const Range left{range.begin, range.middle()};
    const Range right{range.middle(), range.end};
    const bool ends_left = old_size <= range.middle();
    CHECK(add(proof, ends_left ? right : left, read));
    range = ends_left ? left : right;
    is_old_root = is_old_root && ends_left;
  }
  if (!is_old_root) CHECK(add(proof, range, read));
  return MerkleProof(proof.rbegin(), proof.rend());
}

bool proves_inclusion(std::span<const Digest256> proof, const Digest256& leaf, std::uint64_t index,
                      std::uint64_t size, const Digest256& root) {
  if (index >= size) return false;
  Climb climb(index, size - 1);
  Digest256 hash = leaf;
  for (const Digest256& sibling : proof) {
    if (climb.at_root()) return false;  // Longer than the tree is high.
    hash = climb.pass_sibling() ? merkle_parent(sibling, hash) : merkle_parent(hash, sibling);
  }
  return climb.at_root() && hash == root;
}

bool proves_consistency(std::span<const Digest256> proof, std::uint64_t old_size,
                        const Digest256& old_root, std::uint64_t size, const Digest256& root) {
  if (old_size > size) return false;
  if (old_size == size) return proof.empty() && old_root == root;
  if (old_size == 0) return proof.empty() && old_root == crypto::sha256({});
  // An old tree that is one complete node is not told again in the proof.
  const bool old_is_node = std::has_single_bit(old_size);
  if (!old_is_node && proof.empty()) return false;
  Digest256 old_hash = old_is_node ? old_root : proof.front();
  Digest256 hash = old_hash;
  Climb climb(old_size - 1, size - 1);
  while (climb.is_right_child()) climb.go_up();
  for (const Digest256& sibling : proof.subspan(old_is_node ? 0 : 1)) {
    if (climb.at_root()) return false;
    if (climb.pass_sibling()) {
      old_hash = merkle_parent(sibling, old_hash);
      hash = merkle_parent(sibling, hash);
    } else {
      hash = merkle_parent(hash, sibling);
    }
  }
  return climb.at_root() && old_hash == old_root && hash == root;
}

}  // namespace kith::ledger
