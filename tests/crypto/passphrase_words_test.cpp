#include "crypto/passphrase_words.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "crypto/limits.hpp"
#include "crypto/passphrase_strength.hpp"
#include "crypto/slip39_words.hpp"

namespace kith::crypto {
namespace {

TEST(PassphraseWords, AreSevenOfTheListAndStrongEnough) {
  SeededRandom random(1, "proposals");
  std::set<std::string> seen;
  for (int i = 0; i < 2000; ++i) {
    const SecretBytes proposal = propose_passphrase(random);
    std::string text(as_text(proposal.expose()));
    EXPECT_GE(passphrase_strength(proposal).bits, limits::kPassphraseBitsMin) << text;
    EXPECT_TRUE(seen.insert(text).second) << text;
    int words = 0;
    for (std::size_t begin = 0; begin < text.size(); ++words) {
      const std::size_t end = std::min(text.find(' ', begin), text.size());
      EXPECT_TRUE(slip39_index(text.substr(begin, end - begin))) << text;
      begin = end + 1;
    }
    EXPECT_EQ(words, kProposedWords) << text;
  }
}

}  // namespace
}  // namespace kith::crypto
