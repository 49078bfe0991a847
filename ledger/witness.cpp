#include "ledger/witness.hpp"

#include "crypto/hash.hpp"

namespace kith::ledger {
namespace {

/// The note with the signatures that `ledger`'s key made: others are strangers' words.
SignedNote signed_by_ledger_alone(SignedNote note, const LedgerDescriptor& ledger) {
  const std::uint32_t id = note_key_id(ledger.origin, NoteSignatureType::ed25519, ledger.key);
  std::erase_if(note.signatures, [&](const NoteSignature& signature) {
    return signature.name != ledger.origin || signature.key_id != id;
  });
  return note;
}

WitnessVerdict compare_with_kept(const AddCheckpoint& request, const Checkpoint& kept,
                                 const Checkpoint& offered) {
  const bool ever_signed = !kept.origin.empty();
  if (ever_signed && offered.size == kept.size && offered.root != kept.root) {
    return WitnessVerdict::other_root;
  }
  if (request.old_size != kept.size) return WitnessVerdict::other_size;
  const bool grew =
      proves_consistency(request.consistency, kept.size, kept.root, offered.size, offered.root);
  return grew ? WitnessVerdict::cosign : WitnessVerdict::inconsistent;
}

}  // namespace

Result<Checkpoint> last_cosigned(const WatchedLedger& watched) {
  if (watched.checkpoint.empty()) return Checkpoint{"", 0, crypto::sha256({})};
  const auto note = parse_note(watched.checkpoint);
  if (!note.has_value()) return fail(Errc::storage_corrupt, "a cosigned checkpoint is damaged");
  auto checkpoint = parse_checkpoint(note->text);
  if (!checkpoint.has_value()) {
    return fail(Errc::storage_corrupt, "a cosigned checkpoint is damaged");
  }
  return checkpoint;
}

Result<JudgedCheckpoint> judge_add_checkpoint(const AddCheckpoint& request,
                                              const WatchedLedger& watched) {
  TRY(LedgerDescriptor ledger, parse_descriptor(watched.descriptor));
  ledger.witnesses.clear();  // What other witnesses say is not this one's to check.
  ledger.w = 0;
  JudgedCheckpoint judged;
  TRY(const TrustedCheckpoint trusted, open_checkpoint(request.checkpoint, ledger));
  judged.checkpoint = trusted.checkpoint;
  if (request.old_size > judged.checkpoint.size) {
    return fail(Errc::malformed, "the old size is larger than the checkpoint's");
  }
  TRY(SignedNote note, parse_note(request.checkpoint));
  judged.note = note_text(signed_by_ledger_alone(std::move(note), ledger));
  TRY(const Checkpoint kept, last_cosigned(watched));
  judged.kept_size = kept.size;
  judged.verdict = compare_with_kept(request, kept, judged.checkpoint);
  return judged;
}

Result<LedgerDescriptor> descriptor_of_key(std::string_view verifier_key) {
  TRY(VerifierKey parsed, parse_verifier_key(verifier_key));
  if (parsed.type != NoteSignatureType::ed25519) {
    return fail(Errc::unsupported, "that is the key of a witness, not of a ledger");
  }
  LedgerDescriptor ledger;
  ledger.kind = "host";
  ledger.origin = std::move(parsed.name);
  ledger.key = std::move(parsed.key);
  CHECK(check_descriptor(ledger));
  return ledger;
}

}  // namespace kith::ledger
