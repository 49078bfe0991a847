#pragma once

/// The way of a log from ledger to ledger, for whoever looks it up: which ledgers must be asked,
/// where they are reached, and what came out. No effects here; resolution.cpp starts them.
///
/// The address of a ledger that an entry names by its id is taken, in this order, from: the own
/// identity, the way as it was gone before, ledgers that a user asked by address, and the DID
/// document (ledger_services.hpp).
///
/// A wrong address does no harm: what answers there must prove to be that ledger.
///
/// What was seen of a log that moved is kept (collection `log-trail`, by subject, at most
/// log_limits::kTrailsKept): the entries on the ledgers that it left, so that these need not be
/// asked when C is over, nor answer before; and when a recover that left its ledger by itself was
/// first seen, for that is the earliest time at which it can be anchored.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/log_store.hpp"
#include "protocol/host.hpp"

namespace kith::ledger {

/// One ledger on the way.
struct TrailStop {
  std::string id;       ///< Empty: not known, for it cannot prove what it is.
  std::string url;      ///< Empty: not known.
  bool hinted = false;  ///< A stranger wrote the address.
  bool read = false;    ///< What it holds is in `blobs`, or is remembered and final.
  bool away = false;    ///< It was asked in vain.
  std::vector<StoredBlob> blobs;
  template <class V>
  void visit(V& v) {
    v("id", id), v("url", url), v("hinted", hinted), v("read", read), v("away", away);
    v("blobs", blobs);
  }
};

struct TrailSight {
  std::string hash;  ///< Of the recover.
  Time first{};
  template <class V>
  void visit(V& v) {
    v("hash", hash), v("first", first);
  }
};

struct LogTrail {
  std::string subject;
  std::vector<TrailStop> stops;
  std::vector<TrailSight> sights;
  Time used{};
  template <class V>
  void visit(V& v) {
    v("subject", subject), v("stops", stops), v("sights", sights), v("used", used);
  }
};

/// The way to begin with: what is remembered of that log, and the ledger at `ledger_url`.
[[nodiscard]] LogTrail begin_trail(Host& host, std::string_view subject,
                                   const std::string& ledger_url);

/// Index of the stop to be asked next, if any; adds it where an entry names a ledger that is not on
/// the way yet.
[[nodiscard]] std::optional<std::size_t> next_stop(Host& host, LogTrail& trail);
/// All pages of the stop have come. Its id becomes known, if its address proved one.
void take_stop(Host& host, LogTrail& trail, std::size_t index, std::vector<StoredBlob> blobs);

/// The log, when next_stop() has nothing more, and keeps what is worth keeping. Where only copies
/// on a later ledger could be read, LogView::unconfirmed_move says so.
/// Errors: unreachable (it moved to a ledger that does not answer, or whose address is not known),
/// those of read_log.
[[nodiscard]] Result<LogView> end_trail(Host& host, LogTrail& trail);

/// What was read of the log, in the order in which its reader takes it.
[[nodiscard]] std::vector<AnchoredBlob> trail_blobs(Host& host, LogTrail& trail);

/// The address of that ledger, as the documents of a DID's log tell it, the newest first: an owner
/// corrects one with an update.
[[nodiscard]] std::optional<std::string> hinted_address(const LogView& view, std::string_view id);

}  // namespace kith::ledger
