#include "crypto/passphrase_strength.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace kith::crypto {
namespace {

// Tenths of a bit, so that sums stay whole numbers.
constexpr std::size_t kLetter = 24;  ///< Words of a list of 8000 have 13 bits, and 5 letters.
constexpr std::size_t kDigit = 33;
constexpr std::size_t kOther = 45;
constexpr std::size_t kForeign = 30;  ///< Each byte of what is not ASCII.
constexpr std::size_t kKnown = 30;    ///< A part that stands on every guesser's first page.
constexpr std::size_t kCapital = 10;  ///< A change of case inside a word.
constexpr std::size_t kYear = 60;

/// What the first page of every guesser has; parts are compared without case.
constexpr auto kCommon = std::to_array<std::string_view>({
    "password", "passwort", "passphrase", "passw",  "qwerty", "qwertz",  "azerty",   "letmein",
    "welcome",  "iloveyou", "monkey",     "admin",  "login",  "dragon",  "master",   "secret",
    "sunshine", "princess", "football",   "abc",    "hello",  "freedom", "whatever", "trustno",
    "kith",     "wallet",   "bitcoin",    "asdf",   "zxcv",   "test",    "changeme", "superman",
    "michael",  "summer",   "winter",     "spring", "autumn", "love",    "baseball", "starwars",
});

enum class PartKind { letters, digits, other };

PartKind kind_of(std::uint8_t byte) {
  if (byte >= '0' && byte <= '9') return PartKind::digits;
  const auto lower = static_cast<std::uint8_t>(byte | 0x20U);
  return lower >= 'a' && lower <= 'z' ? PartKind::letters : PartKind::other;
}

std::uint8_t lower(std::uint8_t byte) {
  return kind_of(byte) == PartKind::letters ? static_cast<std::uint8_t>(byte | 0x20U) : byte;
}

bool same_word(ByteView a, ByteView b) {
  return std::ranges::equal(a, b, [](auto x, auto y) { return lower(x) == lower(y); });
}

/// One step from each byte to the next: 0 is a repetition, 1 and -1 are sequences.
bool is_run(ByteView part) {
  if (part.size() < 3) return false;
  const int step = lower(part[1]) - lower(part[0]);
  if (step < -1 || step > 1) return false;
  for (std::size_t i = 2; i < part.size(); ++i) {
    if (lower(part[i]) - lower(part[i - 1]) != step) return false;
  }
  return true;
}

bool is_common(ByteView part) {
  return std::ranges::any_of(
      kCommon, [&](std::string_view known) { return same_word(part, as_bytes(known)); });
}

bool is_year(ByteView part) {
  return part.size() == 4 &&
         ((part[0] == '1' && part[1] == '9') || (part[0] == '2' && part[1] == '0'));
}

std::size_t of_letters(ByteView part) {
  std::size_t tenths = kLetter * part.size();
  for (std::size_t i = 1; i < part.size(); ++i) {
    if (((part[i] ^ part[i - 1]) & 0x20U) != 0) tenths += kCapital;
  }
  return tenths;
}

std::size_t of_other(ByteView part) {
  std::size_t tenths = 0;
  for (const std::uint8_t byte : part) {
    tenths += byte >= 0x80 ? kForeign : byte == ' ' || byte == '-' || byte == '_' ? 0 : kOther;
  }
  return tenths;
}

/// Letters in a row, digits in a row, what is between.
std::vector<ByteView> parts_of(ByteView text) {
  std::vector<ByteView> parts;
  std::size_t begin = 0;
  for (std::size_t i = 1; i <= text.size(); ++i) {
    if (i < text.size() && kind_of(text[i]) == kind_of(text[begin])) continue;
    parts.push_back(text.subspan(begin, i - begin));
    begin = i;
  }
  return parts;
}

}  // namespace

PassphraseStrength passphrase_strength(const SecretBytes& passphrase) {
  const std::vector<ByteView> parts = parts_of(passphrase.expose());
  std::size_t tenths = 0;
  PassphraseStrength found{0, "it is too short"};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const ByteView part = parts[i];
    const bool repeated = part.size() > 1 &&
                          std::any_of(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(i),
                                      [&](ByteView before) { return same_word(before, part); });
    if (repeated) found.why = "it repeats itself";
    if (is_run(part)) found.why = "it has letters or digits in a row";
    if (is_common(part)) found.why = "it has a word that everybody tries first";
    if (repeated || is_run(part) || is_common(part)) {
      tenths += kKnown;
    } else if (kind_of(part[0]) == PartKind::letters) {
      tenths += of_letters(part);
    } else if (kind_of(part[0]) == PartKind::digits) {
      tenths += is_year(part) ? kYear : kDigit * part.size();
    } else {
      tenths += of_other(part);
    }
  }
  found.bits = tenths / 10;
  return found;
}

}  // namespace kith::crypto
