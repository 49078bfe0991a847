#pragma once

/// A log that is not our own, read from ledger to ledger along its way (log_trail.hpp): effects
/// out, pages in. Whoever wants it keeps the reading in a record of its own, and hands in what its
/// effects bring; every step survives a crash.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/log_trail.hpp"
#include "protocol/effect.hpp"

namespace kith::ledger {

struct TrailReading {
  std::string effect;      ///< The open one; empty: ended.
  LogTrail trail;          ///< The ledgers of the log.
  std::uint32_t stop = 0;  ///< The one that is being asked.
  std::vector<protocol::AnchoredBlob> pages;
  template <class V>
  void visit(V& v) {
    v("effect", effect), v("trail", trail), v("stop", stop), v("pages", pages);
  }
};

/// Whose effects these are.
struct ReadingFor {
  std::string_view module;
  std::string context;
};

/// Asks the next ledger: then `effect` is open, and nullopt is returned; or the log, when none is
/// left. Errors: those of end_trail.
[[nodiscard]] Result<std::optional<LogView>> read_next_stop(Host& host, TrailReading& reading,
                                                            const ReadingFor& whose);
/// What the open effect brought; then as read_next_stop. What is wrong with a ledger that the log
/// led to ends nothing: it is passed by.
/// Errors beside those: of the only ledger there is to ask, those of proven_entries;
/// limit_exceeded.
[[nodiscard]] Result<std::optional<LogView>> take_trail_page(Host& host, TrailReading& reading,
                                                             const ReadingFor& whose,
                                                             const protocol::Effect& effect,
                                                             const Result<Bytes>& outcome);

}  // namespace kith::ledger
