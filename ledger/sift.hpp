#pragma once

/// What can never count in a log, for readers of ledgers where anybody may post anything (a chain):
/// they leave it out before it is more than they take, so that paid junk does not make a log
/// unreadable.
///
/// Whether an entry counts depends on what lies before it on its ledger, and on other ledgers of
/// the log. So only that is left out which no other ledger could help: what is no entry, and what
/// is junk where it lies, except recovers and vetoes that could be the owner's (their reveal or
/// their keys were announced by an entry that counts). Where witnesses may date an entry back,
/// nothing may be left out: sift only what comes from ledgers that prove nothing.

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "crypto/limits.hpp"
#include "ledger/log_reader.hpp"
#include "protocol/effect.hpp"
#include "protocol/host.hpp"

namespace kith::ledger {

/// A reader that has more than this of a log sifts it: half of what it takes, so that a page still
/// fits.
inline constexpr std::size_t kSiftAboveBytes = limits::kLedgerSubjectBytesMax / 2;
inline constexpr std::size_t kSiftAboveEntries = limits::kLogEntriesMax;

/// Of blobs in their ledger's order, from its beginning: which can be left out. Empty: none, for
/// the log cannot be read.
[[nodiscard]] std::vector<bool> never_counts(std::string_view subject,
                                             std::span<const AnchoredBlob> blobs, AnchorTime now,
                                             bool test_mode);

/// Sifts the pages that were read so far, if they hold more than that. The last blob stays: it says
/// how far they go.
void sift_pages(Host& host, std::string_view subject, std::vector<protocol::AnchoredBlob>& pages);

}  // namespace kith::ledger
