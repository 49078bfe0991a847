#pragma once

/// Who was an agent once and is none now. Used by log_reader.cpp alone, for LogView.

#include <span>
#include <vector>

#include "ledger/log_reader.hpp"

namespace kith::ledger {

/// `history` is not empty, and all of one log. Who came back is not among them.
[[nodiscard]] std::vector<PreviousAgent> previous_agents(std::span<const LogRecord> history);

}  // namespace kith::ledger
