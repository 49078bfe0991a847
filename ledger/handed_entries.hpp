#pragma once

/// Recovers and vetoes that somebody handed over, with words of enough witnesses of the ledger that
/// should show them (log-protocol section 4, censorship): they count in every look-up of that log
/// from then on, whoever gave them, and whether or not the ledger ever shows them.
///
/// Collection `handed-entry`, by subject: at most log_limits::kHandedKept of one log, of at most
/// log_limits::kHandedLogs logs; the log that was handed over longest ago goes first.

#include <string_view>
#include <vector>

#include "ledger/log_reader.hpp"
#include "protocol/host.hpp"

namespace kith::ledger {

/// Command did-take {file}: of a file of a log (log_file.hpp) takes what its ledger holds back.
/// {subject, taken, known}: entries that are new here, and those that were here. Errors: malformed,
/// unsupported, limit_exceeded, refused (nothing in it is witnessed by enough).
[[nodiscard]] Result<JsonObject> take_log_file(Host& host, const JsonObject& args);

/// Adds those of that log: words to what its ledgers show, and what they do not show behind it.
/// Gives `options` the descriptors that they need.
void add_handed(Host& host, std::string_view subject, std::vector<AnchoredBlob>& blobs,
                ReaderOptions& options);

}  // namespace kith::ledger
