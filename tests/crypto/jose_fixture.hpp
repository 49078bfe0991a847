#pragma once

/// Keys and text surgery for the tests of JWS and JWE.

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>

#include "crypto/json.hpp"
#include "crypto/key_ops.hpp"
#include "crypto/random.hpp"
#include "crypto/software_keys.hpp"

namespace kith::test {

struct Party {
  std::string kid;
  PublicKey public_key;
  SealedKey sealed;
};

class JoseTest : public ::testing::Test {
 protected:
  Party make(std::string kid, KeyType type) {
    const KeyPurpose purpose =
        crypto::can_sign(type) ? KeyPurpose::authenticate : KeyPurpose::agree;
    return make(std::move(kid), type, purpose);
  }
  /// P-256 keys may be for either.
  Party make(std::string kid, KeyType type, KeyPurpose purpose) {
    auto pair = keys_.generate(type, purpose);
    EXPECT_TRUE(pair.has_value());
    return Party{std::move(kid), pair->public_key, pair->sealed};
  }

  crypto::SeededRandom random_{41, "jose"};
  SoftwareKeys keys_{random_.secret(32), random_};
};

inline JsonObject object_of(std::string_view text) {
  auto value = crypto::parse_json(text);
  EXPECT_TRUE(value.has_value()) << text.substr(0, 200);
  return value.has_value() && value->is_object() ? value->get_object() : JsonObject();
}

/// Gives the text with its object changed by `change`.
inline std::string edited(std::string_view text, const std::function<void(JsonObject&)>& change) {
  JsonObject object = object_of(text);
  change(object);
  return crypto::json_text(object);
}

inline std::string decoded(const Json& base64url_text) {
  const auto bytes = crypto::from_base64url(std::string_view(base64url_text.as_string()));
  EXPECT_TRUE(bytes.has_value());
  return bytes.has_value() ? std::string(crypto::as_text(*bytes)) : std::string();
}

inline std::string encoded(std::string_view text) {
  return crypto::base64url(crypto::as_bytes(text));
}

/// Another valid base64url text of the same length: the first character changed.
inline void flip_first(Json& base64url_text) {
  auto& text = base64url_text.as_string();
  text[0] = text[0] == 'A' ? 'B' : 'A';
}

/// A header that is encoded into `holder["protected"]`, changed and encoded again.
inline void edit_protected(JsonObject& holder, const std::function<void(JsonObject&)>& change) {
  holder["protected"] = encoded(edited(decoded(holder["protected"]), change));
}

}  // namespace kith::test
