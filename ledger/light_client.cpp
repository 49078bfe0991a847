#include "ledger/light_client.hpp"

#include "ledger/append_rules.hpp"

namespace kith::ledger {
namespace {

/// Our own record; it was verified before it was kept.
Result<Checkpoint> kept_checkpoint(const SeenLedger& seen) {
  const auto note = parse_note(seen.checkpoint);
  if (!note.has_value()) return fail(Errc::storage_corrupt, "a kept checkpoint is damaged");
  auto checkpoint = parse_checkpoint(note->text);
  if (!checkpoint.has_value()) return fail(Errc::storage_corrupt, "a kept checkpoint is damaged");
  return checkpoint;
}

Result<Checkpoint> verified_checkpoint(const LedgerDescriptor& ledger, const std::string& note) {
  TRY(const TrustedCheckpoint trusted, open_checkpoint(note, ledger));
  if (!enough_witnesses(trusted, ledger)) {
    return fail(Errc::ledger_unproven, "too few witnesses have signed the ledger's checkpoint");
  }
  return trusted.checkpoint;
}

std::string sizes(const Checkpoint& before, const Checkpoint& now) {
  return std::to_string(before.size) + " entries before, " + std::to_string(now.size) + " now";
}

/// The leaf of an entry: its kind is the entry's own word, which the signature in it covers.
Result<Digest256> leaf_hash(const LedgerEntry& entry) {
  TRY(const Entry parsed, parse_entry(entry.blob));
  const std::string leaf = leaf_text({entry.subject, entry.blob, entry.time, parsed.kind});
  return merkle_leaf_hash(crypto::as_bytes(leaf));
}

}  // namespace

Result<std::uint64_t> seen_size(const SeenLedger& seen) {
  if (seen.checkpoint.empty()) return std::uint64_t{0};
  TRY(const Checkpoint checkpoint, kept_checkpoint(seen));
  return checkpoint.size;
}

Result<Judged> judge_checkpoint(const SeenLedger& seen, const protocol::LedgerProof& proof,
                                std::uint64_t asked) {
  if (proof.descriptor != seen.descriptor) {
    return fail(Errc::bad_key, "the ledger at this address is another one than before");
  }
  TRY(const LedgerDescriptor ledger, parse_descriptor(seen.descriptor));
  if (seen.checkpoint.empty()) {
    TRY(const Checkpoint first, verified_checkpoint(ledger, proof.checkpoint));
    return Judged{first, true, false};
  }
  TRY(const Checkpoint before, kept_checkpoint(seen));
  // One text was verified once.
  if (proof.checkpoint == seen.checkpoint) return Judged{before, false, false};
  TRY(const Checkpoint now, verified_checkpoint(ledger, proof.checkpoint));
  if (now.size == before.size) {
    if (now.root != before.root) {
      return fail(Errc::ledger_fork,
                  "the ledger shows two roots for " + std::to_string(now.size) + " entries");
    }
    return Judged{now, false, false};
  }
  if (now.size < asked && asked <= before.size) {
    return fail(Errc::ledger_rollback, "the ledger went back: " + sizes(before, now));
  }
  if (asked != before.size) return Judged{now, false, true};
  if (!proves_consistency(proof.consistency, before.size, before.root, now.size, now.root)) {
    return fail(Errc::ledger_fork,
                "the ledger does not continue what it showed: " + sizes(before, now));
  }
  return Judged{now, true, false};
}

Result<void> check_included(std::span<const LedgerEntry> entries,
                            std::span<const MerkleProof> inclusion, const Checkpoint& checkpoint) {
  if (entries.size() != inclusion.size()) {
    return fail(Errc::malformed, "not every entry of the ledger has its proof");
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto leaf = leaf_hash(entries[i]);
    const bool proven =
        leaf.has_value() && proves_inclusion(inclusion[i], *leaf, entries[i].position,
                                             checkpoint.size, checkpoint.root);
    if (!proven) {
      return fail(Errc::ledger_unproven,
                  "entry " + std::to_string(entries[i].position) + " is not in the ledger's tree");
    }
  }
  return {};
}

Result<void> check_followed(const LedgerPage& page, std::uint64_t position,
                            const Checkpoint& checkpoint) {
  std::uint64_t next = position;
  for (const LedgerEntry& entry : page.entries) {
    if (entry.position != next) {
      return fail(Errc::ledger_unproven, "the ledger leaves out entry " + std::to_string(next));
    }
    ++next;
  }
  if (page.complete && next < checkpoint.size) {
    return fail(Errc::ledger_unproven, "the ledger leaves out entry " + std::to_string(next));
  }
  return {};
}

}  // namespace kith::ledger
