#include "crypto/passphrase_words.hpp"

#include "crypto/slip39_words.hpp"

namespace kith::crypto {

SecretBytes propose_passphrase(Random& random) {
  SecretBytes room(kProposedWords * (kSlip39LettersMax + 1));
  std::size_t end = 0;
  for (int i = 0; i < kProposedWords; ++i) {
    if (i > 0) room.expose_mutable()[end++] = ' ';
    append_slip39_word(static_cast<std::uint16_t>(random.below(kSlip39WordCount)), room, end);
  }
  return SecretBytes::copy_of(room.expose().first(end));
}

}  // namespace kith::crypto
