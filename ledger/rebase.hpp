#pragma once

/// An own entry that another came before: the same change, made anew on top.

#include "ledger/log_store.hpp"
#include "ledger/log_writer.hpp"

namespace kith::ledger {

/// `parent`: what the entry was made upon; `view`: the log it shall continue now. Signed with the
/// keys held here. Errors: conflict (both changed the same thing, or an operation that cannot be
/// repeated), refused (a rotate whose keys are no longer announced), not_found (keys not held).
[[nodiscard]] Result<Entry> rebase_entry(Host& host, const Entry& entry, const LogContent& parent,
                                         const LogView& view);

/// Three-way merge of a log's state. Policies merge by agent and rule, DID documents by what they
/// tell of ledgers, of other services and besides; other states only where one side left them
/// alone. Errors: conflict.
[[nodiscard]] Result<Json> merge_state(Kind kind, const Json& parent, const Json& mine,
                                       const Json& theirs);

}  // namespace kith::ledger
