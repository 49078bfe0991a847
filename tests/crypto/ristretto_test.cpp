#include "crypto/ristretto.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

#include "crypto/hash.hpp"
#include "crypto/random.hpp"
#include "crypto/secret_point.hpp"
#include "tests/support/vectors.hpp"

namespace kith::crypto {
namespace {

using test::unhex;

/// RFC 9496 appendix A.1: the encodings of 0*G to 15*G.
constexpr std::array<std::string_view, 16> kMultiples = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76",
    "6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919",
    "94741f5d5d52755ece4f23f044ee27d5d1ea1e2bd196b462166b16152a9d0259",
    "da80862773358b466ffadfe0b3293ab3d9fd53c5ea6c955358f568322daf6a57",
    "e882b131016b52c1d3337080187cf768423efccbb517bb495ab812c4160ff44e",
    "f64746d3c92b13050ed8d80236a7f0007c3b3f962f5ba793d19a601ebb1df403",
    "44f53520926ec81fbd5a387845beb7df85a96a24ece18738bdcfa6a7822a176d",
    "903293d8f2287ebe10e2374dc1a53e0bc887e592699f02d077d5263cdd55601c",
    "02622ace8f7303a31cafc63f8fc48fdc16e1c8c8d234b2f0d6685282a9076031",
    "20706fd788b2720a1ed2a5dad4952b01f413bcf0e7564de8cdc816689e2db95f",
    "bce83f8ba5dd2fa572864c24ba1810f9522bc6004afe95877ac73241cafdab42",
    "e4549ee16b9aa03099ca208c67adafcafa4c3f3e4e5303de6026e3ca8ff84460",
    "aa52e000df2e16f55fb1032fc33bc42742dad6bd5a8fc0be0167436c5948501f",
    "46376b80f409b29dc2b5f6f0c52591990896e5716f41477cd30085ab7f10301e",
    "e0c418f7c8d9c4cdd7395b93ea124f3ad99021bb681dfc3302a9d99a2e53e64e"};

/// RFC 9496 appendix A.2: encodings that must be refused.
constexpr std::array<std::string_view, 29> kBadEncodings = {
    // Field elements not in canonical form
    "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    // Negative field elements
    "0100000000000000000000000000000000000000000000000000000000000000",
    "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ed57ffd8c914fb201471d1c3d245ce3c746fcbe63a3679d51b6a516ebebe0e20",
    "c34c4e1826e5d403b78e246e88aa051c36ccf0aafebffe137d148a2bf9104562",
    "c940e5a4404157cfb1628b108db051a8d439e1a421394ec4ebccb9ec92a8ac78",
    "47cfc5497c53dc8e61c91d17fd626ffb1c49e2bca94eed052281b510b1117a24",
    "f1c6165d33367351b0da8f6e4511010c68174a03b6581212c71c0e1d026c3c72",
    "87260f7a2f12495118360f02c26a470f450dadf34a413d21042b43b9d93e1309",
    // x^2 without a square root
    "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
    "4eac077a713c57b4f4397629a4145982c661f48044dd3f96427d40b147d9742f",
    "de6a7b00deadc788eb6b6c8d20c0ae96c2f2019078fa604fee5b87d6e989ad7b",
    "bcab477be20861e01e4a0e295284146a510150d9817763caf1a6f4b422d67042",
    "2a292df7e32cababbd9de088d1d1abec9fc0440f637ed2fba145094dc14bea08",
    "f4a9e534fc0d216c44b218fa0c42d99635a0127ee2e53c712f70609649fdff22",
    "8268436f8c4126196cf64b3c7ddbda90746a378625f9813dd9b8457077256731",
    "2810e5cbc2cc4d4eece54f61c6f69758e289aa7ab440b3cbeaa21995c2f4232b",
    // Negative x*y
    "3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e",
    "a45fdc55c76448c049a1ab33f17023edfb2be3581e9c7aade8a6125215e04220",
    "d483fe813c6ba647ebbfd3ec41adca1c6130c2beeee9d9bf065c8d151c5f396e",
    "8a2e1d30050198c65a54483123960ccc38aef6848e1ec8f5f780e8523769ba32",
    "32888462f8b486c68ad7dd9610be5192bbeaf3b443951ac1a8118419d9fa097b",
    "227142501b9d4355ccba290404bde41575b037693cef1f438c47f8fbf35d1165",
    "5c37cc491da847cfeb9281d407efc41e15144c876e0170b499a96a22ed31e01e",
    "445425117cb8c90edcbc7c1cc0e74f747f2c1efa5630a967c64f287792a48a4b",
    // s = -1
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};

/// L itself, little-endian.
constexpr std::string_view kOrder =
    "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
constexpr std::string_view kOrderLessOne =
    "ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

/// The same bytes again and again.
class FixedRandom final : public Random {
 public:
  explicit FixedRandom(std::uint8_t byte) : byte_(byte) {}
  void fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& byte : out) byte = byte_;
  }

 private:
  std::uint8_t byte_;
};

TEST(Ristretto, GivesTheStandardsMultiplesOfTheBase) {
  EXPECT_EQ(hex(Point::base().bytes()), kMultiples[1]);
  Point sum = Point::base();
  for (std::uint64_t k = 1; k < kMultiples.size(); ++k) {
    const Scalar factor = Scalar::from_u64(k);
    EXPECT_EQ(hex(Point::base_times(factor).value().bytes()), kMultiples[k]) << k;
    EXPECT_EQ(hex(Point::base().times(factor).value().bytes()), kMultiples[k]) << k;
    EXPECT_EQ(hex(sum.bytes()), kMultiples[k]) << k;
    EXPECT_EQ(Point::parse(unhex(kMultiples[k])).value(), sum) << k;
    sum = sum.plus(Point::base()).value();
  }
}

TEST(Ristretto, RefusesTheStandardsBadEncodings) {
  for (const std::string_view text : kBadEncodings) {
    const auto point = Point::parse(unhex(text));
    ASSERT_FALSE(point.has_value()) << text;
    EXPECT_EQ(point.error(), Errc::malformed);
    EXPECT_FALSE(SecretPoint::parse(unhex(text)).has_value()) << text;
  }
}

TEST(Ristretto, RefusesASecondSpellingOfTheSamePoint) {
  for (std::size_t k = 1; k < kMultiples.size(); ++k) {
    Bytes high = unhex(kMultiples[k]);
    high[31] |= 0x80;
    EXPECT_FALSE(Point::parse(high).has_value()) << k;
  }
}

TEST(Ristretto, RefusesTheIdentityAndWrongSizes) {
  EXPECT_EQ(Point::parse(unhex(kMultiples[0])).error(), Errc::malformed);
  for (const std::size_t size : {0U, 1U, 31U, 33U, 64U}) {
    EXPECT_EQ(Point::parse(Bytes(size, 2)).error(), Errc::malformed) << size;
    EXPECT_EQ(Scalar::parse(Bytes(size, 2)).error(), Errc::malformed) << size;
  }
}

TEST(Ristretto, NeverGivesTheIdentityAsAResult) {
  const Point g = Point::base();
  EXPECT_EQ(g.minus(g).error(), Errc::bad_key);
  EXPECT_EQ(g.times(Scalar()).error(), Errc::bad_key);
  EXPECT_EQ(Point::base_times(Scalar()).error(), Errc::bad_key);
  const Point opposite = Point::base_times(Scalar() - Scalar::from_u64(1)).value();
  EXPECT_EQ(g.plus(opposite).error(), Errc::bad_key);
}

TEST(Ristretto, RefusesScalarsThatAreNotReduced) {
  EXPECT_EQ(hex((Scalar() - Scalar::from_u64(1)).bytes()), kOrderLessOne);
  EXPECT_TRUE(Scalar::parse(unhex(kOrderLessOne)).has_value());
  EXPECT_EQ(Scalar::parse(unhex(kOrder)).error(), Errc::malformed);
  EXPECT_EQ(Scalar::parse(Bytes(32, 0xff)).error(), Errc::malformed);
  Bytes above = unhex(kOrder);
  for (std::size_t i = 0; i < above.size(); ++i) {  // one byte larger anywhere is larger
    Bytes larger = above;
    if (larger[i] == 0xff) continue;
    ++larger[i];
    EXPECT_FALSE(Scalar::parse(larger).has_value()) << i;
    Bytes smaller = above;
    if (smaller[i] == 0) continue;
    --smaller[i];
    EXPECT_TRUE(Scalar::parse(smaller).has_value()) << i;
  }
}

TEST(Ristretto, HoldsTheFieldsLaws) {
  SeededRandom random(1, "field");
  const Scalar one = Scalar::from_u64(1);
  for (int i = 0; i < 50; ++i) {
    const Scalar a = Scalar::random_nonzero(random);
    const Scalar b = Scalar::random_nonzero(random);
    EXPECT_TRUE((a + b - b).equals(a));
    EXPECT_TRUE((a - a).is_zero());
    EXPECT_TRUE((Scalar() - a + a).is_zero());
    EXPECT_TRUE((a * b * b.inverse()).equals(a));
    EXPECT_TRUE((a * one).equals(a));
    EXPECT_FALSE(a.equals(b));
    const Point left = Point::base_times(a).value().times(b).value();
    EXPECT_EQ(left, Point::base_times(a * b).value());
    EXPECT_EQ(Point::base_times(a).value().plus(Point::base_times(b).value()).value(),
              Point::base_times(a + b).value());
  }
  EXPECT_TRUE((Scalar() - Scalar()).is_zero());
}

TEST(Ristretto, CombinesThroughTheIdentity) {
  const Point g = Point::base();
  const Scalar one = Scalar::from_u64(1);
  const Scalar minus_one = Scalar() - one;
  // 1*G - 1*G + 1*G passes through the identity; a plain chain of additions could not.
  EXPECT_EQ(combine(std::array{one, minus_one, one}, std::array{g, g, g}).value(), g);
  EXPECT_EQ(combine(std::array{Scalar(), one}, std::array{g, g}).value(), g);
  EXPECT_EQ(combine(std::array{one, minus_one}, std::array{g, g}).error(), Errc::bad_key);
  EXPECT_EQ(combine(std::array{Scalar()}, std::array{g}).error(), Errc::bad_key);
}

TEST(Ristretto, HashesWithLengthsSoThatPartsDoNotRunTogether) {
  const Scalar whole = Scalar::hash("label", {as_bytes("ab"), as_bytes("c")});
  EXPECT_FALSE(whole.equals(Scalar::hash("label", {as_bytes("a"), as_bytes("bc")})));
  EXPECT_FALSE(whole.equals(Scalar::hash("label", {as_bytes("abc")})));
  EXPECT_FALSE(whole.equals(Scalar::hash("labela", {as_bytes("b"), as_bytes("c")})));
  EXPECT_TRUE(whole.equals(Scalar::hash("label", {as_bytes("ab"), as_bytes("c")})));
}

TEST(Ristretto, ReducesTheHashAsTheProtocolSays) {
  // SHA-512 over the two length-prefixed texts, as a number mod L: computed here byte by byte.
  Bytes input;
  append_u32_be(input, 5);
  append(input, as_bytes("label"));
  append_u32_be(input, 2);
  append(input, as_bytes("ab"));
  const Digest512 wide = sha512(input);
  Scalar expected;
  const Scalar radix = Scalar::from_u64(256);
  for (std::size_t i = wide.size(); i-- > 0;)
    expected = expected * radix + Scalar::from_u64(wide[i]);
  EXPECT_TRUE(Scalar::hash("label", {as_bytes("ab")}).equals(expected));
}

TEST(RistrettoDeathTest, StopsOnAGeneratorOfZeros) {
  FixedRandom zeros(0);
  EXPECT_TRUE(Scalar::random(zeros).is_zero());
  EXPECT_DEATH(static_cast<void>(Scalar::random_nonzero(zeros)), "draw < kDrawsMax");
}

TEST(RistrettoDeathTest, StopsOnTheUseOfAnEmptyPoint) {
  EXPECT_DEATH(static_cast<void>(Point().times(Scalar::from_u64(1))), "is_identity");
  EXPECT_DEATH(static_cast<void>(Point().plus(Point::base())), "is_identity");
}

}  // namespace
}  // namespace kith::crypto
