#include "crypto/aead.hpp"

#include <gtest/gtest.h>

#include "crypto/random.hpp"
#include "tests/support/vectors.hpp"

namespace kith::crypto {
namespace {

using test::unhex;

constexpr ContentEncryption kAll[] = {ContentEncryption::a256cbc_hs512, ContentEncryption::a256gcm,
                                      ContentEncryption::xc20p};

void check_aead_file(const Json& file, ContentEncryption enc) {
  test::for_each_case(file, [&](const JsonObject&, const JsonObject& one) {
    const SecretBytes key = SecretBytes::copy_of(test::hex_of(one, "key"));
    const Bytes iv = test::hex_of(one, "iv");
    const Bytes aad = test::hex_of(one, "aad");
    const Bytes plaintext = test::hex_of(one, "msg");
    const Bytes ciphertext = test::hex_of(one, "ct");
    const Bytes tag = test::hex_of(one, "tag");
    const auto opened = aead_decrypt(enc, key, iv, aad, ciphertext, tag);
    if (test::text_of(one, "result") != "valid") {
      ASSERT_FALSE(opened.has_value());
      EXPECT_EQ(opened.error(), Errc::cannot_decrypt);
      return;
    }
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(*opened, plaintext);
    const AeadOutput sealed = aead_encrypt(enc, key, iv, aad, plaintext);
    EXPECT_EQ(sealed.ciphertext, ciphertext);
    EXPECT_EQ(sealed.tag, tag);
  });
}

TEST(Aead, A256CbcHs512AgreesWithWycheproof) {
  LOAD_VECTORS(file, "wycheproof/a256cbc_hs512_test.json");
  check_aead_file(file, ContentEncryption::a256cbc_hs512);
}

TEST(Aead, Xc20pAgreesWithWycheproof) {
  LOAD_VECTORS(file, "wycheproof/xchacha20_poly1305_test.json");
  check_aead_file(file, ContentEncryption::xc20p);
}

TEST(Aead, A256GcmGivesThePublishedAnswer) {
  // Test case 16 of the GCM specification (McGrew and Viega).
  const SecretBytes key = SecretBytes::copy_of(
      unhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"));
  const Bytes iv = unhex("cafebabefacedbaddecaf888");
  const Bytes aad = unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const Bytes plaintext = unhex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6"
      "b525b16aedf5aa0de657ba637b39");
  const AeadOutput sealed = aead_encrypt(ContentEncryption::a256gcm, key, iv, aad, plaintext);
  EXPECT_EQ(hex(sealed.ciphertext),
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b"
            "1056828838c5f61e6393ba7a0abcc9f662");
  EXPECT_EQ(hex(sealed.tag), "76fc6ece0f4e1768cddf8853bb2d551b");
  const auto opened =
      aead_decrypt(ContentEncryption::a256gcm, key, iv, aad, sealed.ciphertext, sealed.tag);
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(*opened, plaintext);
}

struct Sealed {
  SecretBytes key;
  Bytes iv;
  Bytes aad;
  AeadOutput out;
};

Sealed sealed_example(ContentEncryption enc, Random& random, std::size_t plaintext_bytes) {
  Sealed sealed;
  sealed.key = random.secret(sizes_of(enc).key_bytes);
  sealed.iv = random.bytes(sizes_of(enc).iv_bytes);
  sealed.aad = random.bytes(21);
  const Bytes plaintext = random.bytes(plaintext_bytes);
  sealed.out = aead_encrypt(enc, sealed.key, sealed.iv, sealed.aad, plaintext);
  const auto opened =
      aead_decrypt(enc, sealed.key, sealed.iv, sealed.aad, sealed.out.ciphertext, sealed.out.tag);
  EXPECT_TRUE(opened.has_value() && *opened == plaintext);
  return sealed;
}

TEST(Aead, OpensWhatItSealedAtEveryLength) {
  SeededRandom random(1, "aead");
  for (const auto enc : kAll) {
    for (std::size_t length = 0; length < 70; ++length) {
      const Sealed sealed = sealed_example(enc, random, length);
      EXPECT_EQ(sealed.out.tag.size(), sizes_of(enc).tag_bytes);
    }
  }
}

TEST(Aead, RefusesEveryChangedByte) {
  SeededRandom random(2, "aead");
  for (const auto enc : kAll) {
    Sealed sealed = sealed_example(enc, random, 40);
    const auto expect_refused = [&] {
      const auto opened = aead_decrypt(enc, sealed.key, sealed.iv, sealed.aad,
                                       sealed.out.ciphertext, sealed.out.tag);
      ASSERT_FALSE(opened.has_value());
      EXPECT_EQ(opened.error(), Errc::cannot_decrypt);
    };
    for (Bytes* part : {&sealed.iv, &sealed.aad, &sealed.out.ciphertext, &sealed.out.tag}) {
      for (std::uint8_t& byte : *part) {
        byte ^= 1;
        expect_refused();
        byte ^= 1;
      }
      const std::uint8_t last = part->back();
      part->pop_back();
      expect_refused();
      part->push_back(last);
      part->push_back(0);
      expect_refused();
      part->pop_back();
    }
    for (std::uint8_t& byte : sealed.key.expose_mutable()) {
      byte ^= 0x80;
      expect_refused();
      byte ^= 0x80;
    }
    sealed.key = random.secret(sizes_of(enc).key_bytes / 2);
    expect_refused();
  }
}

TEST(Aead, ReadsTheNamesThatItWrites) {
  for (const auto enc : kAll) {
    const auto read = enc_from_name(enc_name(enc));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(*read, enc);
  }
  for (const auto* name : {"", "A128GCM", "a256gcm", "XC20P "}) {
    const auto read = enc_from_name(name);
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error(), Errc::unsupported);
  }
}

TEST(Xc20p, OpensWithTheTagBehindAndRefusesLess) {
  SeededRandom random(3, "aead");
  const SecretBytes key = random.secret(32);
  const Bytes nonce = random.bytes(24);
  const Bytes sealed = xc20p_seal(key.expose(), nonce, as_bytes("ad"), as_bytes("text"));
  Bytes behind = to_bytes("before");
  append_xc20p_seal(behind, key.expose(), nonce, as_bytes("ad"), as_bytes("text"));
  EXPECT_EQ(as_text(ByteView(behind).first(6)), "before");
  EXPECT_TRUE(equal(ByteView(behind).subspan(6), sealed));
  ASSERT_EQ(sealed.size(), 4u + 16u);
  const auto opened = xc20p_open(key.expose(), nonce, as_bytes("ad"), sealed);
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(as_text(*opened), "text");
  const auto secret = xc20p_open_secret(key.expose(), nonce, as_bytes("ad"), sealed);
  ASSERT_TRUE(secret.has_value());
  EXPECT_EQ(as_text(secret->expose()), "text");
  EXPECT_FALSE(xc20p_open(key.expose(), nonce, as_bytes("da"), sealed).has_value());
  for (std::size_t length = 0; length < sealed.size(); ++length) {
    const ByteView cut = ByteView(sealed).first(length);
    EXPECT_FALSE(xc20p_open(key.expose(), nonce, as_bytes("ad"), cut).has_value());
    EXPECT_FALSE(xc20p_open_secret(key.expose(), nonce, as_bytes("ad"), cut).has_value());
  }
}

TEST(AeadDeathTest, AssertsTheSizesOfOurOwnKeysAndIvs) {
  const Bytes iv(12);
  EXPECT_DEATH(
      static_cast<void>(aead_encrypt(ContentEncryption::a256gcm, SecretBytes(16), iv, {}, {})),
      "assertion");
  EXPECT_DEATH(
      static_cast<void>(aead_encrypt(ContentEncryption::xc20p, SecretBytes(32), iv, {}, {})),
      "assertion");
}

}  // namespace
}  // namespace kith::crypto
