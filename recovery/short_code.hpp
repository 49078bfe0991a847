#pragma once

/// The short codes that two people read to each other (recovery-protocol section 8). The device
/// commits to its nonce before it sees the trustee's, so a machine in the middle gets one guess.
///
///   c = H("code", n_D, transcript); trustee sends n_T; device reveals n_D
///   stream j = H("code-digits", transcript, n_D, n_T, u32 j), j = 0, 1, ...
///
/// The streams' bytes, read as u32 big-endian words in order: a word of 4294000000 or more is
/// skipped, any other gives word mod 10^6, so every code is equally likely. A is the first code, B
/// the first after it that differs from A.

#include <string>
#include <string_view>

#include "crypto/key.hpp"
#include "recovery/ids.hpp"

namespace kith::recovery {

using CodeNonce = std::array<std::uint8_t, 32>;

struct CodeTranscript {
  std::string invitation_id;
  SessionId session_id{};
  PublicKey session_key;     ///< The device's, of this session.
  PublicKey connection_key;  ///< The trustee's.
};

[[nodiscard]] Digest code_commitment(const CodeNonce& device_nonce,
                                     const CodeTranscript& transcript);
/// The trustee's check of the reveal. Errors: code_mismatch.
[[nodiscard]] Result<void> check_code_reveal(const Digest& commitment,
                                             const CodeNonce& device_nonce,
                                             const CodeTranscript& transcript);

struct ShortCodes {
  std::string shown_by_device;   ///< A: six digits; the trustee's user types it.
  std::string shown_by_trustee;  ///< B: six digits, never A; the device's user types it.
};
[[nodiscard]] ShortCodes short_codes(const CodeTranscript& transcript,
                                     const CodeNonce& device_nonce, const CodeNonce& trustee_nonce);

/// Compares what was typed; blanks and hyphens between digits are ignored.
[[nodiscard]] bool code_matches(std::string_view shown, std::string_view typed);

}  // namespace kith::recovery
