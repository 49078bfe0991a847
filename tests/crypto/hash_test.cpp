#include "crypto/hash.hpp"

#include <gtest/gtest.h>

#include "tests/support/vectors.hpp"

namespace kith::crypto {
namespace {

TEST(Hash, GivesThePublishedDigests) {
  EXPECT_EQ(hex(sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha512(as_bytes("abc"))),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST(Hash, GivesTheSameDigestHoweverTheInputIsCut) {
  Bytes data(300);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::uint8_t>(i * 7);
  const ByteView view(data);
  for (std::size_t cut = 0; cut <= data.size(); ++cut) {
    Sha256 small;
    EXPECT_EQ(small.update(view.first(cut)).update(view.subspan(cut)).finish(), sha256(data));
    Sha512 large;
    EXPECT_EQ(large.update(view.first(cut)).update(view.subspan(cut)).finish(), sha512(data));
  }
}

TEST(Hash, CopiesOfAHasherGoTheirOwnWays) {
  Sha256 common;
  common.update(as_bytes("ab"));
  Sha256 copy = common;
  EXPECT_EQ(copy.update(as_bytes("c")).finish(), sha256(as_bytes("abc")));
  EXPECT_EQ(common.update(as_bytes("d")).finish(), sha256(as_bytes("abd")));
}

TEST(Digest, PutsLengthsBeforeLabelAndParts) {
  Bytes written;
  append_u32_be(written, 5);
  append(written, as_bytes("label"));
  append_u32_be(written, 2);
  append(written, as_bytes("ab"));
  append_u32_be(written, 0);
  EXPECT_EQ(digest("label", {as_bytes("ab"), {}}), sha256(written));
}

TEST(Digest, TellsApartListsThatRunTogetherToTheSameBytes) {
  EXPECT_NE(digest("l", {as_bytes("ab"), as_bytes("c")}),
            digest("l", {as_bytes("a"), as_bytes("bc")}));
  EXPECT_NE(digest("la", {as_bytes("b")}), digest("l", {as_bytes("ab")}));
  EXPECT_NE(digest("l", {as_bytes("a"), {}}), digest("l", {as_bytes("a")}));
}

TEST(Multihash, GivesTheKnownNames) {
  EXPECT_EQ(multihash_sha256({}), "zQmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n");
  EXPECT_EQ(multihash_sha256(as_bytes("hello world")),
            "zQmaozNR7DZHQK1ZcU9p7QdrshMvXqWK6gpu5rmrkPdT3L4");
}

/// HMAC files: the tag may be cut to `tagSize` bits.
template <class Mac>
void check_hmac_file(const Json& file, const Mac& mac) {
  test::for_each_case(file, [&](const JsonObject& group, const JsonObject& one) {
    const auto tag_bytes = static_cast<std::size_t>(test::int_of(group, "tagSize")) / 8;
    const auto full = mac(test::hex_of(one, "key"), test::hex_of(one, "msg"));
    ASSERT_LE(tag_bytes, full.size());
    const bool fits =
        equal_constant_time(ByteView(full).first(tag_bytes), test::hex_of(one, "tag"));
    EXPECT_EQ(fits, test::text_of(one, "result") == "valid");
  });
}

TEST(Hmac, Sha256AgreesWithWycheproof) {
  LOAD_VECTORS(file, "wycheproof/hmac_sha256_test.json");
  check_hmac_file(file, [](ByteView key, ByteView data) { return hmac_sha256(key, data); });
}

TEST(Hmac, AKeptKeyGivesTheSame) {
  LOAD_VECTORS(file, "wycheproof/hmac_sha256_test.json");
  check_hmac_file(file, [](ByteView key, ByteView data) {
    const HmacSha256Key kept(key);
    EXPECT_EQ(kept.of(data), kept.of(data));
    return kept.of(data);
  });
}

TEST(TableHash, DependsOnNameAndKey) {
  const TableHash hash(Bytes(16, 1));
  EXPECT_EQ(hash.of("a"), hash.of("a"));
  EXPECT_NE(hash.of("a"), hash.of("b"));
  EXPECT_NE(hash.of("a"), hash.of(""));
  EXPECT_NE(hash.of("a"), TableHash(Bytes(16, 2)).of("a"));
}

TEST(Hmac, Sha512AgreesWithWycheproof) {
  LOAD_VECTORS(file, "wycheproof/hmac_sha512_test.json");
  check_hmac_file(file, [](ByteView key, ByteView data) { return hmac_sha512(key, data); });
}

TEST(Hmac, TakesItsDataInPartsOrAtOnce) {
  const Bytes key(200, 7);  // Longer than a block.
  EXPECT_EQ(hmac_sha512(key, {as_bytes("ab"), {}, as_bytes("c")}),
            hmac_sha512(key, as_bytes("abc")));
  EXPECT_NE(hmac_sha512(key, as_bytes("abd")), hmac_sha512(key, as_bytes("abc")));
}

TEST(Hkdf, AgreesWithWycheproof) {
  LOAD_VECTORS(file, "wycheproof/hkdf_sha256_test.json");
  test::for_each_case(file, [](const JsonObject&, const JsonObject& one) {
    const auto size = static_cast<std::size_t>(test::int_of(one, "size"));
    const bool valid = test::text_of(one, "result") == "valid";
    ASSERT_EQ(valid, size <= kHkdfSha256BytesMax);  // The invalid ones all ask for too much.
    if (!valid) return;
    const SecretBytes okm = hkdf_sha256(test::hex_of(one, "ikm"), test::hex_of(one, "salt"),
                                        test::hex_of(one, "info"), size);
    EXPECT_EQ(hex(okm.expose()), test::text_of(one, "okm"));
  });
}

TEST(HkdfDeathTest, RefusesMoreThanItCanGive) {
  EXPECT_DEATH(static_cast<void>(hkdf_sha256({}, {}, {}, kHkdfSha256BytesMax + 1)), "assertion");
}

}  // namespace
}  // namespace kith::crypto
