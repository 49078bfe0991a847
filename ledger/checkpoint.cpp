#include "ledger/checkpoint.hpp"

#include <algorithm>
#include <array>

#include "crypto/assert.hpp"
#include "ledger/text_lines.hpp"
#include "ledger/witness_limits.hpp"

namespace kith::ledger {
namespace {

constexpr std::size_t kTimeBytes = 8;
constexpr std::size_t kEd25519SignatureBytes = 64;

std::string witness_name(const PublicKey& witness) {
  return crypto::multikey(witness);
}

bool is_by(const NoteSignature& signature, std::string_view name, NoteSignatureType type,
           const PublicKey& key) {
  return signature.name == name && signature.key_id == note_key_id(name, type, key);
}

Result<CosignatureTime> verify_cosignature(std::string_view text, const NoteSignature& signature,
                                           const PublicKey& witness) {
  const ByteView bytes = signature.signature;
  if (bytes.size() != kTimeBytes + kEd25519SignatureBytes) {
    return fail(Errc::malformed, "a cosignature has another size");
  }
  std::uint64_t seconds = 0;
  for (const std::uint8_t byte : bytes.first(kTimeBytes)) seconds = seconds << 8 | byte;
  // Later than the year 9999 no date is told; the specification's own limit is beyond that.
  const auto latest =
      std::chrono::duration_cast<std::chrono::seconds>(kAnchorTimeMax.time_since_epoch());
  if (seconds > static_cast<std::uint64_t>(latest.count())) {
    return fail(Errc::malformed, "a cosignature has an impossible time");
  }
  const CosignatureTime time{std::chrono::seconds{static_cast<std::int64_t>(seconds)}};
  CHECK(crypto::verify(witness, crypto::as_bytes(cosigned_text(text, time)),
                       bytes.subspan(kTimeBytes)));
  return time;
}

constexpr std::size_t kMissingNamed = 3;

AnchorTime anchor_of(CosignatureTime time) {
  return AnchorTime{time.time_since_epoch()};
}

/// "1 of 3 witnesses has signed it, and 2 are needed; not z6Mk.., z6Mk..".
std::string shortfall(const TrustedCheckpoint& counted, std::size_t from_the_future,
                      const LedgerDescriptor& ledger) {
  const std::size_t have = counted.cosignatures.size();
  std::string text = std::to_string(have) + " of " + std::to_string(ledger.witnesses.size()) +
                     (have == 1 ? " witnesses has" : " witnesses have") + " signed it, and " +
                     std::to_string(ledger.w) + (ledger.w == 1 ? " is" : " are") + " needed";
  std::size_t missing = 0;
  for (const PublicKey& witness : ledger.witnesses) {
    if (std::ranges::find(counted.cosignatures, witness, &Cosignature::witness) !=
        counted.cosignatures.end()) {
      continue;
    }
    if (++missing > kMissingNamed) continue;
    text += (missing == 1 ? "; not " : ", ") + witness_name(witness);
  }
  if (missing > kMissingNamed) {
    text += " and " + std::to_string(missing - kMissingNamed) + " more";
  }
  if (from_the_future > 0) {
    text += "; " + std::to_string(from_the_future) + " signed for a time that is yet to come";
  }
  return text;
}

/// The earliest time at which `witness` signed; nullopt if it did not.
Result<std::optional<CosignatureTime>> cosigned_by(const SignedNote& note,
                                                   const PublicKey& witness) {
  std::optional<CosignatureTime> earliest;
  for (const NoteSignature& signature : note.signatures) {
    // The id binds the key to whatever name it goes by.
    if (!is_by(signature, signature.name, NoteSignatureType::cosignature, witness)) continue;
    TRY(const CosignatureTime time, verify_cosignature(note.text, signature, witness));
    earliest = earliest ? std::min(*earliest, time) : time;
  }
  return earliest;
}

}  // namespace

std::string checkpoint_text(const Checkpoint& checkpoint) {
  return checkpoint.origin + "\n" + std::to_string(checkpoint.size) + "\n" +
         base64(checkpoint.root) + "\n";
}

Result<Checkpoint> parse_checkpoint(std::string_view text) {
  Checkpoint checkpoint;
  const auto origin = take_line(text);
  const auto size_text = take_line(text);
  const auto root = take_line(text);
  if (!origin || origin->empty() || !root || !text.empty()) {
    return fail(Errc::malformed, "a checkpoint has three lines");
  }
  checkpoint.origin = *origin;
  const auto size = plain_decimal(*size_text);
  if (!size) return fail(Errc::malformed, "a checkpoint's size is not a number");
  checkpoint.size = *size;
  TRY(const Bytes hash, from_base64(*root));
  if (hash.size() != checkpoint.root.size()) {
    return fail(Errc::malformed, "a checkpoint's root is not a hash");
  }
  std::ranges::copy(hash, checkpoint.root.begin());
  return checkpoint;
}

std::string cosigned_text(std::string_view text, CosignatureTime time) {
  return "cosignature/v1\ntime " + std::to_string(time.time_since_epoch().count()) + "\n" +
         std::string(text);
}

NoteSignature ledger_signature(const LedgerDescriptor& ledger, Bytes signature) {
  ASSERT(signature.size() == kEd25519SignatureBytes);
  return {ledger.origin, note_key_id(ledger.origin, NoteSignatureType::ed25519, ledger.key),
          std::move(signature)};
}

NoteSignature witness_signature(const PublicKey& witness, CosignatureTime time,
                                ByteView signature) {
  ASSERT(signature.size() == kEd25519SignatureBytes && time.time_since_epoch().count() >= 0);
  const std::string name = witness_name(witness);
  NoteSignature made{name, note_key_id(name, NoteSignatureType::cosignature, witness), {}};
  crypto::append_u64_be(made.signature,
                        static_cast<std::uint64_t>(time.time_since_epoch().count()));
  made.signature.insert(made.signature.end(), signature.begin(), signature.end());
  return made;
}

Result<TrustedCheckpoint> open_checkpoint(std::string_view note, const LedgerDescriptor& ledger) {
  if (!can_prove(ledger)) return fail(Errc::ledger_no_proof, "it signs no checkpoints");
  TRY(const SignedNote parsed, parse_note(note));
  TrustedCheckpoint trusted;
  TRY(trusted.checkpoint, parse_checkpoint(parsed.text));
  if (trusted.checkpoint.origin != ledger.origin) {
    return fail(Errc::malformed, "the checkpoint is another ledger's");
  }
  bool is_signed = false;
  for (const NoteSignature& signature : parsed.signatures) {
    if (!is_by(signature, ledger.origin, NoteSignatureType::ed25519, ledger.key)) continue;
    CHECK(crypto::verify(ledger.key, crypto::as_bytes(parsed.text), signature.signature));
    is_signed = true;
  }
  if (!is_signed) return fail(Errc::bad_signature, "the ledger did not sign the checkpoint");
  for (const PublicKey& witness : ledger.witnesses) {
    TRY(const auto time, cosigned_by(parsed, witness));
    if (time) trusted.cosignatures.push_back({witness, *time});
  }
  return trusted;
}

bool enough_witnesses(const TrustedCheckpoint& trusted, const LedgerDescriptor& ledger) {
  return trusted.cosignatures.size() >= ledger.w;
}

std::optional<CosignatureTime> witnessed_at(const TrustedCheckpoint& trusted,
                                            const LedgerDescriptor& ledger) {
  if (ledger.w == 0 || !enough_witnesses(trusted, ledger)) return std::nullopt;
  std::vector<CosignatureTime> times;
  for (const Cosignature& cosignature : trusted.cosignatures) times.push_back(cosignature.time);
  std::ranges::sort(times);
  return times[ledger.w - 1];
}

Result<std::optional<AnchorTime>> check_witnesses(const TrustedCheckpoint& trusted,
                                                  const LedgerDescriptor& ledger, AnchorTime now) {
  if (ledger.w == 0) return std::optional<AnchorTime>();
  TrustedCheckpoint counted = trusted;
  const std::size_t early =
      std::erase_if(counted.cosignatures, [&](const Cosignature& cosignature) {
        return anchor_of(cosignature.time) > now + witness_limits::kFutureMax;
      });
  const auto time = witnessed_at(counted, ledger);
  if (!time) return fail(Errc::ledger_unproven, shortfall(counted, early, ledger));
  return std::optional<AnchorTime>(anchor_of(*time));
}

Result<void> check_checkpoint_age(const std::optional<AnchorTime>& witnessed, AnchorTime now) {
  if (!witnessed || *witnessed + witness_limits::kCheckpointAgeMax >= now) return {};
  return fail(Errc::ledger_outdated, "its witnesses signed last at " + utc_text(*witnessed));
}

}  // namespace kith::ledger
