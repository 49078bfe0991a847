#pragma once

/// Posting of own logs: entries handed in are kept at once, sent to the ledger one after the other,
/// and count as posted when the ledger shows them. One record per subject (collection `log-post`)
/// holds what is pending and the one effect that is open; so every step survives a crash.
///
///     append -> (appended | stale) -> read -> settle -> next append, or done
///     any failure -> wait -> append or read again
///
/// A log that moved is read on its former ledger too, as long as a recover there could undo the
/// move (former_ledgers.hpp); one that does not answer does not hold up the rest, and of one that
/// leaves out what it had shown nothing is taken. A recover or veto that only a former ledger takes
/// goes there, before all else and whether or not the identity's own answers. Witnesses are asked
/// when they saw it (own_words.hpp); a ledger that refused it gets their words with it. A log of
/// which nobody says what came from where, as a recovered device has it, is read on the identity's
/// ledger alone.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/identity.hpp"
#include "ledger/log_store.hpp"

namespace kith::ledger {

struct PendingEntry {
  Bytes blob;
  std::string hash;         ///< Of the entry.
  std::string ledger = {};  ///< Id of the former one that takes it; empty: the identity's.
  std::vector<std::string> asked = {};  ///< Witnesses who were asked about it (own_words.hpp).
  template <class V>
  void visit(V& v) {
    v("blob", blob), v("hash", hash), v("ledger", ledger), v("asked", asked);
  }
};

struct LogPost {
  std::vector<PendingEntry> pending;  ///< In the order of the log.
  std::string effect;                 ///< The open one; empty: none.
  std::string tried;                  ///< Hash of the entry last sent.
  std::string refused;                ///< Hash of the entry it called invalid last; "-": not taken.
  std::uint32_t rounds = 0;           ///< How often it was sent and did not show.
  bool shown = false;                 ///< The ledger has shown this log.
  bool conflict = false;              ///< The ledger shows less than before; alarm given.
  bool former_conflict = false;       ///< A former ledger does; alarm given.
  std::string error;                  ///< Why the last try failed; empty: it did not.
  std::vector<protocol::AnchoredBlob> pages;  ///< Read so far of one ledger.
  std::string reading;              ///< Id of the former ledger it is; empty: the identity's.
  std::vector<StoredBlob> earlier;  ///< What other ledgers showed in the same reading.
  template <class V>
  void visit(V& v) {
    v("pending", pending), v("effect", effect), v("tried", tried), v("rounds", rounds);
    v("shown", shown), v("conflict", conflict), v("error", error), v("pages", pages);
    v("reading", reading), v("earlier", earlier), v("former_conflict", former_conflict);
    v("refused", refused);
  }
};

/// Whose effects and timers these are.
inline constexpr std::string_view kLogModule = "identity";
/// Between tries that fail: doubled from the first to the longest.
inline constexpr protocol::Duration kLogWaitFirst = std::chrono::seconds{2};
inline constexpr protocol::Duration kLogWaitMax = std::chrono::hours{1};

/// Context of this file's effects, and name of its timers: prefix and subject.
inline constexpr std::string_view kLogContext = "log ";

[[nodiscard]] LogPost log_post(Host& host, std::string_view subject);
void save_log_post(Host& host, std::string_view subject, const LogPost& post);

/// As post_entry, for an identity that is being made.
[[nodiscard]] Result<void> hand_in(Host& host, const Identity& identity, std::string_view subject,
                                   const Entry& entry);
/// Starts a read unless an effect is open.
void read_again(Host& host, const Identity& identity, std::string_view subject);
/// The log lives on another ledger from now on than `before` says. What is kept is marked as that
/// one's. The new one lacks `missing`, which goes there first; the log counts as posted when it
/// shows all.
void leave_ledger(Host& host, const Identity& before, std::string_view subject,
                  std::vector<PendingEntry> missing);
void take_log_result(Host& host, const Identity& identity, std::string_view subject,
                     const protocol::Effect& effect, const Result<Bytes>& outcome);
/// There are words of enough witnesses for that entry: if its ledger would not take it, it is asked
/// again at once.
void hurry(Host& host, const Identity& identity, std::string_view subject, const std::string& hash);
/// The wait after a failure is over.
void try_again(Host& host, const Identity& identity, std::string_view subject);

/// The ledger by whose rules what is kept of an own log is read: the identity's; empty where it
/// moved and does not say what came from where.
[[nodiscard]] std::string ledger_of(const Identity& identity,
                                    const std::vector<AnchoredBlob>& blobs);
/// Adds a page to `pages`. True when it was the last. Errors: limit_exceeded, malformed.
[[nodiscard]] Result<bool> take_page(std::vector<protocol::AnchoredBlob>& pages,
                                     protocol::LedgerEntries page);
[[nodiscard]] std::vector<AnchoredBlob> anchored(const std::vector<protocol::AnchoredBlob>& pages);
/// Ledgers are tried for so long.
inline constexpr std::chrono::hours kLedgerEffectLife{24 * 30};
/// An effect of this module, for a ledger; returns its id.
std::string start_ledger_effect(Host& host, protocol::EffectKind kind, std::string_view context,
                                Bytes payload, Duration life = kLedgerEffectLife);
/// One that reads `subject` from position `from` on.
std::string start_read(Host& host, std::string_view context, std::string_view ledger_url,
                       std::string_view subject, std::uint64_t from,
                       Duration life = kLedgerEffectLife);
/// One that asks a ledger what it is.
std::string start_descriptor_fetch(Host& host, std::string_view context,
                                   std::string_view ledger_url, Duration life = kLedgerEffectLife);

}  // namespace kith::ledger
