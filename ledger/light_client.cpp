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

struct WitnessedTree {
  Checkpoint checkpoint;
  std::optional<AnchorTime> time;  ///< Where the ledger asks for witnesses.
};

Result<WitnessedTree> witnessed_tree(const LedgerDescriptor& ledger, const std::string& note,
                                     AnchorTime now) {
  TRY(TrustedCheckpoint trusted, open_checkpoint(note, ledger));
  TRY(const auto time, check_witnesses(trusted, ledger, now));
  return WitnessedTree{std::move(trusted.checkpoint), time};
}

/// Of the newest that the ledger shows, once it is known not to break with the one before: two that
/// the ledger signed are evidence, whoever else signed them.
Result<void> rely_on(const TrustedCheckpoint& newest, const LedgerDescriptor& ledger,
                     AnchorTime now) {
  TRY(const auto time, check_witnesses(newest, ledger, now));
  return check_checkpoint_age(time, now);
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
                                std::uint64_t asked, AnchorTime now_is) {
  if (proof.descriptor != seen.descriptor) {
    return fail(Errc::bad_key, "the ledger at this address is another one than before");
  }
  TRY(const LedgerDescriptor ledger, parse_descriptor(seen.descriptor));
  // One text was verified once; but witnesses' signatures age.
  if (ledger.w == 0 && !seen.checkpoint.empty() && proof.checkpoint == seen.checkpoint) {
    TRY(const Checkpoint same, kept_checkpoint(seen));
    return Judged{same, false, false};
  }
  TRY(const TrustedCheckpoint shown, open_checkpoint(proof.checkpoint, ledger));
  const Checkpoint& now = shown.checkpoint;
  if (seen.checkpoint.empty()) {
    CHECK(rely_on(shown, ledger, now_is));
    return Judged{now, true, false};
  }
  TRY(const Checkpoint before, kept_checkpoint(seen));
  if (now.size == before.size) {
    if (now.root != before.root) {
      return fail(Errc::ledger_fork,
                  "the ledger shows two roots for " + std::to_string(now.size) + " entries");
    }
    CHECK(rely_on(shown, ledger, now_is));
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
  CHECK(rely_on(shown, ledger, now_is));
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

Result<void> set_anchor_times(std::span<LedgerEntry> entries, const protocol::LedgerProof& proof,
                              const LedgerDescriptor& ledger, AnchorTime now) {
  if (ledger.w == 0) return {};
  if (proof.anchored.size() != entries.size()) {
    return fail(Errc::ledger_unproven, "the ledger does not show when its witnesses saw an entry");
  }
  std::vector<WitnessedTree> anchors;
  for (const std::string& note : proof.anchors) {
    TRY(WitnessedTree tree, witnessed_tree(ledger, note, now));
    anchors.push_back(std::move(tree));
  }
  AnchorTime before = anchor_time_ms(0);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto& [anchor, inclusion] = proof.anchored[i];
    if (anchor >= anchors.size()) return fail(Errc::malformed, "an entry without its anchor");
    const WitnessedTree& tree = anchors[anchor];
    TRY(const Digest256 leaf, leaf_hash(entries[i]));
    if (!proves_inclusion(inclusion, leaf, entries[i].position, tree.checkpoint.size,
                          tree.checkpoint.root)) {
      return fail(Errc::ledger_unproven, "entry " + std::to_string(entries[i].position) +
                                             " is not in the tree that its witnesses signed");
    }
    if (*tree.time < before) {
      return fail(Errc::ledger_unproven, "the times of the ledger's witnesses run back");
    }
    before = *tree.time;
    entries[i].time = before;
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
