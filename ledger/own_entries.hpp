#pragma once

/// Which entries of the own logs were made by which device, where the owner has several: marks that
/// the devices tell each other (recovery/agent_records.hpp), so that only an entry of which no
/// device knows raises the alarm.

#include <string>
#include <string_view>
#include <vector>

#include "protocol/host.hpp"

namespace kith::ledger {

/// Collection `own-entry`, by the entry's hash.
struct OwnEntryMark {
  std::string subject;
  Time made{};
  template <class V>
  void visit(V& v) {
    v("subject", subject), v("made", made);
  }
};
inline constexpr std::string_view kOwnEntries = "own-entry";

/// This device makes that entry. Nothing is kept where there is no other device.
void mark_own_entry(Host& host, std::string_view subject, std::string_view hash);

/// Keeps a mark, of this device or another; the oldest goes when there are many.
void keep_entry_mark(Host& host, std::string_view hash, const OwnEntryMark& mark);

/// The ledger shows entries that this device did not make: the alarm is raised at once, or, where
/// another device may say that it did, if none does within the grace.
void on_foreign_entries(Host& host, std::string_view subject,
                        const std::vector<std::string>& hashes);
/// Raises the alarms that are due. Timer kForeignTimer of module "identity".
inline constexpr std::string_view kForeignTimer = "foreign";
void raise_foreign_alarms(Host& host);

}  // namespace kith::ledger
