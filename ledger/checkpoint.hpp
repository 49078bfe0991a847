#pragma once

/// What a ledger says of itself at one moment: how many leaves it has and the root of the tree over
/// them (C2SP tlog-checkpoint), signed by its key, and by witnesses who saw that it only grew
/// (C2SP tlog-cosignature, Ed25519).
///
///     <origin>
///     <size>
///     <base64 of the root>
///
/// A ledger's signatures carry its origin as key name; a Kith witness's name is its key as
/// Multikey, because descriptors name witnesses by key alone. Cosignatures of a named key count
/// under any name, so that witnesses of other programs serve as well.
///
/// Pure; private keys stay with whoever signs: these functions give the bytes to be signed and put
/// the signature in its place.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/descriptor.hpp"
#include "ledger/entry.hpp"
#include "ledger/merkle.hpp"
#include "ledger/signed_note.hpp"

namespace kith::ledger {

/// C2SP counts seconds.
using CosignatureTime = std::chrono::sys_seconds;

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Digest256 root{};
  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

struct Cosignature {
  PublicKey witness;
  CosignatureTime time;
  friend bool operator==(const Cosignature&, const Cosignature&) = default;
};

/// A checkpoint whose signatures were verified.
struct TrustedCheckpoint {
  Checkpoint checkpoint;
  std::vector<Cosignature>
      cosignatures;  ///< One a witness, the earliest; in the descriptor's order.
};

/// The text that is signed.
[[nodiscard]] std::string checkpoint_text(const Checkpoint& checkpoint);
/// Extension lines are refused: a Kith ledger has none, and a witness could not vouch for them.
/// Errors: malformed.
[[nodiscard]] Result<Checkpoint> parse_checkpoint(std::string_view text);

/// What a witness signs for `text` at `time`.
[[nodiscard]] std::string cosigned_text(std::string_view text, CosignatureTime time);

/// The ledger's signature (64 bytes) of checkpoint_text().
[[nodiscard]] NoteSignature ledger_signature(const LedgerDescriptor& ledger, Bytes signature);
/// A witness's signature (64 bytes) of cosigned_text().
[[nodiscard]] NoteSignature witness_signature(const PublicKey& witness, CosignatureTime time,
                                              ByteView signature);

/// The checkpoint in `note`: its origin is the ledger's, the ledger's key signed it, and every
/// signature of a known witness is good. Signatures of others are ignored. Whether the witnesses
/// are enough is the caller's question: enough_witnesses(). Errors: malformed, limit_exceeded,
/// bad_signature (also: none of the ledger's).
[[nodiscard]] Result<TrustedCheckpoint> open_checkpoint(std::string_view note,
                                                        const LedgerDescriptor& ledger);
/// At least the descriptor's w, whatever their times.
[[nodiscard]] bool enough_witnesses(const TrustedCheckpoint& trusted,
                                    const LedgerDescriptor& ledger);
/// The w-th smallest time of the cosignatures: when enough witnesses had seen it. nullopt while
/// there are fewer than w, and where w is 0.
[[nodiscard]] std::optional<CosignatureTime> witnessed_at(const TrustedCheckpoint& trusted,
                                                          const LedgerDescriptor& ledger);

/// The same for whoever relies on it at `now`: cosignatures from beyond kFutureMax do not count.
/// nullopt where w is 0. Errors: ledger_unproven (too few; says how many, and whose are missing).
[[nodiscard]] Result<std::optional<AnchorTime>> check_witnesses(const TrustedCheckpoint& trusted,
                                                                const LedgerDescriptor& ledger,
                                                                AnchorTime now);
/// Of the newest checkpoint that a ledger shows. Errors: ledger_outdated (witnessed longer ago than
/// kCheckpointAgeMax).
[[nodiscard]] Result<void> check_checkpoint_age(const std::optional<AnchorTime>& witnessed,
                                                AnchorTime now);

}  // namespace kith::ledger
