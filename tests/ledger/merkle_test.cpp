#include "ledger/merkle.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <map>
#include <string>

#include "crypto/bytes.hpp"

namespace kith::ledger {
namespace {

constexpr std::uint64_t kLeaves = 70;  // Beyond a power of two on both sides.

/// Leaves and the nodes that were complete when each was appended.
class Tree {
 public:
  explicit Tree(const std::vector<Bytes>& leaves) {
    for (const Bytes& leaf : leaves) append(leaf);
  }
  void append(const Bytes& leaf) {
    const auto complete = merkle_append(leaves_.size(), merkle_leaf_hash(leaf), reader());
    ASSERT_TRUE(complete.has_value());
    for (const auto& [node, hash] : *complete) {
      EXPECT_TRUE(nodes_.emplace(node, hash).second) << "a node was written twice";
    }
    leaves_.push_back(leaf);
  }
  [[nodiscard]] MerkleReader reader() const {
    return [this](const MerkleNode& node) -> Result<Digest256> {
      const auto found = nodes_.find(node);
      if (found == nodes_.end()) return crypto::fail(Errc::storage_corrupt, "not a complete node");
      return found->second;
    };
  }
  [[nodiscard]] Digest256 root(std::uint64_t size) const {
    return merkle_root(size, reader()).value();
  }
  [[nodiscard]] Digest256 leaf(std::uint64_t index) const {
    return merkle_leaf_hash(leaves_[index]);
  }
  [[nodiscard]] const std::map<MerkleNode, Digest256>& nodes() const { return nodes_; }

 private:
  std::vector<Bytes> leaves_;
  std::map<MerkleNode, Digest256> nodes_;
};

std::vector<Bytes> numbered_leaves(std::uint64_t count) {
  std::vector<Bytes> leaves;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string text = "leaf " + std::to_string(i);
    leaves.emplace_back(text.begin(), text.end());
  }
  return leaves;
}

/// MTH(D[n]) word for word.
Digest256 root_by_definition(std::span<const Bytes> leaves) {
  if (leaves.empty()) return crypto::sha256({});
  if (leaves.size() == 1) return merkle_leaf_hash(leaves.front());
  std::size_t k = 1;
  while (k * 2 < leaves.size()) k *= 2;
  return merkle_parent(root_by_definition(leaves.first(k)), root_by_definition(leaves.subspan(k)));
}

/// Every small change of a proof: one hash flipped, one missing, one more, neighbours swapped.
std::vector<MerkleProof> spoiled(const MerkleProof& proof) {
  std::vector<MerkleProof> all;
  for (std::size_t i = 0; i < proof.size(); ++i) {
    MerkleProof flipped = proof;
    flipped[i][i % 32] ^= 1;
    all.push_back(flipped);
    MerkleProof shorter = proof;
    shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(i));
    all.push_back(shorter);
    if (i > 0 && proof[i] != proof[i - 1]) {
      MerkleProof swapped = proof;
      std::swap(swapped[i], swapped[i - 1]);
      all.push_back(swapped);
    }
  }
  MerkleProof longer = proof;
  longer.emplace_back();
  all.push_back(longer);
  all.emplace_back(66, Digest256{});
  return all;
}

// The tree that implementations of Certificate Transparency test with.
TEST(Merkle, GivesTheKnownRoots) {
  std::vector<Bytes> leaves;
  for (const char* hex : {"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                          "606162636465666768696a6b6c6d6e6f"}) {
    leaves.push_back(crypto::from_hex(hex).value());
  }
  const Tree tree(leaves);
  const std::array<const char*, 9> roots{
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
      "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
      "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
      "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
      "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  for (std::size_t size = 0; size < roots.size(); ++size) {
    EXPECT_EQ(crypto::hex(tree.root(size)), roots[size]) << size;
  }
}

TEST(Merkle, RootsOfEverySizeFollowTheDefinition) {
  const auto leaves = numbered_leaves(kLeaves);
  const Tree tree(leaves);
  for (std::uint64_t size = 0; size <= kLeaves; ++size) {
    EXPECT_EQ(tree.root(size), root_by_definition(std::span(leaves).first(size))) << size;
  }
}

TEST(Merkle, StoresEachCompleteNodeOnceAndNoOther) {
  const Tree tree(numbered_leaves(kLeaves));
  std::size_t expected = 0;
  for (std::uint64_t width = 1; width <= kLeaves; width *= 2) expected += kLeaves / width;
  EXPECT_EQ(tree.nodes().size(), expected);
}

TEST(Merkle, EveryInclusionProofHoldsAndNoSpoiledOne) {
  const Tree tree(numbered_leaves(kLeaves));
  for (std::uint64_t size = 1; size <= kLeaves; ++size) {
    const Digest256 root = tree.root(size);
    for (std::uint64_t index = 0; index < size; ++index) {
      const MerkleProof proof = inclusion_proof(index, size, tree.reader()).value();
      const Digest256 leaf = tree.leaf(index);
      ASSERT_TRUE(proves_inclusion(proof, leaf, index, size, root)) << index << " of " << size;
      for (const MerkleProof& bad : spoiled(proof)) {
        ASSERT_FALSE(proves_inclusion(bad, leaf, index, size, root)) << index << " of " << size;
      }
      ASSERT_FALSE(proves_inclusion(proof, leaf, size, size, root));
      ASSERT_FALSE(proves_inclusion(proof, merkle_leaf_hash({}), index, size, root));
      ASSERT_FALSE(proves_inclusion(proof, leaf, index, size, tree.root(size - 1)));
      for (std::uint64_t other = 0; other < size; ++other) {
        if (other == index) continue;
        ASSERT_FALSE(proves_inclusion(proof, leaf, other, size, root)) << other << " of " << size;
      }
    }
  }
}

TEST(Merkle, EveryConsistencyProofHoldsAndNoSpoiledOne) {
  const Tree tree(numbered_leaves(kLeaves));
  for (std::uint64_t size = 0; size <= kLeaves; ++size) {
    const Digest256 root = tree.root(size);
    for (std::uint64_t old = 0; old <= size; ++old) {
      const MerkleProof proof = consistency_proof(old, size, tree.reader()).value();
      const Digest256 before = tree.root(old);
      ASSERT_TRUE(proves_consistency(proof, old, before, size, root)) << old << " to " << size;
      for (const MerkleProof& bad : spoiled(proof)) {
        ASSERT_FALSE(proves_consistency(bad, old, before, size, root)) << old << " to " << size;
      }
      Digest256 rewritten = before;
      rewritten[0] ^= 1;
      ASSERT_FALSE(proves_consistency(proof, old, rewritten, size, root));
      if (old == 0) continue;  // Everything begins with nothing.
      Digest256 forked = root;
      forked[31] ^= 1;
      ASSERT_FALSE(proves_consistency(proof, old, before, size, forked));
      if (size > old) {
        ASSERT_FALSE(proves_consistency(proof, size, root, old, before));
      }
    }
  }
}

TEST(Merkle, RefusesWhatTheTreeDoesNotHave) {
  const Tree tree(numbered_leaves(5));
  EXPECT_EQ(inclusion_proof(5, 5, tree.reader()).error().code, Errc::not_found);
  EXPECT_EQ(inclusion_proof(0, 0, tree.reader()).error().code, Errc::not_found);
  EXPECT_EQ(consistency_proof(6, 5, tree.reader()).error().code, Errc::not_found);
  // A store that lost nodes is told, not computed around.
  EXPECT_EQ(merkle_root(6, tree.reader()).error().code, Errc::storage_corrupt);
}

TEST(Merkle, VerifiersTakeTheLargestSizes) {
  constexpr std::uint64_t kLargest = ~std::uint64_t{0};
  const MerkleProof proof(64, Digest256{});
  EXPECT_FALSE(proves_inclusion(proof, {}, kLargest - 1, kLargest, {}));
  EXPECT_FALSE(proves_consistency(proof, kLargest - 1, {}, kLargest, {}));
  EXPECT_FALSE(proves_consistency({}, kLargest - 1, {}, kLargest, {}));
  EXPECT_TRUE(proves_consistency({}, kLargest, {}, kLargest, {}));
}

// Two leaves cannot pass for the node above them: the prefixes differ.
TEST(Merkle, ANodeIsNoLeaf) {
  const Tree tree(numbered_leaves(2));
  const Digest256 left = tree.leaf(0);
  const Digest256 right = tree.leaf(1);
  Bytes both(left.begin(), left.end());
  both.insert(both.end(), right.begin(), right.end());
  EXPECT_NE(merkle_leaf_hash(both), tree.root(2));
}

}  // namespace
}  // namespace kith::ledger
