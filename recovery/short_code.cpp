#include "recovery/short_code.hpp"

#include "crypto/hash.hpp"

namespace kith::recovery {
namespace {

constexpr std::uint32_t kCodes = 1000000;
/// The largest multiple of kCodes that fits; words from here on are skipped.
constexpr std::uint32_t kUnbiased = 4294000000;
static_assert(kUnbiased % kCodes == 0 && kUnbiased + std::uint64_t{kCodes} > 0xffffffff);

Bytes transcript_bytes(const CodeTranscript& transcript) {
  const auto type = [](const PublicKey& key) {
    return std::array<std::uint8_t, 1>{static_cast<std::uint8_t>(key.type)};
  };
  return labelled("code-transcript",
                  {crypto::as_bytes(transcript.invitation_id), transcript.session_id,
                   type(transcript.session_key), transcript.session_key.bytes,
                   type(transcript.connection_key), transcript.connection_key.bytes});
}

std::string six_digits(std::uint32_t number) {
  std::string text = std::to_string(number);
  return std::string(6 - text.size(), '0') + text;
}

}  // namespace

Digest code_commitment(const CodeNonce& device_nonce, const CodeTranscript& transcript) {
  return crypto::digest(label("code"), {device_nonce, transcript_bytes(transcript)});
}

Result<void> check_code_reveal(const Digest& commitment, const CodeNonce& device_nonce,
                               const CodeTranscript& transcript) {
  if (code_commitment(device_nonce, transcript) != commitment) {
    return fail(Errc::code_mismatch, "the device revealed another number than it committed to");
  }
  return {};
}

ShortCodes short_codes(const CodeTranscript& transcript, const CodeNonce& device_nonce,
                       const CodeNonce& trustee_nonce) {
  const Bytes over = transcript_bytes(transcript);
  ShortCodes codes;
  for (std::uint32_t block = 0; codes.shown_by_trustee.empty(); ++block) {
    Bytes number;
    crypto::append_u32_be(number, block);
    const Digest stream =
        crypto::digest(label("code-digits"), {over, device_nonce, trustee_nonce, number});
    for (std::size_t at = 0; at < stream.size() && codes.shown_by_trustee.empty(); at += 4) {
      std::uint32_t word = 0;
      for (std::size_t i = 0; i < 4; ++i) word = word << 8 | stream[at + i];
      if (word >= kUnbiased) continue;
      std::string code = six_digits(word % kCodes);
      if (codes.shown_by_device.empty()) {
        codes.shown_by_device = std::move(code);
      } else if (code != codes.shown_by_device) {
        codes.shown_by_trustee = std::move(code);
      }
    }
  }
  return codes;
}

bool code_matches(std::string_view shown, std::string_view typed) {
  std::string digits;
  for (const char c : typed.substr(0, 64)) {
    if (c != ' ' && c != '-') digits.push_back(c);
  }
  return typed.size() <= 64 && digits == shown;
}

}  // namespace kith::recovery
