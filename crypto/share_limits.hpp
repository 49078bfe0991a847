#pragma once

/// Limits of shares that people keep without Kith (slip39.hpp, file_shares.hpp), each with its
/// reason.

#include <cstddef>
#include <cstdint>

namespace kith::crypto::share_limits {

/// SLIP-0039: a secret has at least 128 bits, and whole 16-bit words.
inline constexpr std::size_t kSlip39SecretBytesMin = 16;
/// A BIP-39 seed; the mnemonic of it has 59 words, and nobody writes down more.
inline constexpr std::size_t kSlip39SecretBytesMax = 64;
inline constexpr std::size_t kSlip39WordsMin = 20;
inline constexpr std::size_t kSlip39WordsMax = 59;
/// Four bits each (SLIP-0039 "Format of the share mnemonic").
inline constexpr std::size_t kSlip39GroupsMax = 16;
inline constexpr std::size_t kSlip39MembersMax = 16;
/// 10,000 times two to this many hashes: ten million take a second or a few. The mnemonic says the
/// number, so a forged one could ask for an hour's work.
inline constexpr std::uint8_t kSlip39ExponentMax = 10;
inline constexpr std::size_t kSlip39PassphraseCharsMax = 1024;

/// What people share out beside recovery: a letter, keys of other programs, a small archive.
inline constexpr std::size_t kFileBytesMax = 64 * 1024;
/// x is one byte, and 0 is the content itself.
inline constexpr std::size_t kFileSharesMax = 255;
/// A line: the value in base64url with its frame, and room for members that later versions add.
inline constexpr std::size_t kFileShareLineBytesMax = 96 * 1024;

}  // namespace kith::crypto::share_limits
