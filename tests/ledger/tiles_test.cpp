// The ledger as files that never change (C2SP tlog-tiles).

#include "ledger/remote/tiles.hpp"

#include <gtest/gtest.h>

#include "ledger/append_rules.hpp"
#include "ledger/memory_ledger.hpp"
#include "ledger/remote/service.hpp"
#include "tests/support/ledger_kit.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

using ledger::Digest256;
using ledger::LedgerService;
using ledger::Tile;

constexpr std::uint64_t kTileTestSize = 259;  ///< A full tile, and three more.

class TilesTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    ledger_ = std::make_unique<ledger::MemoryLedger>(ledger_descriptor(), true);
    for (std::uint64_t i = 0; i < kTileTestSize; ++i) {
      LogLab lab(ledger::Kind::did, {}, i + 1);
      lab.start();
      must(ledger_->append({lab.subject, lab.blobs[0].blob, ""}, lab.time));
    }
  }
  static void TearDownTestSuite() { ledger_.reset(); }

  ledger::HttpReply get(const std::string& path) {
    return service_.handle({"GET", "/ledger/" + path, ""}, {});
  }
  std::vector<Digest256> hashes(const std::string& path) {
    const std::string body = get(path).body;
    std::vector<Digest256> found(body.size() / 32);
    for (std::size_t i = 0; i < found.size(); ++i) {
      std::copy_n(crypto::as_bytes(body).begin() + static_cast<std::ptrdiff_t>(32 * i), 32,
                  found[i].begin());
    }
    return found;
  }
  /// The leaves in an entry bundle, by the format alone.
  static std::vector<std::string> leaves_in(const std::string& body) {
    std::vector<std::string> found;
    for (std::size_t at = 0; at + 2 <= body.size();) {
      const auto high = static_cast<unsigned char>(body[at]);
      const auto low = static_cast<unsigned char>(body[at + 1]);
      const std::size_t size = std::size_t{high} * 256 + low;
      found.push_back(body.substr(at + 2, size));
      at += 2 + size;
    }
    return found;
  }

  inline static std::unique_ptr<ledger::MemoryLedger> ledger_;
  LedgerService service_{*ledger_, ledger_signer()};
};

TEST_F(TilesTest, HoldTheWholeTreeAndItsLeaves) {
  std::vector<Digest256> level0 = hashes("tile/0/000");
  ASSERT_EQ(level0.size(), 256U);
  for (const Digest256& hash : hashes("tile/0/001.p/3")) level0.push_back(hash);
  ASSERT_EQ(level0.size(), kTileTestSize);
  std::vector<std::string> leaves = leaves_in(get("tile/entries/000").body);
  for (std::string& leaf : leaves_in(get("tile/entries/001.p/3").body)) {
    leaves.push_back(std::move(leaf));
  }
  ASSERT_EQ(leaves.size(), kTileTestSize);
  // From the tiles alone comes the root that the ledger signs.
  std::map<ledger::MerkleNode, Digest256> nodes;
  const ledger::MerkleReader read = [&](const ledger::MerkleNode& node) {
    return Result<Digest256>(nodes.at(node));
  };
  for (std::uint64_t i = 0; i < kTileTestSize; ++i) {
    EXPECT_EQ(level0[i], ledger::merkle_leaf_hash(crypto::as_bytes(leaves[i]))) << i;
    for (const auto& node : must(ledger::merkle_append(i, level0[i], read))) {
      nodes[node.node] = node.hash;
    }
  }
  const auto signed_root =
      must(ledger::open_checkpoint(get("checkpoint").body, ledger_descriptor())).checkpoint;
  EXPECT_EQ(signed_root.size, kTileTestSize);
  EXPECT_EQ(must(ledger::merkle_root(kTileTestSize, read)), signed_root.root);
  const auto level1 = hashes("tile/1/000.p/1");
  ASSERT_EQ(level1.size(), 1U);
  EXPECT_EQ(level1[0], nodes.at({8, 0}));
  EXPECT_EQ(must(ledger::parse_leaf(leaves[258])).subject,
            must(ledger_->follow(258, 1)).entries[0].subject);
}

TEST_F(TilesTest, SayThatTheyNeverChange) {
  const auto full = get("tile/0/000");
  EXPECT_EQ(full.status, 200);
  EXPECT_EQ(full.content_type, "application/octet-stream");
  EXPECT_TRUE(full.final);
  // Shorter ones that were right once stay.
  EXPECT_EQ(get("tile/0/000.p/7").body, full.body.substr(0, 32 * 7));
  EXPECT_FALSE(get("checkpoint").final);
  EXPECT_FALSE(get("tile/0/002").final);
}

TEST_F(TilesTest, AreNotGivenBeyondTheLedgerOrInOtherSpellings) {
  for (const char* path : {"tile/0/001",
                           "tile/0/001.p/4",
                           "tile/1/000",
                           "tile/1/000.p/2",
                           "tile/2/000.p/1",
                           "tile/entries/001",
                           "tile/entries/002.p/1",
                           "tile/0/x001/000.p/1",
                           "tile/0/0",
                           "tile/0/00",
                           "tile/0/0000",
                           "tile/00/000",
                           "tile/0/000.p/0",
                           "tile/0/000.p/256",
                           "tile/0/000.p/07",
                           "tile/0/x000/000",
                           "tile/6/000.p/1",
                           "tile/-1/000",
                           "tile/x/000",
                           "tile/0/000/",
                           "tile/0/",
                           "tile/0",
                           "tile/",
                           "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
                           "tile/entries/000.p/",
                           "tile/0/000.p/1/"}) {
    EXPECT_EQ(get(path).status, 404) << path;
  }
  EXPECT_EQ(get("tile/0/000?x=1").status, 400);
}

TEST(TilePath, IsWrittenAsTheSpecificationShows) {
  EXPECT_EQ(ledger::tile_path({false, 0, 1234067, 256}), "tile/0/x001/x234/067");
  EXPECT_EQ(ledger::tile_path({true, 0, 0, 112}), "tile/entries/000.p/112");
  for (const Tile& tile : {Tile{false, 5, 0, 1}, Tile{false, 1, 999, 256}, Tile{true, 0, 1000, 255},
                           Tile{false, 0, 123456789, 256}}) {
    EXPECT_EQ(must(ledger::parse_tile_path(ledger::tile_path(tile))), tile);
  }
}

}  // namespace
}  // namespace kith::test
