#pragma once

/// From answers to an opened set: downloads from the backup locations, combining, and the question
/// whether the identity is genuine (recovery-protocol section 4).
///
/// A source is what one location gave for one token: sheet, capsule, newest backup. Those that are
/// the same are one source. A location is asked with the next token only if what it gave before
/// fits no answer: a lying trustee may name a token of its own. A trustee is asked for the points
/// of one source after the other, those first whose sheet knows its share; answers that no sheet
/// knows make the location the suspect. Of what opens, that counts whose sheet knows most trustees,
/// and of those the backup with the highest number.
///
/// What was opened is not stored: it is opened again, from the stored answers, when it is needed.
/// Stored is what people and the decision need (OpeningSummary).

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/sealed_backup.hpp"
#include "ledger/log_store.hpp"
#include "protocol/module.hpp"
#include "recovery/backup_client.hpp"
#include "recovery/capsule.hpp"
#include "recovery/combine.hpp"
#include "recovery/device_sessions.hpp"
#include "recovery/genuine.hpp"

namespace kith::recovery {

/// Downloads from one location with one token (collection `recover-location`, numbered in the order
/// in which trustees named them).
struct LocationFetch {
  std::string did;
  std::string own_did;  ///< One-time, without address: answers come on the connection.
  Bytes token;
  bool started = false;
  std::string job;        ///< Of the part under way; empty while none is.
  std::string sheet_job;  ///< Ended well; their content stays with the backup module.
  std::string capsule_job;
  std::string backup_job;
  std::uint32_t tries = 0;
  std::string source;  ///< Id of what was fetched; empty: nothing yet, or nothing that parses.
  std::string problem;
  template <class V>
  void visit(V& v) {
    v("did", did), v("own_did", own_did), v("token", token), v("started", started), v("job", job);
    v("source", source);
    v("sheet_job", sheet_job), v("capsule_job", capsule_job), v("backup_job", backup_job);
    v("tries", tries), v("problem", problem);
  }
  [[nodiscard]] bool complete() const { return !backup_job.empty(); }
};

struct Source {
  std::string id;
  Sheet sheet;
  Bytes capsule;
  std::vector<Bytes> backup;  ///< Records of the container.
  Targets targets;            ///< The capsule's core, then the backup's.
};

/// Takes up what the sessions' trustees said about locations; starts and continues downloads.
void fetch_from_locations(Host& host);
inline constexpr std::string_view kFetchTimer = "fetch|";  // And the location.
/// Its timer: a download ended, or is to be tried again.
void continue_fetch(Host& host, std::string_view location);
[[nodiscard]] std::vector<LocationFetch> location_fetches(Host& host);
/// Where it is, for people: the address inside its DID.
[[nodiscard]] std::string location_address(const LocationFetch& fetch);
/// Says of each location what is wrong with what it gave, and tries further tokens where all that
/// came so far is `useless`: ids of sources that fit no answer.
void judge_locations(Host& host, const std::map<std::string, std::string>& problems,
                     const std::set<std::string>& useless);
/// Complete ones that parse, in a fixed order.
[[nodiscard]] std::vector<Source> sources(Host& host);

/// All that the set gives. Lives within one unit only.
struct OpenedSet {
  SecretPoint recovery_key;
  OpenedCapsule capsule;
  crypto::OpenedContainer backup;
  Digest anchor{};
};
struct Opening {
  Combined combined;
  std::optional<OpenedSet> set;
};
/// `collected` as of now for one source. Errors: limit_exceeded and others of combine; those of
/// open_capsule and open_container when Y was found and they still do not open.
[[nodiscard]] Result<Opening> open_source(const Collected& collected, const Source& source,
                                          KeyOps& keys);
/// Everything that was answered for `source`.
[[nodiscard]] Collected collect(Host& host, const Source& source);

/// Why a trustee is named.
struct BlamedTrustee {
  std::string session;
  std::string trustee;
  std::string reason;
  template <class V>
  void visit(V& v) {
    v("session", session), v("trustee", trustee), v("reason", reason);
  }
};
/// What one session's vouches opened to. Sessions with a record in common are one person.
struct SessionVouches {
  std::string session;
  std::vector<std::string> policies;
  std::vector<std::string> records;
  template <class V>
  void visit(V& v) {
    v("session", session), v("policies", policies), v("records", records);
  }
};
/// A log to be read from a ledger before anything is believed.
struct WantedLog {
  std::string subject;
  std::string ledger_url;
  template <class V>
  void visit(V& v) {
    v("subject", subject), v("ledger_url", ledger_url);
  }
  friend bool operator==(const WantedLog&, const WantedLog&) = default;
};

/// A ledger on which a log lives or lived.
struct LogStop {
  std::string id;
  std::string url;
  template <class V>
  void visit(V& v) {
    v("id", id), v("url", url);
  }
};

/// Record meta/recover-opening.
struct OpeningSummary {
  bool opened = false;
  std::string source;
  std::uint32_t good_answers = 0;
  bool sheet_suspect = false;
  std::string problem;  ///< Why what was opened could not be used.
  std::vector<BlamedTrustee> blamed;
  std::vector<SessionVouches> vouches;
  std::string anchor;               ///< As a policy log would hold it.
  std::optional<PublicKey> signer;  ///< Of the backup.
  std::uint64_t counter = 0;
  Time created{};  ///< Of the backup, as its device believed.
  /// Newest backup that a trustee's head names; 0: none does. It only warns: whoever has had an
  /// unlocked device can have named any.
  std::uint64_t newest_known = 0;
  bool other_newest = false;  ///< A head names another backup with the opened one's counter.
  std::string identity_name;
  std::string policy;  ///< As the backup itself says.
  std::string did;
  LogStop home;  ///< Its ledger, as the backup says.
  std::vector<WantedLog> logs;
  /// Entries that a device signed and may not have posted: it stored them in this backup first.
  std::vector<Bytes> planned;
  template <class V>
  void visit(V& v) {
    v("opened", opened), v("source", source), v("good_answers", good_answers);
    v("sheet_suspect", sheet_suspect), v("problem", problem), v("blamed", blamed);
    v("vouches", vouches), v("anchor", anchor), v("signer", signer), v("counter", counter);
    v("created", created), v("newest_known", newest_known), v("other_newest", other_newest);
    v("identity_name", identity_name), v("policy", policy), v("did", did), v("home", home);
    v("logs", logs), v("planned", planned);
  }
  /// Another backup than the opened one should exist.
  [[nodiscard]] bool stale() const { return newest_known > counter || other_newest; }
};
[[nodiscard]] OpeningSummary opening_summary(Host& host);

/// Something new arrived: asks for points, tries to open, wants logs.
void evaluate(Host& host);
/// Opens again. Errors: not_enough while nothing has opened; those of open_source.
[[nodiscard]] Result<OpenedSet> open_again(Host& host);

/// One log as a ledger gave it (collection `recover-log`, by subject). If its entries say that it
/// moved, and the DID document tells where to, that ledger is asked next (follow()).
struct LogRead {
  std::vector<std::string> urls;  ///< Ledgers that should have it; tried in turn.
  std::uint32_t url = 0;
  bool reading = false;  ///< An effect is under way.
  std::vector<ledger::StoredBlob> incoming;
  std::uint64_t from = 0;
  std::vector<ledger::StoredBlob> blobs;  ///< Of the last whole reading.
  std::optional<Time> read_at;
  std::vector<LogStop> stops;  ///< Where `blobs` come from; of several, the blobs say of which.
  LogStop beyond;  ///< It moved there, as `blobs` tell; empty: it lives on the last stop.
  std::vector<ledger::StoredBlob> way;  ///< Of the reading under way: what the ledgers before gave.
  std::vector<LogStop> way_stops;       ///< Those ledgers.
  LogStop following;                    ///< The one that is asked; empty: the first.
  std::vector<ledger::StoredBlob> saved;  ///< As the opened backup holds it.
  std::uint32_t tries = 0;                ///< Since the last success.
  std::string problem;
  template <class V>
  void visit(V& v) {
    v("urls", urls), v("url", url), v("reading", reading), v("incoming", incoming);
    v("from", from), v("blobs", blobs), v("read_at", read_at), v("saved", saved);
    v("tries", tries), v("problem", problem), v("stops", stops), v("beyond", beyond);
    v("way", way), v("way_stops", way_stops), v("following", following);
  }
};
[[nodiscard]] std::optional<LogRead> log_read(Host& host, std::string_view subject);
void save_log_read(Host& host, std::string_view subject, const LogRead& read);
/// Where the log lives, if it moved away from the ledger that was asked first; nullopt: it did not.
[[nodiscard]] std::optional<LogStop> moved_to(const LogRead& read);
/// What is known of the log: from its ledger or, if no ledger answers, from the backup.
[[nodiscard]] std::vector<ledger::AnchoredBlob> known_log(const LogRead& read);
/// Timer "logs": reads wanted logs, and once read again from time to time.
inline constexpr std::string_view kTimerLogs = "logs";
void read_wanted_logs(Host& host);
/// A ledger gave (part of) a log, or could not.
void on_log_read(Host& host, const protocol::Effect& effect, const Result<Bytes>& outcome);

/// What the user said so far about the candidates.
struct UserChoice {
  bool accepts_few = false;
  std::optional<std::string> chosen;
  std::optional<std::string> shown;
  bool undo_move = false;  ///< A move that the backup does not know of was not the owner's.
  template <class V>
  void visit(V& v) {
    v("accepts_few", accepts_few), v("chosen", chosen), v("shown", shown);
    v("undo_move", undo_move);
  }
};
[[nodiscard]] GenuineDecision judge(Host& host, const UserChoice& choice);

}  // namespace kith::recovery
