#include "node/storage/home_erase.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/temp_directory.hpp"

namespace kith::node {
namespace {

namespace fs = std::filesystem;
using test::TempDirectory;

constexpr std::string_view kCanary = "canary-of-a-key";

class HomeEraseTest : public ::testing::Test {
 protected:
  void make() {
    crypto::SeededRandom random(5, "erase");
    auto made = Keystore::make(nullptr, crypto::new_passphrase_parameters(random), random);
    ASSERT_TRUE(made.has_value());
    auto home = Home::create(path_, made->keystore);
    ASSERT_TRUE(home.has_value()) << home.error().detail;
    ASSERT_TRUE(home->finish_create().has_value());
    ASSERT_TRUE(home->finish_first_steps().has_value());
    fs::create_directory(path_ + "/db");
    fs::create_directory(path_ + "/ledger");
    write("db/000003.log");
    write("db/LOCK");
    write("ledger/CURRENT");
    write("ca.pem");
    write("kith.toml");
    fs::create_directory(path_ + "/policy");
    write("policy/club.toml");
  }
  void write(const std::string& name) {
    std::ofstream(path_ + "/" + name, std::ios::binary) << kCanary << std::string(100'000, 'x');
  }
  static std::string content(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  Result<Erased> erase(const EraseStep& step = nullptr) {
    auto home = Home::take_to_erase(path_);
    if (home.has_error()) return home.error();
    return erase_home(*home, step);
  }

  TempDirectory directory_;
  std::string path_ = directory_.path("home");
};

TEST_F(HomeEraseTest, LeavesNothing) {
  make();
  const auto erased = erase();
  ASSERT_TRUE(erased.has_value()) << erased.error().detail;
  EXPECT_TRUE(erased->left.empty());
  EXPECT_FALSE(fs::exists(path_));
  EXPECT_EQ(erase().error().code, Errc::home_missing);
}

/// A second name of a file shows what became of its content.
TEST_F(HomeEraseTest, WritesOverBeforeItRemoves) {
  make();
  const std::string keystore = content(path_ + "/keystore");
  const std::string kept_keystore = directory_.path("keystore-by-another-name");
  const std::string kept_log = directory_.path("log-by-another-name");
  fs::create_hard_link(path_ + "/keystore", kept_keystore);
  fs::create_hard_link(path_ + "/db/000003.log", kept_log);
  ASSERT_TRUE(erase().has_value());
  const std::string after = content(kept_keystore);
  EXPECT_EQ(after.size(), keystore.size());
  EXPECT_EQ(after.find(keystore.substr(keystore.size() - 32)), std::string::npos);
  const std::string log = content(kept_log);
  EXPECT_EQ(log.size(), kCanary.size() + 100'000);
  EXPECT_EQ(log.find(kCanary), std::string::npos);
  EXPECT_EQ(log.find(std::string(64, 'x')), std::string::npos) << "to its end";
}

TEST_F(HomeEraseTest, IsFinishedByTheNextTryWhereverItWasCutOff) {
  std::size_t last = 0;
  for (std::size_t steps = 0;; ++steps) {
    make();
    std::size_t done = 0;
    const auto cut = erase([&] { return done++ < steps; });
    last = steps;
    if (cut.has_value()) break;
    ASSERT_EQ(cut.error().code, Errc::timeout);
    // Nothing opens it any more, and the keystore goes before everything else.
    EXPECT_TRUE(Home::open(path_).has_error()) << steps;
    EXPECT_TRUE(Home::create(path_).has_error() || !fs::exists(path_ + "/db")) << steps;
    if (!fs::exists(path_ + "/ca.pem") || !fs::exists(path_ + "/db/LOCK")) {
      EXPECT_FALSE(fs::exists(path_ + "/keystore")) << steps;
    }
    ASSERT_TRUE(erase().has_value()) << steps;
    ASSERT_FALSE(fs::exists(path_)) << steps;
  }
  EXPECT_GT(last, 15U);
}

TEST_F(HomeEraseTest, LeavesWhatItDidNotMake) {
  make();
  write("letter.txt");
  const std::string outside = directory_.path("outside");
  std::ofstream(outside) << kCanary;
  fs::create_symlink(outside, path_ + "/db/link");
  fs::create_directory_symlink(directory_.path(""), path_ + "/ledger-copy");
  const auto erased = erase();
  ASSERT_TRUE(erased.has_value()) << erased.error().detail;
  EXPECT_EQ(erased->left, std::vector<std::string>{"letter.txt"});
  EXPECT_EQ(content(outside), kCanary) << "links are removed, not followed";
  EXPECT_TRUE(fs::exists(path_ + "/letter.txt"));
  EXPECT_EQ(std::distance(fs::directory_iterator(path_), {}), 1);
}

TEST_F(HomeEraseTest, DoesNotTouchAHomeInUse) {
  make();
  const auto user = Home::open(path_);
  ASSERT_TRUE(user.has_value());
  EXPECT_EQ(erase().error().code, Errc::home_locked);
  EXPECT_TRUE(fs::exists(path_ + "/keystore"));
}

TEST_F(HomeEraseTest, AMovedHomeOpensForNobody) {
  make();
  {
    const auto home = Home::open(path_);
    ASSERT_TRUE(home.has_value());
    ASSERT_TRUE(home->mark_moved().has_value());
  }
  EXPECT_TRUE(Home::was_moved(path_));
  const auto opened = Home::open(path_);
  ASSERT_TRUE(opened.has_error());
  EXPECT_EQ(opened.error().code, Errc::wrong_state);
  EXPECT_NE(opened.error().detail.find("moved"), std::string::npos);
  ASSERT_TRUE(Home::unmark_moved(path_).has_value());
  EXPECT_TRUE(Home::open(path_).has_value());
}

}  // namespace
}  // namespace kith::node
