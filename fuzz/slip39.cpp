// Mnemonics and shares of files: what is read is written as it was, and is worth no more than its
// parts.

#include "crypto/slip39.hpp"
#include "crypto/file_shares.hpp"
#include "crypto/slip39_share.hpp"
#include "fuzz/target.hpp"

namespace kith::fuzz {
namespace {

using crypto::Slip39Share;

std::string value_text(const Slip39Share& share) {
  return crypto::hex(share.value.expose());
}

void check_mnemonic(const Slip39Share& share) {
  const SecretBytes words = crypto::write_slip39_mnemonic(share);
  const std::string text = written(std::string(crypto::as_text(words.expose())));
  const Slip39Share again = must(crypto::read_slip39_mnemonic(crypto::as_bytes(text)),
                                 "what was written can be read again");
  hold(value_text(again) == value_text(share), "the value stays the same");
  hold(again.identifier == share.identifier, "the set stays the same");
  hold(again.member_index == share.member_index, "the place stays the same");
}

}  // namespace

Verdict slip39(ByteView input) {
  const auto share = crypto::read_slip39_mnemonic(input);
  if (!share.has_value()) {
    // The other form of shares that people keep: one line of JSON.
    std::vector<SecretBytes> lines;
    lines.push_back(SecretBytes::copy_of(input));
    const auto file = crypto::combine_file(lines);
    hold(!file.has_value(), "one share alone gives nothing");
    return Verdict::refused;
  }
  check_mnemonic(*share);
  std::vector<SecretBytes> mnemonics;
  mnemonics.push_back(SecretBytes::copy_of(input));
  const auto secret = crypto::slip39_combine(mnemonics, {}, 0);
  if (secret.has_value()) {
    hold(share->group_threshold == 1, "one mnemonic is enough only where it says so");
    hold(share->member_threshold == 1, "one mnemonic is enough only where it says so");
    hold(secret->size() == share->value.size(), "the secret is as long as its share");
  }
  return Verdict::accepted;
}

}  // namespace kith::fuzz
