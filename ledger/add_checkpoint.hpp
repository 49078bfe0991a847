#pragma once

/// The request by which a ledger asks a witness to cosign its checkpoint, and what comes back
/// (C2SP tlog-witness), as texts.
///
///     POST <the witness's address>/add-checkpoint
///     old <size that the witness signed last>
///     <base64 of a hash>               one line a hash: that the tree only grew since (RFC 9162)
///     <empty line>
///     <signed note>                    the checkpoint
///
///     200  one signature line or more
///     409  text/x.tlog.size: the size that the witness signed last, and a newline
///     400 form · 403 not signed by the ledger's key · 404 not a ledger that is watched ·
///     422 the proof does not hold
///
/// Pure. Both come from strangers; a note is not verified here.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/merkle.hpp"
#include "ledger/signed_note.hpp"

namespace kith::ledger {

inline constexpr std::string_view kAddCheckpointPath = "/add-checkpoint";
inline constexpr std::string_view kSizeContentType = "text/x.tlog.size";

struct AddCheckpoint {
  std::uint64_t old_size = 0;
  MerkleProof consistency;
  std::string checkpoint;  ///< Signed note.
  friend bool operator==(const AddCheckpoint&, const AddCheckpoint&) = default;
};

[[nodiscard]] std::string add_checkpoint_text(const AddCheckpoint& request);
/// In its one spelling; the form of the note too. Errors: malformed, limit_exceeded
/// (kRequestBytesMax, kRequestHashesMax, those of parse_note).
[[nodiscard]] Result<AddCheckpoint> parse_add_checkpoint(std::string_view text);

/// The lines of a 200.
[[nodiscard]] std::string signature_lines(const std::vector<NoteSignature>& signatures);
/// Errors: malformed, limit_exceeded (kAnswerBytesMax, kNoteSignaturesMax).
[[nodiscard]] Result<std::vector<NoteSignature>> parse_signature_lines(std::string_view lines);

/// The body of a 409.
[[nodiscard]] std::string size_text(std::uint64_t size);
/// Errors: malformed.
[[nodiscard]] Result<std::uint64_t> parse_size_text(std::string_view body);

}  // namespace kith::ledger
