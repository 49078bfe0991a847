#include "crypto/file_shares.hpp"

#include <gtest/gtest.h>

#include <string>

#include "crypto/gf256.hpp"
#include "crypto/json.hpp"

namespace kith::crypto {
namespace {

class FileShares : public ::testing::Test {
 protected:
  std::vector<SecretBytes> split(std::string_view content, std::size_t threshold,
                                 std::size_t count) {
    auto lines = split_file(SecretBytes::copy_of(as_bytes(content)), threshold, count, random_);
    EXPECT_TRUE(lines.has_value()) << lines.error().detail;
    return std::move(*lines);
  }
  static std::string combined(const std::vector<SecretBytes>& lines) {
    const auto file = combine_file(lines);
    return file.has_value() ? std::string(as_text(file->content.expose()))
                            : "refused: " + file.error().detail;
  }
  static std::vector<SecretBytes> some(const std::vector<SecretBytes>& lines,
                                       std::initializer_list<std::size_t> places) {
    std::vector<SecretBytes> chosen;
    for (const std::size_t place : places) chosen.push_back(lines.at(place).clone());
    return chosen;
  }
  static SecretBytes edited(const SecretBytes& line, const char* member, const Json& value) {
    Json json = parse_json(as_text(line.expose())).value();
    json.as_object()[member] = value;
    return SecretBytes::copy_of(as_bytes(json_text(json)));
  }

  SeededRandom random_{7, "file shares"};
};

TEST_F(FileShares, EverySubsetThatSufficesGivesTheContentAndNoneBelow) {
  for (std::size_t threshold = 2; threshold <= 5; ++threshold) {
    const auto lines = split(R"({"a": [1, 2]})", threshold, 5);
    for (unsigned subset = 0; subset < 32; ++subset) {
      std::vector<SecretBytes> chosen;
      for (unsigned i = 0; i < 5; ++i) {
        if ((subset >> i & 1) != 0) chosen.push_back(lines[i].clone());
      }
      const bool enough = chosen.size() >= threshold;
      EXPECT_EQ(combined(chosen) == R"({"a": [1, 2]})", enough) << threshold << " " << subset;
      if (!enough) {
        EXPECT_EQ(combine_file(chosen).error(), Errc::not_enough);
      }
    }
  }
}

TEST_F(FileShares, OneShareLessDoesNotDetermineTheContent) {
  for (std::size_t threshold = 2; threshold <= 8; ++threshold) {
    std::vector<ByteShare> shares;
    for (const SecretBytes& line : split("letter", threshold, threshold)) {
      const Json share = parse_json(as_text(line.expose())).value();
      Bytes value = from_base64url(std::string(share.at("value").as_string())).value();
      shares.push_back({share.at("share").to_number<std::uint8_t>(), SecretBytes::take(value)});
    }
    const auto secret = gf256_interpolate(shares, 0);
    EXPECT_TRUE(as_text(secret->expose()).ends_with("letter"));
    shares.pop_back();
    const auto without_one = gf256_interpolate(shares, 0);
    EXPECT_FALSE(equal_constant_time(secret->expose(), without_one->expose())) << threshold;
  }
}

TEST_F(FileShares, TheLargestFileAndTheMostShares) {
  const std::string content(share_limits::kFileBytesMax, '\xff');
  EXPECT_EQ(combined(some(split(content, 2, 3), {2, 0})), content);
  const auto lines = split("x", 255, 255);
  EXPECT_EQ(combined(lines), "x");
}

TEST_F(FileShares, WhatCannotBeSharedOutIsRefused) {
  const auto code = [&](std::size_t bytes, std::size_t threshold, std::size_t count) {
    return split_file(random_.secret(bytes), threshold, count, random_).error().code;
  };
  EXPECT_EQ(code(0, 2, 3), Errc::malformed);
  EXPECT_EQ(code(1, 1, 3), Errc::malformed);
  EXPECT_EQ(code(1, 4, 3), Errc::malformed);
  EXPECT_EQ(code(1, 2, 256), Errc::malformed);
  EXPECT_EQ(code(share_limits::kFileBytesMax + 1, 2, 3), Errc::limit_exceeded);
}

TEST_F(FileShares, AlteredSharesAreNamedAndLeftOut) {
  const auto lines = split("letter", 2, 3);
  const Json other_value = parse_json(as_text(lines[2].expose())).value().at("value");
  const std::vector<std::pair<const char*, Json>> changes = {
      {"value", other_value}, {"share", 9}, {"threshold", 3}, {"signature", "AAAA"}};
  for (const auto& [member, value] : changes) {
    std::vector<SecretBytes> all = some(lines, {0, 2});
    all.insert(all.begin(), edited(lines[1], member, value));
    const auto file = combine_file(all);
    ASSERT_TRUE(file.has_value()) << member;
    EXPECT_EQ(as_text(file->content.expose()), "letter");
    EXPECT_EQ(file->altered, std::vector<std::size_t>{1});
    all.pop_back();
    const auto too_few = combine_file(all);
    EXPECT_EQ(too_few.error(), Errc::bad_signature) << member;
    EXPECT_EQ(too_few.error().detail, "share 1 was altered");
  }
}

TEST_F(FileShares, SharesOfTwoSetsAreNotMixed) {
  const auto lines = split("one", 2, 2);
  const auto others = split("two", 2, 2);
  std::vector<SecretBytes> mixed = some(lines, {0});
  mixed.push_back(others[1].clone());
  EXPECT_EQ(combined(mixed), "refused: share 2 is of another set than those before it");
  EXPECT_EQ(combine_file(some(lines, {0, 0})).error(), Errc::not_enough) << "one twice";
}

TEST_F(FileShares, LinesThatAreNoSharesAreNamed) {
  const auto lines = split("letter", 2, 2);
  for (const char* text : {"", "x", "{}", "[1]", R"({"kith_share":2})", R"({"kith_share":1})"}) {
    std::vector<SecretBytes> some_lines = some(lines, {0});
    some_lines.push_back(SecretBytes::copy_of(as_bytes(text)));
    EXPECT_TRUE(combined(some_lines).starts_with("refused: share 2: ")) << text;
  }
  const std::vector<std::pair<const char*, Json>> changes = {
      {"share", 0},  {"share", 256},  {"threshold", 0}, {"threshold", 256},
      {"value", ""}, {"value", "AA"}, {"value", 3},     {"set", "z6Mk"}};
  for (const auto& [member, value] : changes) {
    std::vector<SecretBytes> some_lines = some(lines, {0});
    some_lines.push_back(edited(lines[1], member, value));
    EXPECT_TRUE(combined(some_lines).starts_with("refused: share 2: ")) << member;
  }
  EXPECT_EQ(combine_file({}).error(), Errc::not_enough);
  std::vector<SecretBytes> endless = some(lines, {0});
  endless.push_back(random_.secret(share_limits::kFileShareLineBytesMax + 1));
  EXPECT_EQ(combine_file(endless).error(), Errc::limit_exceeded);
}

}  // namespace
}  // namespace kith::crypto
