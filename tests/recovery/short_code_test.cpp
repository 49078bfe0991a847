#include "recovery/short_code.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>

#include "crypto/random.hpp"

namespace kith::recovery {
namespace {

CodeTranscript transcript() {
  CodeTranscript t;
  t.invitation_id = "invitation-1";
  t.session_id.fill(1);
  t.session_key = {KeyType::x25519, Bytes(32, 2)};
  t.connection_key = {KeyType::ed25519, Bytes(32, 3)};
  return t;
}

CodeNonce nonce(std::uint8_t value) {
  CodeNonce n{};
  n.fill(value);
  return n;
}

/// The same transcript as a machine in the middle sees it on the other side.
std::vector<CodeTranscript> changed_transcripts() {
  std::vector<CodeTranscript> all(5, transcript());
  all[0].invitation_id = "invitation-2";
  all[1].session_id[15] ^= 1;
  all[2].session_key.bytes[0] ^= 1;
  all[3].connection_key.bytes[31] ^= 1;
  all[4].session_key.type = KeyType::ed25519;
  return all;
}

TEST(ShortCode, TheRevealMustFitTheCommitmentAndTheTranscript) {
  const Digest commitment = code_commitment(nonce(7), transcript());
  EXPECT_TRUE(check_code_reveal(commitment, nonce(7), transcript()).has_value());
  EXPECT_EQ(check_code_reveal(commitment, nonce(8), transcript()).error().code,
            Errc::code_mismatch);
  for (const CodeTranscript& other : changed_transcripts()) {
    EXPECT_EQ(check_code_reveal(commitment, nonce(7), other).error().code, Errc::code_mismatch);
  }
}

TEST(ShortCode, AMachineInTheMiddleChangesTheCodes) {
  const ShortCodes mine = short_codes(transcript(), nonce(1), nonce(2));
  const ShortCodes again = short_codes(transcript(), nonce(1), nonce(2));
  EXPECT_EQ(mine.shown_by_device, again.shown_by_device);
  EXPECT_EQ(mine.shown_by_trustee, again.shown_by_trustee);
  for (const CodeTranscript& other : changed_transcripts()) {
    EXPECT_NE(short_codes(other, nonce(1), nonce(2)).shown_by_device, mine.shown_by_device);
    EXPECT_NE(short_codes(other, nonce(1), nonce(2)).shown_by_trustee, mine.shown_by_trustee);
  }
  EXPECT_NE(short_codes(transcript(), nonce(2), nonce(1)).shown_by_device, mine.shown_by_device);
}

TEST(ShortCode, CodesAreSixDigitsAlwaysDifferentAndEvenlySpread) {
  crypto::SeededRandom random(5, "codes");
  std::array<std::array<int, 10>, 12> seen{};
  std::set<std::string> distinct;
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) {
    const auto a = random_id<CodeNonce>(random);
    const auto b = random_id<CodeNonce>(random);
    const ShortCodes codes = short_codes(transcript(), a, b);
    ASSERT_EQ(codes.shown_by_device.size(), 6u);
    ASSERT_EQ(codes.shown_by_trustee.size(), 6u);
    ASSERT_NE(codes.shown_by_device, codes.shown_by_trustee);
    distinct.insert(codes.shown_by_device);
    const std::string both = codes.shown_by_device + codes.shown_by_trustee;
    for (std::size_t place = 0; place < both.size(); ++place) {
      ASSERT_TRUE(both[place] >= '0' && both[place] <= '9');
      ++seen[place][static_cast<std::size_t>(both[place] - '0')];
    }
  }
  // 400 expected, standard deviation 19: six of them.
  for (const auto& place : seen) {
    for (const int count : place) EXPECT_NEAR(count, kDraws / 10, 115);
  }
  EXPECT_GT(distinct.size(), 3950u);  // About 8 pairs coincide by chance.
}

/// Eight bytes of a counter, then zeros: found by search with an independent implementation.
CodeNonce searched(std::uint64_t counter) {
  CodeNonce n{};
  const Bytes bytes = u64_bytes(counter);
  std::copy(bytes.begin(), bytes.end(), n.begin());
  return n;
}

TEST(ShortCode, ASecondCodeEqualToTheFirstIsDrawnAgain) {
  // The stream gives 992119, 992119, 712959.
  const ShortCodes codes = short_codes(transcript(), searched(864055), nonce(2));
  EXPECT_EQ(codes.shown_by_device, "992119");
  EXPECT_EQ(codes.shown_by_trustee, "712959");
}

TEST(ShortCode, AWordThatWouldFavourSmallCodesIsSkipped) {
  // The stream's words are 4294048138, 2903434893, 3285764581.
  const ShortCodes codes = short_codes(transcript(), searched(6309), nonce(2));
  EXPECT_EQ(codes.shown_by_device, "434893");
  EXPECT_EQ(codes.shown_by_trustee, "764581");
}

TEST(ShortCode, TypedCodesMayHaveBlanksAndHyphens) {
  EXPECT_TRUE(code_matches("012345", "012345"));
  EXPECT_TRUE(code_matches("012345", " 012-345 "));
  EXPECT_FALSE(code_matches("012345", "012346"));
  EXPECT_FALSE(code_matches("012345", "12345"));
  EXPECT_FALSE(code_matches("012345", ""));
  EXPECT_FALSE(code_matches("012345", "012345" + std::string(100, ' ')));
}

}  // namespace
}  // namespace kith::recovery
