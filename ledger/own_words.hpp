#pragma once

/// The words of witnesses for own recovers and vetoes (witness_time.hpp): asked for as soon as one
/// is posted, so that a ledger that holds it back does not make it late. What they say is kept with
/// the entry (log_store.hpp), goes with it to a ledger that has refused it, and out in log files.
///
/// A descriptor names witnesses, not where they are reached. The ledger says that
/// (GET /ledger/witnesses), and is asked each day while it has reason to: what it said is kept by
/// ledger id (collection `witness-address`), for the day on which it is silent. A wrong address
/// does no harm. A ledger of this home, and one without witnesses, needs none of this.

#include "ledger/own_log.hpp"

namespace kith::ledger {

/// Contexts of the effects: prefix and ledger id; prefix, subject, blob hash and witness.
inline constexpr std::string_view kAddressContext = "witnesses ";
inline constexpr std::string_view kWordContext = "word ";

/// Asks the identity's ledgers where their witnesses are, unless they said it within a day.
void look_for_witnesses(Host& host, const Identity& identity);
void take_witness_addresses(Host& host, std::string_view ledger, const Result<Bytes>& outcome);

/// Asks those witnesses that were not asked yet about each pending recover and veto. True: it did,
/// and `post` is to be kept.
[[nodiscard]] bool ask_for_words(Host& host, const Identity& identity, std::string_view subject,
                                 LogPost& post);
/// A witness's answer, or that there is none. `about`: the context without its prefix.
void take_word(Host& host, const Identity& identity, std::string_view about,
               const Result<Bytes>& outcome);

/// The pending entry's ledger.
[[nodiscard]] const std::string& ledger_of(const Identity& identity, const PendingEntry& entry);

}  // namespace kith::ledger
