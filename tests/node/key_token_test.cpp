#include "node/keys/key_token.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "crypto/bytes.hpp"

/// Against SoftHSM (Debian: softhsm2), a token that is a program.

namespace kith::node {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPin = "73501926";

/// Whether the program was there and succeeded.
bool run_tool(std::vector<std::string> words) {
  words.insert(words.begin(), "softhsm2-util");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t quiet{};
  ::posix_spawn_file_actions_init(&quiet);
  ::posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  const int failed = ::posix_spawnp(&pid, argv.front(), &quiet, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&quiet);
  int status = 0;
  return failed == 0 && ::waitpid(pid, &status, 0) == pid && status == 0;
}

class KeyToken : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "kith-token-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    place_ = name;
    fs::create_directory(tokens());
    std::ofstream(place_ / "conf") << "directories.tokendir = " << tokens().string()
                                   << "\nobjectstore.backend = file\nlog.level = ERROR\n";
    ::setenv("SOFTHSM2_CONF", (place_ / "conf").c_str(), 1);
    if (!run_tool({"--version"})) GTEST_SKIP() << "no SoftHSM here (Debian: softhsm2)";
    new_token("Anna");
  }
  void TearDown() override { fs::remove_all(place_); }

  [[nodiscard]] fs::path tokens() const { return place_ / "tokens"; }
  static void new_token(const std::string& label) {
    ASSERT_TRUE(run_tool(
        {"--init-token", "--free", "--label", label, "--pin", kPin, "--so-pin", "90817263"}));
  }
  static SecretBytes pin(std::string_view text) {
    return SecretBytes::copy_of(crypto::as_bytes(text));
  }
  Result<HeldToken> bind(const std::string& uri) { return bind_token(uri, &pin_, random_); }

  fs::path place_;
  const SecretBytes pin_ = pin(kPin);
  crypto::SeededRandom random_{11, "tokens"};
};

TEST_F(KeyToken, GivesTheSameSecretEachTimeAndAnotherForEachLink) {
  const HeldToken first = bind("pkcs11:token=Anna").value();
  EXPECT_EQ(first.secret.size(), 32U);
  const SecretBytes again = ask_token(first.link, &pin_).value();
  EXPECT_TRUE(crypto::equal_constant_time(again.expose(), first.secret.expose()));
  const HeldToken second = bind("pkcs11:token=Anna").value();
  EXPECT_NE(second.link.key_id, first.link.key_id);
  EXPECT_FALSE(crypto::equal_constant_time(second.secret.expose(), first.secret.expose()));
  TokenLink mixed = first.link;
  mixed.point = second.link.point;
  EXPECT_FALSE(
      crypto::equal_constant_time(ask_token(mixed, &pin_).value().expose(), first.secret.expose()));
}

TEST_F(KeyToken, TakesAKeyThatTheUriNames) {
  const HeldToken first = bind("pkcs11:token=Anna").value();
  std::string id;
  for (const char digit : crypto::hex(first.link.key_id)) {
    if (id.size() % 3 == 0) id += '%';
    id += digit;
  }
  const HeldToken same = bind("pkcs11:token=Anna;id=" + id).value();
  EXPECT_EQ(same.link.key_id, first.link.key_id);
  EXPECT_EQ(bind("pkcs11:token=Anna;id=%01").error(), Errc::token_missing);
}

TEST_F(KeyToken, SaysWhatIsWrongWithAPin) {
  const HeldToken held = bind("pkcs11:token=Anna").value();
  EXPECT_EQ(ask_token(held.link, nullptr).error(), Errc::token_pin_needed);
  const SecretBytes wrong = pin("00000000");
  EXPECT_EQ(ask_token(held.link, &wrong).error(), Errc::token_pin_wrong);
  const SecretBytes longer = pin(std::string(1000, '7'));
  EXPECT_EQ(ask_token(held.link, &longer).error(), Errc::token_pin_wrong);
  EXPECT_TRUE(ask_token(held.link, &pin_).has_value());
}

TEST_F(KeyToken, ATokenOfTheSameNameIsAnother) {
  const HeldToken held = bind("pkcs11:token=Anna").value();
  fs::rename(tokens(), place_ / "away");
  fs::create_directory(tokens());
  EXPECT_EQ(ask_token(held.link, &pin_).error(), Errc::token_missing);
  new_token("Anna");
  const auto other = ask_token(held.link, &pin_);
  EXPECT_EQ(other.error(), Errc::token_missing);
  EXPECT_EQ(other.error().detail.find("this token has not"), std::string::npos)
      << "it was tried, with the PIN of another";
}

TEST_F(KeyToken, AmongSeveralOneMustBeNamed) {
  new_token("Anna");
  EXPECT_EQ(bind("pkcs11:token=Anna").error(), Errc::usage);
  EXPECT_EQ(bind("pkcs11:").error(), Errc::usage);
  EXPECT_EQ(bind("pkcs11:token=Bert").error(), Errc::token_missing);
  for (const char* none : {"Anna", "", "pkcs11:token=%G", "http://pkcs11"}) {
    EXPECT_EQ(bind(none).error(), Errc::usage) << none;
  }
}

TEST_F(KeyToken, APointOffTheCurveIsRefused) {
  HeldToken held = bind("pkcs11:token=Anna").value();
  held.link.point.back() ^= 1U;
  EXPECT_TRUE(ask_token(held.link, &pin_).has_error());
}

TEST(TokenLinkTest, IsReadAsItWasWritten) {
  TokenLink link;
  link.label.fill(' ');
  std::ranges::copy(std::string_view("Anna's key"), link.label.begin());
  link.serial.fill(' ');
  link.key_id = {1, 2, 0};
  link.point = Bytes(TokenLink::kPointBytes, 4);
  const Bytes bytes = link.encode();
  ASSERT_EQ(bytes.size(), TokenLink::kBytes);
  const TokenLink read = TokenLink::parse(bytes).value();
  EXPECT_EQ(read.encode(), bytes);
  EXPECT_EQ(read.key_id, link.key_id);
  EXPECT_EQ(read.name(), "Anna's key");
  link.serial[0] = '7';
  EXPECT_EQ(link.name(), "Anna's key (7)");

  constexpr std::size_t kSizeAt = TokenLink::kLabelBytes + TokenLink::kSerialBytes;
  for (const std::uint8_t size : {std::uint8_t{0}, std::uint8_t{2}, std::uint8_t{33}}) {
    Bytes wrong = bytes;
    wrong[kSizeAt] = size;
    wrong[kSizeAt + 3] = 9;  // Behind an id of 2.
    EXPECT_EQ(TokenLink::parse(wrong).error(), Errc::malformed) << int{size};
  }
  EXPECT_EQ(TokenLink::parse(ByteView(bytes).first(bytes.size() - 1)).error(), Errc::malformed);
}

}  // namespace
}  // namespace kith::node
