#include "ledger/signed_note.hpp"

#include <algorithm>

#include "crypto/assert.hpp"
#include "crypto/hash.hpp"
#include "crypto/limits.hpp"
#include "ledger/witness_limits.hpp"

namespace kith::ledger {
namespace {

constexpr std::string_view kSignatureStart = "\xE2\x80\x94 ";  // Em dash, space.
constexpr std::size_t kKeyIdBytes = 4;

/// Base64 is base64url with two other characters and padding.
char to_url(char c) {
  return c == '+' ? '-' : c == '/' ? '_' : c;
}
char from_url(char c) {
  return c == '-' ? '+' : c == '_' ? '/' : c;
}

/// Printable ASCII and newlines.
bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= ' ' && c < 0x7F) || c == '\n'; });
}

Result<NoteSignature> parse_signature(std::string_view line) {
  if (!line.starts_with(kSignatureStart)) {
    return fail(Errc::malformed, "a signature of a note starts with a dash");
  }
  line.remove_prefix(kSignatureStart.size());
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || !is_key_name(line.substr(0, space))) {
    return fail(Errc::malformed, "a signature of a note names no key");
  }
  TRY(const Bytes bytes, from_base64(line.substr(space + 1)));
  if (bytes.size() <= kKeyIdBytes) return fail(Errc::malformed, "a signature of a note is empty");
  NoteSignature signature;
  signature.name = line.substr(0, space);
  for (std::size_t i = 0; i < kKeyIdBytes; ++i) {
    signature.key_id = signature.key_id << 8 | bytes[i];
  }
  signature.signature.assign(bytes.begin() + kKeyIdBytes, bytes.end());
  return signature;
}

}  // namespace

std::string base64(ByteView bytes) {
  std::string text = crypto::base64url(bytes);
  std::ranges::transform(text, text.begin(), from_url);
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

Result<Bytes> from_base64(std::string_view text) {
  if (text.size() % 4 != 0 || text.find_first_of("-_") != std::string_view::npos) {
    return fail(Errc::malformed, "not padded base64");
  }
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  std::string url(text);
  std::ranges::transform(url, url.begin(), to_url);
  return crypto::from_base64url(url);
}

bool is_key_name(std::string_view name) {
  return !name.empty() && name.find('+') == std::string_view::npos &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7F; });
}

Result<SignedNote> parse_note(std::string_view note) {
  if (note.size() > limits::kNoteBytesMax)
    return fail(Errc::limit_exceeded, "a signed note is too long");
  // The last empty line: texts may hold others.
  const std::size_t empty_line = note.rfind("\n\n");
  if (empty_line == std::string_view::npos || !note.ends_with('\n')) {
    return fail(Errc::malformed, "a note is not signed");
  }
  SignedNote parsed;
  parsed.text = note.substr(0, empty_line + 1);
  if (!is_plain(parsed.text)) return fail(Errc::malformed, "a signed note is not plain text");
  std::string_view rest = note.substr(empty_line + 2);
  if (rest.empty()) return fail(Errc::malformed, "a note is not signed");
  while (!rest.empty()) {
    if (parsed.signatures.size() == limits::kNoteSignaturesMax) {
      return fail(Errc::limit_exceeded, "a note has too many signatures");
    }
    const std::size_t end = rest.find('\n');
    TRY(NoteSignature signature, parse_signature(rest.substr(0, end)));
    parsed.signatures.push_back(std::move(signature));
    rest.remove_prefix(end + 1);
  }
  return parsed;
}

std::string note_text(const SignedNote& note) {
  ASSERT(note.text.ends_with('\n') && !note.signatures.empty());
  std::string text = note.text + "\n";
  for (const NoteSignature& signature : note.signatures) {
    ASSERT(is_key_name(signature.name));
    Bytes bytes;
    crypto::append_u32_be(bytes, signature.key_id);
    bytes.insert(bytes.end(), signature.signature.begin(), signature.signature.end());
    text.append(kSignatureStart).append(signature.name).append(" ").append(base64(bytes));
    text.push_back('\n');
  }
  return text;
}

std::uint32_t note_key_id(std::string_view name, NoteSignatureType type, const PublicKey& key) {
  const std::string start = std::string(name) + "\n" + static_cast<char>(type);
  const auto hash = crypto::Sha256().update(crypto::as_bytes(start)).update(key.bytes).finish();
  std::uint32_t id = 0;
  for (std::size_t i = 0; i < kKeyIdBytes; ++i) id = id << 8 | hash[i];
  return id;
}

std::string verifier_key(std::string_view name, NoteSignatureType type, const PublicKey& key) {
  ASSERT(key.type == KeyType::ed25519 && is_key_name(name));
  Bytes id;
  crypto::append_u32_be(id, note_key_id(name, type, key));
  Bytes typed{static_cast<std::uint8_t>(type)};
  typed.insert(typed.end(), key.bytes.begin(), key.bytes.end());
  return std::string(name) + "+" + crypto::hex(id) + "+" + base64(typed);
}

Result<VerifierKey> parse_verifier_key(std::string_view text) {
  if (text.size() > witness_limits::kVerifierKeyCharsMax) {
    return fail(Errc::limit_exceeded, "a verifier key is too long");
  }
  const std::size_t first = text.find('+');
  const std::size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos || !is_key_name(text.substr(0, first))) {
    return fail(Errc::malformed, "a verifier key is NAME+ID+KEY");
  }
  TRY(const Bytes typed, from_base64(text.substr(second + 1)));
  if (typed.empty()) return fail(Errc::malformed, "a verifier key holds no key");
  VerifierKey parsed;
  parsed.name = text.substr(0, first);
  parsed.type = NoteSignatureType{typed.front()};
  if (parsed.type != NoteSignatureType::ed25519 && parsed.type != NoteSignatureType::cosignature) {
    return fail(Errc::unsupported, "only Ed25519 verifier keys are known here");
  }
  parsed.key = {KeyType::ed25519, Bytes(typed.begin() + 1, typed.end())};
  CHECK(crypto::check_public_key(parsed.key));
  if (verifier_key(parsed.name, parsed.type, parsed.key) != text) {
    return fail(Errc::malformed, "the id in a verifier key is not that of its name and key");
  }
  return parsed;
}

}  // namespace kith::ledger
