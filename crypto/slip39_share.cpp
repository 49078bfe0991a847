#include "crypto/slip39_share.hpp"

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "crypto/share_limits.hpp"
#include "crypto/slip39_words.hpp"

namespace kith::crypto {
namespace {

using namespace share_limits;

constexpr std::size_t kHeadWords = 4;
constexpr std::size_t kChecksumWords = 3;
constexpr unsigned kWordBits = 10;
/// More zero bits than these before the value mean that words are missing.
constexpr unsigned kPaddingBitsMax = 8;

/// A mnemonic as numbers.
struct Words {
  std::array<std::uint16_t, kSlip39WordsMax> at{};
  std::size_t count = 0;

  Words() = default;
  Words(const Words&) = delete;
  Words& operator=(const Words&) = delete;
  Words(Words&&) = delete;
  Words& operator=(Words&&) = delete;
  ~Words() { wipe({reinterpret_cast<std::uint8_t*>(at.data()), sizeof at}); }

  void push(std::uint32_t bits) { at.at(count++) = static_cast<std::uint16_t>(bits & 0x3ff); }
  [[nodiscard]] std::span<const std::uint16_t> value() const {
    return std::span(at).first(count - kChecksumWords).subspan(kHeadWords);
  }
};

/// One step of RS1024, a Reed-Solomon code over GF(1024).
std::uint32_t checksum_step(std::uint32_t sum, std::uint32_t value) {
  constexpr std::array<std::uint32_t, 10> kGenerator = {
      0x00e0e040, 0x01c1c080, 0x03838100, 0x07070200, 0x0e0e0009,
      0x1c0c2412, 0x38086c24, 0x3090fc48, 0x21b1f890, 0x03f3f120,
  };
  const std::uint32_t top = sum >> 20;
  sum = (sum & 0xfffff) << kWordBits ^ value;
  for (unsigned i = 0; i < kGenerator.size(); ++i) {
    sum ^= kGenerator[i] & (0 - (top >> i & 1));
  }
  return sum;
}

/// 1 for words whose checksum fits.
std::uint32_t checksum_of(const Words& words, bool extendable) {
  std::uint32_t sum = 1;
  for (const char letter : std::string_view(extendable ? "shamir_extendable" : "shamir")) {
    sum = checksum_step(sum, static_cast<std::uint8_t>(letter));
  }
  for (std::size_t i = 0; i < words.count; ++i) sum = checksum_step(sum, words.at.at(i));
  return sum;
}

void push_value(Words& words, ByteView value) {
  const auto value_bits = static_cast<unsigned>(8 * value.size());
  std::uint32_t bits = 0;
  unsigned held = (kWordBits - value_bits % kWordBits) % kWordBits;  // Padding, in front.
  for (const std::uint8_t byte : value) {
    bits = bits << 8 | byte;
    held += 8;
    if (held < kWordBits) continue;
    held -= kWordBits;
    words.push(bits >> held);
  }
}

void push_checksum(Words& words, bool extendable) {
  const std::size_t end = words.count;
  for (std::size_t i = 0; i < kChecksumWords; ++i) words.push(0);
  const std::uint32_t sum = checksum_of(words, extendable) ^ 1;
  words.count = end;
  for (const unsigned shift : {20U, 10U, 0U}) words.push(sum >> shift);
}

/// Errors: malformed.
Result<SecretBytes> read_value(std::span<const std::uint16_t> words) {
  const auto all_bits = static_cast<unsigned>(words.size()) * kWordBits;
  const unsigned padding = all_bits % 16;
  if (padding > kPaddingBitsMax) return fail(Errc::malformed, "it has a word too few or too many");
  SecretBytes value((all_bits - padding) / 8);
  if (words.front() >> (kWordBits - padding) != 0) {
    return fail(Errc::malformed, "no program that follows the standard wrote it");
  }
  std::uint32_t bits = words.front();
  unsigned held = kWordBits - padding;
  std::size_t next = 1;
  for (std::uint8_t& byte : value.expose_mutable()) {
    if (held < 8) {
      bits = bits << kWordBits | words[next++];
      held += kWordBits;
    }
    held -= 8;
    byte = static_cast<std::uint8_t>(bits >> held);
  }
  return value;
}

bool is_space(std::uint8_t letter) {
  return letter == ' ' || (letter >= '\t' && letter <= '\r');
}

Result<void> read_words(ByteView text, Words& words) {
  std::size_t at = 0;
  while (true) {
    while (at < text.size() && is_space(text[at])) ++at;
    if (at == text.size()) break;
    const std::size_t begin = at;
    while (at < text.size() && !is_space(text[at])) ++at;
    if (words.count == kSlip39WordsMax) return fail(Errc::malformed, "it has too many words");
    const auto index = slip39_index(as_text(text.subspan(begin, at - begin)));
    if (!index) {
      return fail(Errc::malformed,
                  "word " + std::to_string(words.count + 1) + " is not one of the word list");
    }
    words.push(*index);
  }
  if (words.count < kSlip39WordsMin) {
    return fail(Errc::malformed, "it has " + std::to_string(words.count) +
                                     " words; the shortest that there are have 20");
  }
  return {};
}

}  // namespace

SecretBytes write_slip39_mnemonic(const Slip39Share& share) {
  Words words;
  const std::uint32_t set = static_cast<std::uint32_t>(share.identifier) << 5 |
                            (share.extendable ? 1U << 4 : 0U) | share.exponent;
  words.push(set >> kWordBits);
  words.push(set);
  std::uint32_t place = share.group_index;
  for (const unsigned field : {share.group_threshold - 1U, share.group_count - 1U,
                               unsigned{share.member_index}, share.member_threshold - 1U}) {
    place = place << 4 | field;
  }
  words.push(place >> kWordBits);
  words.push(place);
  push_value(words, share.value.expose());
  push_checksum(words, share.extendable);

  SecretBytes room(words.count * (kSlip39LettersMax + 1));
  std::size_t end = 0;
  for (std::size_t i = 0; i < words.count; ++i) {
    if (i > 0) room.expose_mutable()[end++] = ' ';
    append_slip39_word(words.at.at(i), room, end);
  }
  return SecretBytes::copy_of(room.expose().first(end));
}

Result<Slip39Share> read_slip39_mnemonic(ByteView text) {
  Words words;
  CHECK(read_words(text, words));
  Slip39Share share;
  const std::uint32_t set = std::uint32_t{words.at[0]} << kWordBits | words.at[1];
  share.identifier = static_cast<std::uint16_t>(set >> 5);
  share.extendable = (set >> 4 & 1) != 0;
  share.exponent = set & 0xf;
  if (checksum_of(words, share.extendable) != 1) {
    return fail(Errc::malformed,
                "a word is wrong, or two are exchanged: the checksum does not fit");
  }
  const std::uint32_t place = std::uint32_t{words.at[2]} << kWordBits | words.at[3];
  share.group_index = place >> 16 & 0xf;
  share.group_threshold = static_cast<std::uint8_t>((place >> 12 & 0xf) + 1);
  share.group_count = static_cast<std::uint8_t>((place >> 8 & 0xf) + 1);
  share.member_index = place >> 4 & 0xf;
  share.member_threshold = static_cast<std::uint8_t>((place & 0xf) + 1);
  if (share.group_threshold > share.group_count) {
    return fail(Errc::malformed, "it asks for more groups than there are");
  }
  TRY(share.value, read_value(words.value()));
  return share;
}

}  // namespace kith::crypto
