#include "crypto/passphrase_strength.hpp"

#include <gtest/gtest.h>

#include "crypto/limits.hpp"

namespace kith::crypto {
namespace {

bool strong(std::string_view text) {
  return passphrase_strength(SecretBytes::copy_of(as_bytes(text))).bits >=
         limits::kPassphraseBitsMin;
}

TEST(PassphraseStrength, TakesSeveralWordsAndLongRandomText) {
  for (const char* good : {"gravel unicorn teapot sideways", "correct horse battery staple",
                           "marble lantern 5561 orchid", "vK4pQ9xWz2mTf7", "8h!kW2_qZ$7pL?",
                           "брусника на подоконнике"}) {
    EXPECT_TRUE(strong(good)) << good;
  }
}

TEST(PassphraseStrength, RefusesWhatGuessersTryFirst) {
  for (const char* bad :
       {"", "a", "password", "Password1!", "passphrase passphrase passphrase passphrase",
        "Summer2024!", "qwertz123456", "abcdefghijklmnopqrstuvwxyz", "11111111111111111111",
        "letmein letmein", "aaaa bbbb cccc dddd", "horse", "kith wallet 1999",
        "blue blue blue blue blue blue"}) {
    EXPECT_FALSE(strong(bad)) << bad;
  }
}

TEST(PassphraseStrength, SaysWhy) {
  const auto why = [](std::string_view text) {
    return passphrase_strength(SecretBytes::copy_of(as_bytes(text))).why;
  };
  EXPECT_NE(why("ab").find("short"), std::string_view::npos);
  EXPECT_NE(why("password").find("tries first"), std::string_view::npos);
  EXPECT_NE(why("12345678").find("in a row"), std::string_view::npos);
  EXPECT_NE(why("tulip tulip").find("repeats"), std::string_view::npos);
}

}  // namespace
}  // namespace kith::crypto
