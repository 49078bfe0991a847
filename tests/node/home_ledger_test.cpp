// The ledger of a home is found where the home is, under each address that it ever had.

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>

#include "crypto/software_keys.hpp"
#include "node/runtime/ledgers.hpp"
#include "protocol/record.hpp"
#include "tests/support/log_lab.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/temp_directory.hpp"

namespace kith::node {
namespace {

using test::must;

/// As earlier versions kept it.
struct EarlierHost {
  std::string url;
  std::string origin;
  PublicKey key;
  SealedKey sealed_key;
  template <class V>
  void visit(V& v) {
    v("url", url), v("origin", origin), v("key", key), v("sealed_key", sealed_key);
  }
};

class HomeLedgerTest : public ::testing::Test {
 protected:
  HomeLedgerTest() { std::filesystem::create_directory(directory_.path("old")); }
  std::unique_ptr<HomeLedger> ledger_of(const std::string& home) {
    return std::make_unique<HomeLedger>(directory_.path(home) + "/ledger", store_, keys_, random_,
                                        true);
  }
  /// A home with one entry in its ledger at `url` that is moved then.
  std::string moved_home(std::string url = {}) {
    const auto ledger = ledger_of("old");
    if (url.empty()) url = ledger->default_url();
    test::LogLab lab(ledger::Kind::did, {}, 7);
    lab.start(true);
    must(must(ledger->open(url))->append({lab.subject, lab.blobs[0].blob, ""}, lab.time));
    std::filesystem::rename(directory_.path("old"), directory_.path("new"));
    return url;
  }

  test::TempDirectory directory_;
  test::MemoryStore store_;
  crypto::SeededRandom random_{1, "home-ledger"};
  crypto::SoftwareKeys keys_{random_.secret(32), random_};
};

TEST_F(HomeLedgerTest, MovesWithItsHome) {
  const std::string old_url = moved_home();
  const auto after = ledger_of("new");
  EXPECT_EQ(must(after->made_url()), after->default_url());
  EXPECT_EQ(must(after->open(old_url))->size(), 1U);
  EXPECT_EQ(must(after->open(after->default_url())), must(after->open(old_url)));
  EXPECT_FALSE(std::filesystem::exists(directory_.path("old"))) << "nothing is made there";
  EXPECT_EQ(after->open("leveldb:" + directory_.path("other")).error(), Errc::refused);
}

TEST_F(HomeLedgerTest, OneOfAnEarlierVersionIsFoundAfterItsHomeWasMoved) {
  const std::string old_url = moved_home();
  const protocol::RecordKey key{"meta", "ledger-host"};
  const auto record = must(protocol::decode_record<EarlierHost>(*must(store_.get(key))));
  must(store_.commit({{key, protocol::encode_record(record)}}));
  const auto after = ledger_of("new");
  EXPECT_EQ(must(after->open(old_url))->size(), 1U);
  EXPECT_EQ(must(after->made_url()), after->default_url()) << "it is said from now on";
}

TEST_F(HomeLedgerTest, OneThatLiesElsewhereStaysThere) {
  const std::string elsewhere = moved_home("leveldb:" + directory_.path("elsewhere"));
  const auto after = ledger_of("new");
  EXPECT_EQ(must(after->made_url()), elsewhere);
  EXPECT_EQ(after->open(after->default_url()).error(), Errc::refused);
  EXPECT_EQ(must(after->open(elsewhere))->size(), 1U);
}

}  // namespace
}  // namespace kith::node
