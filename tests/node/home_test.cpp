#include "node/storage/home.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "crypto/limits.hpp"
#include "tests/support/temp_directory.hpp"

namespace kith::node {
namespace {

using test::TempDirectory;

SecretBytes secret(std::string_view text) {
  return SecretBytes::copy_of(crypto::as_bytes(text));
}

class HomeTest : public ::testing::Test {
 protected:
  HomeTest() : random_(5, "home") {}

  crypto::PassphraseParameters cheap() {
    auto parameters = crypto::new_passphrase_parameters(random_);
    parameters.memory_bytes = limits::kArgonMemoryBytesMin;
    parameters.ops = limits::kArgonOpsMin;
    return parameters;
  }
  void make() {
    auto made = Keystore::make(nullptr, cheap(), random_);
    ASSERT_TRUE(made.has_value());
    auto home = Home::create(path_, made->keystore);
    ASSERT_TRUE(home.has_value()) << home.error().detail;
    ASSERT_FALSE(Home::exists(path_));  // Until it is finished.
    ASSERT_TRUE(home->finish_create().has_value());
  }
  Errc open_error() {
    auto home = Home::open(path_);
    EXPECT_FALSE(home.has_value());
    return home.has_value() ? Errc::usage : home.error().code;
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(path_ + "/" + name, std::ios::trunc | std::ios::binary) << text;
  }

  TempDirectory directory_;
  std::string path_ = directory_.path("home");
  crypto::SeededRandom random_;
};

TEST_F(HomeTest, IsClosedToOthersAndOpensAgain) {
  make();
  EXPECT_TRUE(Home::open(path_).has_value());
  for (const char* name : {"", "/format", "/lock", "/keystore"}) {
    struct stat info {};
    ASSERT_EQ(::lstat((path_ + name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & (S_IRWXG | S_IRWXO), 0U) << name;
  }
}

TEST_F(HomeTest, KnowsUntilTheEndThatItWasOnlyBegun) {
  EXPECT_FALSE(Home::has_first_steps_left(path_));  // There is none.
  make();
  EXPECT_TRUE(Home::has_first_steps_left(path_));
  auto home = Home::open(path_);
  ASSERT_TRUE(home.has_value());
  EXPECT_TRUE(Home::has_first_steps_left(path_));
  ASSERT_TRUE(home->finish_first_steps().has_value());
  EXPECT_FALSE(Home::has_first_steps_left(path_));
  EXPECT_TRUE(home->finish_first_steps().has_value());
  EXPECT_TRUE(Home::exists(path_));
}

TEST_F(HomeTest, NamesTheProcessThatHoldsIt) {
  make();
  const auto first = Home::open(path_);
  ASSERT_TRUE(first.has_value());
  const auto second = Home::open(path_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::home_locked);
  EXPECT_NE(second.error().detail.find(std::to_string(::getpid())), std::string::npos);
}

TEST_F(HomeTest, RefusesANewerFormatAndChangesNothing) {
  make();
  write("format", std::to_string(Home::kFormat + 1) + "\n");
  const auto before = std::filesystem::last_write_time(path_ + "/keystore");
  EXPECT_EQ(open_error(), Errc::home_newer);
  EXPECT_EQ(std::filesystem::last_write_time(path_ + "/keystore"), before);
  write("format", std::to_string(Home::kFormat) + "\n");
  EXPECT_TRUE(Home::open(path_).has_value());
}

/// Two steps to format 3, of which the second fails as often as it is told to.
class MigratedHomeTest : public HomeTest {
 protected:
  std::vector<Migration> steps() {
    return {[this](const std::string&) -> Result<void> {
              done_.emplace_back("first");
              return {};
            },
            [this](const std::string& directory) -> Result<void> {
              done_.emplace_back("second");
              if (failures_ > 0) {
                --failures_;
                return fail(Errc::storage_full, directory);
              }
              return {};
            }};
  }
  void make_first() {
    make();
    write("format", "1\n");
  }
  std::string format() {
    std::ifstream in(path_ + "/format");
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::vector<std::string> done_;
  int failures_ = 0;
};

TEST_F(MigratedHomeTest, GoesOnWithTheStepThatDidNotEnd) {
  make_first();
  failures_ = 2;
  EXPECT_EQ(Home::open(path_, steps()).error(), Errc::storage_full);
  EXPECT_EQ(format(), "2\n");
  EXPECT_EQ(Home::open(path_, steps()).error(), Errc::storage_full);
  EXPECT_TRUE(Home::open(path_, steps()).has_value());
  EXPECT_EQ(format(), "3\n");
  EXPECT_TRUE(Home::open(path_, steps()).has_value());
  EXPECT_EQ(done_, (std::vector<std::string>{"first", "second", "second", "second"}));
}

TEST_F(MigratedHomeTest, IsRefusedByTheVersionBefore) {
  make_first();
  EXPECT_TRUE(Home::open(path_, steps()).has_value());
  EXPECT_EQ(open_error(), Errc::home_newer);
  EXPECT_EQ(format(), "3\n");
}

/// A home that another process holds is not touched, and one that it brought further is refused.
TEST_F(MigratedHomeTest, IsBroughtUpToDateByOneProcessAlone) {
  make_first();
  const auto holder = Home::open(path_);
  ASSERT_TRUE(holder.has_value());
  EXPECT_EQ(Home::open(path_, steps()).error(), Errc::home_locked);
  EXPECT_TRUE(done_.empty());
  EXPECT_EQ(format(), "2\n") << "as the holder made it";
}

TEST_F(HomeTest, RefusesDamagedFiles) {
  make();
  for (const char* text : {"", "1", "0\n", "-1\n", "1x\n", "one\n"}) {
    write("format", text);
    EXPECT_EQ(open_error(), Errc::storage_corrupt) << text;
  }
  write("format", "1\n");
  write("keystore", "kith-keystore-v1");
  EXPECT_EQ(open_error(), Errc::storage_corrupt);
  std::filesystem::remove(path_ + "/keystore");
  EXPECT_EQ(open_error(), Errc::storage_corrupt);
}

TEST_F(HomeTest, RefusesDirectoriesAndFilesOpenToOthersAndLinks) {
  EXPECT_EQ(open_error(), Errc::home_missing);
  make();
  ASSERT_EQ(::chmod(path_.c_str(), 0750), 0);
  EXPECT_EQ(open_error(), Errc::refused);
  ASSERT_EQ(::chmod(path_.c_str(), 0700), 0);
  ASSERT_EQ(::chmod((path_ + "/keystore").c_str(), 0644), 0);
  EXPECT_EQ(open_error(), Errc::refused);
  ASSERT_EQ(::chmod((path_ + "/keystore").c_str(), 0600), 0);
  EXPECT_TRUE(Home::open(path_).has_value());
  std::filesystem::create_directory_symlink(path_, directory_.path("link"));
  const auto through_link = Home::open(directory_.path("link"));
  ASSERT_FALSE(through_link.has_value());
  EXPECT_EQ(through_link.error().code, Errc::refused);
}

TEST_F(HomeTest, IsNeverMadeOverAnotherWallet) {
  make();
  auto made = Keystore::make(nullptr, cheap(), random_);
  const auto again = Home::create(path_, made->keystore);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, Errc::wrong_state);
}

TEST_F(HomeTest, OpensTheRootKeyByTheRightPassphraseAlone) {
  const SecretBytes right = secret("correct horse"), wrong = secret("correct  horse");
  auto made = Keystore::make(&right, cheap(), random_);
  ASSERT_TRUE(made.has_value());
  const auto opened = made->keystore.unlock(&right);
  ASSERT_TRUE(opened.has_value());
  EXPECT_TRUE(crypto::equal_constant_time(opened->root.expose(), made->keys.root.expose()));
  EXPECT_TRUE(crypto::equal_constant_time(opened->step_up.expose(), made->keys.step_up.expose()));
  EXPECT_FALSE(crypto::equal_constant_time(opened->root.expose(), opened->step_up.expose()));
  EXPECT_EQ(made->keystore.unlock(&wrong).error().code, Errc::wrong_passphrase);
  EXPECT_EQ(made->keystore.unlock(nullptr).error().code, Errc::step_up_required);
}

TEST_F(HomeTest, RefusesAKeystoreWhoseParametersWereAltered) {
  const SecretBytes passphrase = secret("correct horse");
  auto made = Keystore::make(&passphrase, cheap(), random_);
  ASSERT_TRUE(made.has_value());
  const ByteView file = made->keystore.file().expose();
  for (const std::size_t at : {std::size_t{20}, std::size_t{30}, file.size() - 1}) {
    Bytes changed = crypto::to_bytes(file);
    changed[at] = static_cast<std::uint8_t>(changed[at] ^ 1U);
    auto parsed = Keystore::parse(SecretBytes::take(changed));
    ASSERT_TRUE(parsed.has_value());
    EXPECT_FALSE(parsed->unlock(&passphrase).has_value()) << at;
  }
}

}  // namespace
}  // namespace kith::node
