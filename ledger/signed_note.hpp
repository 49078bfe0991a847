#pragma once

/// Text that one or more keys signed (C2SP signed-note): the form of checkpoints, so that witnesses
/// and tools of other transparency logs can read ours.
///
///     <text, ending in a newline>
///     <empty line>
///     — <key name> <base64(u32 BE key id || signature)>      one line a signature
///
/// Narrower than the specification: text and names are ASCII, since origins and key names here are.
/// Pure. Notes come from hosts and witnesses: everything is checked and bounded here, but a note
/// means nothing until a known key's signature in it was verified (checkpoint.hpp).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/key.hpp"
#include "crypto/result.hpp"

namespace kith::ledger {

/// What a key's signatures mean; part of its key id. Values of the specification.
enum class NoteSignatureType : std::uint8_t {
  ed25519 = 0x01,      ///< Of the text.
  cosignature = 0x04,  ///< Ed25519, of the text and a time (C2SP tlog-cosignature).
};

struct NoteSignature {
  std::string name;
  std::uint32_t key_id = 0;
  Bytes signature;
  friend bool operator==(const NoteSignature&, const NoteSignature&) = default;
};

struct SignedNote {
  std::string text;  ///< With its last newline.
  std::vector<NoteSignature> signatures;
  friend bool operator==(const SignedNote&, const SignedNote&) = default;
};

/// Errors: malformed, limit_exceeded (limits::kNoteBytesMax, limits::kNoteSignaturesMax).
[[nodiscard]] Result<SignedNote> parse_note(std::string_view note);
/// Has at least one signature (asserted); names and text are what parse_note takes.
[[nodiscard]] std::string note_text(const SignedNote& note);

/// Not empty, without spaces and plus.
[[nodiscard]] bool is_key_name(std::string_view name);
[[nodiscard]] std::uint32_t note_key_id(std::string_view name, NoteSignatureType type,
                                        const PublicKey& key);
/// The verifier key of the specification: name, key id and key in one word, for configuration files
/// of other programs. `key` is Ed25519.
[[nodiscard]] std::string verifier_key(std::string_view name, NoteSignatureType type,
                                       const PublicKey& key);

struct VerifierKey {
  std::string name;
  NoteSignatureType type = NoteSignatureType::ed25519;
  PublicKey key;
};
/// Reads verifier_key(). Errors: malformed (also: the key id is not that of name and key),
/// unsupported (another kind of key), bad_key, limit_exceeded (kVerifierKeyCharsMax).
[[nodiscard]] Result<VerifierKey> parse_verifier_key(std::string_view text);

/// RFC 4648 section 4, padded, in its one spelling. Errors: malformed.
[[nodiscard]] std::string base64(ByteView bytes);
[[nodiscard]] Result<Bytes> from_base64(std::string_view text);

}  // namespace kith::ledger
