#include "crypto/slip39.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "crypto/gf256.hpp"
#include "crypto/hash.hpp"
#include "crypto/slip39_share.hpp"
#include "crypto/slip39_words.hpp"
#include "tests/support/vectors.hpp"

namespace kith::crypto {
namespace {

SecretBytes secret_of(std::string_view text) {
  return SecretBytes::copy_of(as_bytes(text));
}

std::string combined(const std::vector<SecretBytes>& mnemonics, std::string_view passphrase = "") {
  const auto secret = slip39_combine(mnemonics, secret_of(passphrase));
  if (secret.has_value()) return hex(secret->expose());
  return std::string(error_text(secret.error().code).code);
}

Errc refusal(const std::vector<SecretBytes>& mnemonics) {
  const auto secret = slip39_combine(mnemonics, {});
  EXPECT_FALSE(secret.has_value());
  return secret.has_value() ? Errc::usage : secret.error().code;
}

constexpr const char* kMalformed = "input.malformed";
constexpr const char* kTooFew = "recovery.not_enough";

class Slip39 : public ::testing::Test {
 protected:
  std::vector<std::vector<SecretBytes>> split(const SecretBytes& secret, const Slip39Plan& plan,
                                              std::string_view passphrase = "") {
    auto mnemonics = slip39_split(secret, secret_of(passphrase), plan, random_);
    EXPECT_TRUE(mnemonics.has_value()) << mnemonics.error().detail;
    return std::move(*mnemonics);
  }
  Errc split_refusal(std::size_t bytes, const Slip39Plan& plan, std::string_view passphrase = "") {
    const auto mnemonics =
        slip39_split(random_.secret(bytes), secret_of(passphrase), plan, random_);
    EXPECT_FALSE(mnemonics.has_value());
    return mnemonics.has_value() ? Errc::usage : mnemonics.error().code;
  }
  /// Those of `group` at the places named.
  static std::vector<SecretBytes> chosen(const std::vector<std::vector<SecretBytes>>& mnemonics,
                                         std::initializer_list<std::pair<int, int>> places) {
    std::vector<SecretBytes> some;
    for (const auto& [group, member] : places) {
      some.push_back(mnemonics.at(static_cast<std::size_t>(group))
                         .at(static_cast<std::size_t>(member))
                         .clone());
    }
    return some;
  }
  /// A mnemonic whose fields were changed by somebody who can write checksums.
  template <class Edit>
  static SecretBytes forged(const SecretBytes& mnemonic, Edit edit) {
    auto share = read_slip39_mnemonic(mnemonic.expose());
    EXPECT_TRUE(share.has_value());
    edit(*share);
    return write_slip39_mnemonic(*share);
  }

  SeededRandom random_{39, "slip39"};
};

// --- Published

TEST_F(Slip39, TheWordListIsTheStandards) {
  std::string lines;
  for (std::size_t i = 0; i < kSlip39WordCount; ++i) {
    lines.append(slip39_word(i)).append("\n");
    EXPECT_EQ(slip39_index(slip39_word(i)), i);
  }
  EXPECT_EQ(hex(sha256(as_bytes(lines))),
            "bcc4555340332d169718aed8bf31dd9d5248cb7da6e5d355140ef4f1e601eec3");
  for (const char* word : {"", "acad", "academics", "zzzz", "academic ",
                           "ac\xc3\xa4"
                           "demic"}) {
    EXPECT_FALSE(slip39_index(word)) << word;
  }
  EXPECT_EQ(slip39_index("ZERO"), 1023);
}

TEST_F(Slip39, CombinesEveryPublishedVectorAndRefusesTheBadOnes) {
  LOAD_VECTORS(file, "slip39/vectors.json");
  std::size_t valid = 0;
  for (const Json& item : file.as_array()) {
    const auto& fields = item.as_array();
    SCOPED_TRACE(std::string(fields.at(0).as_string()));
    std::vector<SecretBytes> mnemonics;
    for (const Json& text : fields.at(1).as_array()) {
      mnemonics.push_back(secret_of(std::string_view(text.as_string())));
    }
    const auto secret = slip39_combine(mnemonics, secret_of("TREZOR"));
    const std::string expected(fields.at(2).as_string());
    ASSERT_EQ(secret.has_value(), !expected.empty());
    if (!secret.has_value()) continue;
    EXPECT_EQ(hex(secret->expose()), expected);
    ++valid;
  }
  EXPECT_EQ(file.as_array().size(), 45U);
  EXPECT_EQ(valid, 15U);
}

// --- Both ways

TEST_F(Slip39, EverySizeOfSecretComesBack) {
  for (std::size_t bytes = 16; bytes <= 64; bytes += 2) {
    const SecretBytes secret = random_.secret(bytes);
    const auto mnemonics = split(secret, {1, {{2, 3}}, 0, bytes % 4 == 0});
    EXPECT_EQ(combined(chosen(mnemonics, {{0, 2}, {0, 0}})), hex(secret.expose()));
  }
}

TEST_F(Slip39, EverySubsetThatSufficesGivesTheSecretAndNoOther) {
  const SecretBytes secret = random_.secret(32);
  const auto mnemonics = split(secret, {1, {{3, 5}}, 0, true});
  for (unsigned subset = 1; subset < 32; ++subset) {
    std::vector<SecretBytes> some;
    for (unsigned i = 0; i < 5; ++i) {
      if ((subset >> i & 1) != 0) some.push_back(mnemonics[0][i].clone());
    }
    const char* refused = some.size() < 3 ? kTooFew : kMalformed;
    EXPECT_EQ(combined(some), some.size() == 3 ? hex(secret.expose()) : refused) << subset;
  }
}

TEST_F(Slip39, GroupsWorkAsTheyWerePlanned) {
  const SecretBytes secret = random_.secret(16);
  const auto sets = split(secret, {2, {{1, 1}, {2, 3}, {16, 16}}, 0, true});
  ASSERT_EQ(sets[2].size(), 16U);
  EXPECT_EQ(combined(chosen(sets, {{0, 0}, {1, 1}, {1, 2}})), hex(secret.expose()));
  std::vector<SecretBytes> large = chosen(sets, {{1, 2}, {1, 0}});
  for (const SecretBytes& mnemonic : sets[2]) large.push_back(mnemonic.clone());
  EXPECT_EQ(combined(large), hex(secret.expose()));
  large.pop_back();
  EXPECT_EQ(combined(large), kTooFew);
  EXPECT_EQ(combined(chosen(sets, {{0, 0}})), kTooFew);
  EXPECT_EQ(combined(chosen(sets, {{1, 0}, {1, 1}})), kTooFew);
  std::vector<SecretBytes> all = chosen(sets, {{0, 0}, {1, 0}, {1, 1}});
  for (const SecretBytes& mnemonic : sets[2]) all.push_back(mnemonic.clone());
  EXPECT_EQ(combined(all), kMalformed) << "a group too many";
}

TEST_F(Slip39, SixteenGroupsOfSixteen) {
  const SecretBytes secret = random_.secret(64);
  const auto sets = split(secret, {16, std::vector<Slip39Group>(16, {16, 16}), 0, true});
  std::vector<SecretBytes> all;
  for (const auto& group : sets) {
    for (const SecretBytes& mnemonic : group) all.push_back(mnemonic.clone());
  }
  EXPECT_EQ(combined(all), hex(secret.expose()));
}

TEST_F(Slip39, AnotherPassphraseGivesAnotherSecret) {
  const SecretBytes secret = random_.secret(32);
  for (const bool extendable : {false, true}) {
    const auto sets = split(secret, {1, {{1, 1}}, 1, extendable}, "horse battery");
    EXPECT_EQ(combined(chosen(sets, {{0, 0}}), "horse battery"), hex(secret.expose()));
    const std::string other = combined(chosen(sets, {{0, 0}}), "horse batterz");
    EXPECT_EQ(other.size(), 64U);
    EXPECT_NE(other, hex(secret.expose()));
  }
}

TEST_F(Slip39, OneShareLessDoesNotDetermineTheSecret) {
  for (std::uint8_t threshold = 2; threshold <= 16; ++threshold) {
    const auto sets = split(random_.secret(16), {1, {{threshold, threshold}}, 0, true});
    std::vector<ByteShare> shares;
    for (const SecretBytes& mnemonic : sets[0]) {
      auto share = read_slip39_mnemonic(mnemonic.expose());
      shares.push_back({share->member_index, std::move(share->value)});
    }
    const auto encrypted = gf256_interpolate(shares, 255);
    shares.pop_back();
    const auto without_one = gf256_interpolate(shares, 255);
    EXPECT_FALSE(equal_constant_time(encrypted->expose(), without_one->expose())) << threshold;
  }
}

TEST_F(Slip39, OneShareOfTwoLooksRandom) {
  std::array<std::size_t, 256> counts{};
  const SecretBytes secret = random_.secret(16);
  for (int i = 0; i < 500; ++i) {
    const auto sets = split(secret, {1, {{2, 2}}, 0, true});
    const auto share = read_slip39_mnemonic(sets[0][0].expose());
    for (const std::uint8_t byte : share->value.expose()) ++counts.at(byte);
  }
  for (const std::size_t count : counts) {  // 31 on average; 8 deviations.
    EXPECT_GT(count, 2U);
    EXPECT_LT(count, 80U);
  }
}

// --- Refused

TEST_F(Slip39, PlansThatCannotBeAreRefused) {
  for (const std::size_t bytes : {0U, 14U, 15U, 17U, 33U, 66U}) {
    EXPECT_EQ(split_refusal(bytes, {1, {{1, 1}}}), Errc::malformed) << bytes;
  }
  const std::vector<Slip39Plan> plans = {
      {1, {}},       {0, {{1, 1}}}, {2, {{1, 1}}},
      {1, {{0, 1}}}, {1, {{3, 2}}}, {1, {{2, 17}}},
      {1, {{1, 2}}}, {1, {{0, 0}}}, {1, std::vector<Slip39Group>(17)},
  };
  for (const Slip39Plan& plan : plans) EXPECT_EQ(split_refusal(16, plan), Errc::malformed);
  EXPECT_EQ(split_refusal(16, {1, {{1, 1}}, 11}), Errc::limit_exceeded);
  EXPECT_EQ(split_refusal(16, {1, {{1, 1}}}, "na\xc3\xafve"), Errc::malformed);
  EXPECT_EQ(split_refusal(16, {1, {{1, 1}}}, "line\n"), Errc::malformed);
  const std::string longest(share_limits::kSlip39PassphraseCharsMax, 'x');
  EXPECT_EQ(split_refusal(16, {1, {{1, 1}}}, longest + "x"), Errc::malformed);
  EXPECT_EQ(split(random_.secret(16), {1, {{1, 1}}, 0, true}, longest).size(), 1U);
}

TEST_F(Slip39, UpToThreeWrongWordsAreNoticed) {
  const auto sets = split(random_.secret(16), {1, {{1, 1}}, 0, true});
  const std::string right(as_text(sets[0][0].expose()));
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin < right.size();) {
    const std::size_t end = std::min(right.find(' ', begin), right.size());
    words.push_back(right.substr(begin, end - begin));
    begin = end + 1;
  }
  ASSERT_EQ(words.size(), 20U);
  for (int i = 0; i < 3000; ++i) {
    std::vector<std::string> wrong = words;
    const std::uint64_t errors = 1 + random_.below(3);
    for (std::uint64_t j = 0; j < errors; ++j) {
      wrong[random_.below(20)] = slip39_word(random_.below(kSlip39WordCount));
    }
    if (wrong == words) continue;
    std::string text;
    for (const std::string& word : wrong) text += word + " ";
    EXPECT_FALSE(read_slip39_mnemonic(as_bytes(text)).has_value()) << text;
  }
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    std::vector<std::string> exchanged = words;
    std::swap(exchanged[i], exchanged[i + 1]);
    if (exchanged == words) continue;
    std::string text;
    for (const std::string& word : exchanged) text += word + " ";
    EXPECT_FALSE(read_slip39_mnemonic(as_bytes(text)).has_value());
  }
}

TEST_F(Slip39, AWordThatIsNoneIsNamedByItsPlaceAndNotByItsLetters) {
  const auto sets = split(random_.secret(16), {1, {{1, 1}}, 0, true});
  std::string text(as_text(sets[0][0].expose()));
  text.replace(0, text.find(' '), "secretly");
  std::vector<SecretBytes> mnemonics = chosen(sets, {{0, 0}});
  mnemonics.push_back(secret_of(text));
  const auto refused = slip39_combine(mnemonics, {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().detail, "mnemonic 2: word 1 is not one of the word list");
}

TEST_F(Slip39, CapitalsAndWhiteSpaceDoNotMatter) {
  const SecretBytes secret = random_.secret(16);
  const auto sets = split(secret, {1, {{1, 1}}, 0, true});
  std::string text = "\t ";
  for (const char letter : std::string(as_text(sets[0][0].expose()))) {
    text += letter == ' ' ? std::string(" \r\n") : std::string(1, static_cast<char>(letter - 32));
  }
  std::vector<SecretBytes> mnemonics;
  mnemonics.push_back(secret_of(text));
  EXPECT_EQ(combined(mnemonics), hex(secret.expose()));
}

TEST_F(Slip39, MnemonicsThatDoNotBelongTogetherAreRefused) {
  const SecretBytes secret = random_.secret(16);
  const auto sets = split(secret, {1, {{2, 3}}, 0, true});
  const auto others = split(secret, {1, {{2, 3}}, 0, true});
  std::vector<SecretBytes> mixed = chosen(sets, {{0, 0}});
  mixed.push_back(others[0][1].clone());
  EXPECT_EQ(refusal(mixed), Errc::malformed) << "another set of the same secret";
  EXPECT_EQ(refusal(chosen(sets, {{0, 0}, {0, 0}})), Errc::malformed) << "one twice";
  EXPECT_EQ(refusal({}), Errc::not_enough);

  const auto expect_refused = [&](auto change, Errc code = Errc::malformed) {
    std::vector<SecretBytes> some = chosen(sets, {{0, 0}});
    some.push_back(forged(sets[0][1], change));
    EXPECT_EQ(refusal(some), code);
  };
  expect_refused([](Slip39Share& share) { share.identifier ^= 1; });
  expect_refused([](Slip39Share& share) { share.extendable = false; });
  expect_refused([](Slip39Share& share) { share.exponent = 1; });
  expect_refused([](Slip39Share& share) { share.group_count = 2; });
  expect_refused([](Slip39Share& share) { share.group_threshold = share.group_count = 2; });
  expect_refused([](Slip39Share& share) { share.group_threshold = 2; });
  expect_refused([](Slip39Share& share) { share.group_index = 1; });
  expect_refused([](Slip39Share& share) { share.member_threshold = 3; });
  expect_refused([](Slip39Share& share) { share.member_index = 0; });
  expect_refused([](Slip39Share& share) { share.member_index = 2; });
  expect_refused([](Slip39Share& share) { share.value.expose_mutable()[5] ^= 1; });
  expect_refused([&](Slip39Share& share) { share.value = random_.secret(18); });
}

TEST_F(Slip39, AMnemonicThatAsksForAnHoursWorkIsRefused) {
  const SecretBytes secret = random_.secret(16);
  const auto sets = split(secret, {1, {{1, 1}}, 2, true});
  EXPECT_EQ(combined(chosen(sets, {{0, 0}})), hex(secret.expose()));
  EXPECT_EQ(slip39_combine(chosen(sets, {{0, 0}}), {}, 1).error(), Errc::limit_exceeded);
  std::vector<SecretBytes> endless;
  endless.push_back(forged(sets[0][0], [](Slip39Share& share) { share.exponent = 15; }));
  EXPECT_EQ(refusal(endless), Errc::limit_exceeded);
}

}  // namespace
}  // namespace kith::crypto
