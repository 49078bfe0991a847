#pragma once

/// One reading of an own log, brought together with what is kept of it and what is pending: alarms,
/// pending entries made anew where others came first, and the log as it is kept from then on.
/// Internal to own_log.cpp.

#include <string_view>
#include <vector>

#include "ledger/own_log.hpp"

namespace kith::ledger {

/// `all`: what the ledgers showed, in stages, those of former ledgers first.
void settle_log(Host& host, const Identity& identity, std::string_view subject, LogPost& post,
                const std::vector<AnchoredBlob>& all);

}  // namespace kith::ledger
