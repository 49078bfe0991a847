#include "crypto/key_wrap.hpp"

#include <gtest/gtest.h>

#include "tests/support/vectors.hpp"

namespace kith::crypto {
namespace {

SecretBytes secret_hex(std::string_view text) {
  auto bytes = from_hex(text);
  EXPECT_TRUE(bytes.has_value());
  return bytes.has_value() ? SecretBytes::take(*bytes) : SecretBytes();
}

TEST(KeyWrap, GivesTheAnswerOfRfc3394) {
  const SecretBytes kek =
      secret_hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  const SecretBytes key =
      secret_hex("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f");
  const auto wrapped = wrap_key(kek, key);
  ASSERT_TRUE(wrapped.has_value());
  EXPECT_EQ(hex(*wrapped),
            "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21");
}

TEST(KeyWrap, AgreesWithWycheproof) {
  LOAD_VECTORS(file, "wycheproof/aes_wrap_test.json");
  int ours = 0;
  test::for_each_case(file, [&](const JsonObject& group, const JsonObject& one) {
    if (test::int_of(group, "keySize") != 256) return;  // Kith wraps with AES-256 only.
    ++ours;
    const SecretBytes kek = SecretBytes::copy_of(test::hex_of(one, "key"));
    const SecretBytes key = SecretBytes::copy_of(test::hex_of(one, "msg"));
    const Bytes wrapped = test::hex_of(one, "ct");
    const auto unwrapped = unwrap_key(kek, wrapped);
    // "acceptable" are keys of 8 bytes, which RFC 3394 does not define: refused.
    if (test::text_of(one, "result") != "valid") {
      ASSERT_FALSE(unwrapped.has_value());
      EXPECT_EQ(unwrapped.error(), Errc::cannot_decrypt);
      const auto made = wrap_key(kek, key);
      if (made.has_value()) {
        EXPECT_NE(*made, wrapped);
      }
      return;
    }
    ASSERT_TRUE(unwrapped.has_value());
    EXPECT_TRUE(equal_constant_time(unwrapped->expose(), key.expose()));
    const auto made = wrap_key(kek, key);
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(*made, wrapped);
  });
  EXPECT_EQ(ours, 68);
}

TEST(KeyWrap, RefusesKeysItCannotWrap) {
  const SecretBytes kek(32);
  for (const std::size_t length : {0u, 8u, 15u, 17u, 33u, 1032u}) {
    const auto wrapped = wrap_key(kek, SecretBytes(length));
    ASSERT_FALSE(wrapped.has_value()) << length;
    EXPECT_EQ(wrapped.error(), Errc::bad_key);
  }
  EXPECT_TRUE(wrap_key(kek, SecretBytes(1024)).has_value());
}

TEST(KeyWrap, RefusesImpossibleLengthsAndChangedBytes) {
  const SecretBytes kek(32);
  auto wrapped = wrap_key(kek, SecretBytes(64));
  ASSERT_TRUE(wrapped.has_value());
  ASSERT_EQ(wrapped->size(), 72u);
  for (std::uint8_t& byte : *wrapped) {
    byte ^= 1;
    EXPECT_FALSE(unwrap_key(kek, *wrapped).has_value());
    byte ^= 1;
  }
  EXPECT_TRUE(unwrap_key(kek, *wrapped).has_value());
  for (const std::size_t length : {0u, 8u, 16u, 23u, 71u, 2048u}) {
    const auto unwrapped = unwrap_key(kek, Bytes(length));
    ASSERT_FALSE(unwrapped.has_value()) << length;
    EXPECT_EQ(unwrapped.error(), Errc::cannot_decrypt);
  }
}

/// Takes one length-prefixed field off the front.
ByteView take_field(ByteView& from) {
  if (from.size() < 4) return {};
  const std::size_t length = std::size_t{from[0]} << 24 | std::size_t{from[1]} << 16 |
                             std::size_t{from[2]} << 8 | std::size_t{from[3]};
  if (from.size() - 4 < length) {
    ADD_FAILURE() << "a field runs over";
    return {};
  }
  const ByteView field = from.subspan(4, length);
  from = from.subspan(4 + length);
  return field;
}

TEST(ConcatKdf, GivesTheKeysOfTheDidcommExamples) {
  LOAD_VECTORS(file, "didcomm/spec.json");
  int checked = 0;
  for (const Json& example : file.as_object().at("examples").as_array()) {
    const Json* const layers = example.as_object().if_contains("layers");
    if (layers == nullptr) continue;
    for (const Json& layer : layers->as_array()) {
      const Json* const kdf = layer.as_object().if_contains("kdf");
      if (kdf == nullptr) continue;
      for (const Json& each : kdf->as_array()) {
        const JsonObject& one = each.as_object();
        Bytes z = test::hex_of(one, "Ze");
        if (one.contains("Zs")) append(z, test::hex_of(one, "Zs"));
        const Bytes other_info = test::hex_of(one, "otherInfo");
        ByteView rest(other_info);
        const ByteView alg = take_field(rest);
        const ByteView apu = take_field(rest);
        const ByteView apv = take_field(rest);
        ASSERT_EQ(hex(rest.first(4)), "00000100");
        rest = rest.subspan(4);
        const ByteView tag = take_field(rest);
        EXPECT_EQ(tag.empty(), !one.contains("Zs"));
        const SecretBytes kek = concat_kdf(z, as_text(alg), apu, apv, tag);
        EXPECT_EQ(hex(kek.expose()), test::text_of(one, "kek"));
        const SecretBytes without = concat_kdf(z, as_text(alg), apu, apv, as_bytes("other"));
        EXPECT_NE(hex(without.expose()), test::text_of(one, "kek"));
        ++checked;
      }
    }
  }
  EXPECT_EQ(checked, 16);
}

}  // namespace
}  // namespace kith::crypto
