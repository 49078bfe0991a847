#pragma once

/// May a recover by the super-quorum be signed, and what would it do? Judged from the entry and the
/// log as its ledger shows it, never from what the one who asks says. Pure.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/log_reader.hpp"
#include "ledger/proposal_words.hpp"

namespace kith::recovery {

/// What an entry is judged by.
struct SuperGround {
  const ledger::LogView& view;
  std::span<const ledger::AnchoredBlob> blobs;
  ledger::ReaderOptions options;
};

/// The entry is a recover through the super-quorum of its fork point, one of whose keys is `key`;
/// it keeps the waiting times and ledgers of that point, names no other one, bears no signature,
/// and the log would take it once enough have signed: the reader itself is asked, and lack of
/// signatures is all it finds. Errors: unsupported (no recover), refused (another authority, a key
/// that is not in it, other waiting times or ledgers, another super-quorum), limit_exceeded (with
/// all signatures it is too long), invalid_entry.
[[nodiscard]] Result<void> check_super_entry(const SuperGround& ground, const ledger::Entry& entry,
                                             std::string_view key);

/// What it would change and what is easily overlooked; for an entry that check_super_entry took.
[[nodiscard]] ledger::ProposalWords super_words(const SuperGround& ground,
                                                const ledger::Entry& entry);

}  // namespace kith::recovery
