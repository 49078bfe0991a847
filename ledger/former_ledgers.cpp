#include "ledger/former_ledgers.hpp"

#include <algorithm>

#include "ledger/ledger_move.hpp"

namespace kith::ledger {
namespace {

constexpr std::string_view kFormerReads = "former-read";
/// Past the end of C, one that was not read since is asked for so long: for what came at the end.
constexpr std::chrono::hours kFormerAskedAfter{24};

/// Between the first vain question and the alarm.
constexpr std::chrono::hours kFormerAwayMax{24};

struct FormerRead {
  Time read{};           ///< Last time; 0: never.
  Time settled{};        ///< Of these, the last that was taken over.
  Time away{};           ///< First vain question since it was read; 0: none.
  bool alarmed = false;  ///< Of that.
  template <class V>
  void visit(V& v) {
    v("read", read), v("settled", settled), v("away", away), v("alarmed", alarmed);
  }
};

std::string former_read_id(std::string_view ledger, std::string_view subject) {
  return std::string(ledger) + " " + std::string(subject);
}

std::optional<FormerRead> read_record(Host& host, std::string_view ledger,
                                      std::string_view subject) {
  return load<FormerRead>(host, kFormerReads, former_read_id(ledger, subject));
}

/// What is kept of a log, and read as of now, where it says what comes from where.
struct MarkedLog {
  std::vector<AnchoredBlob> kept;
  LogView view;
};

std::optional<MarkedLog> marked_log(Host& host, std::string_view subject) {
  auto kept = stored_blobs(host, subject);
  if (!is_marked(kept)) return std::nullopt;
  auto view = stored_view(host, subject);
  if (!view.has_value()) return std::nullopt;
  return MarkedLog{std::move(kept), std::move(*view)};
}

/// Something there can still change where the log lives, or could until it was last read.
bool has_a_say(Host& host, const MarkedLog& log, const std::string& ledger) {
  const AnchorTime now = anchor_time(host.now());
  const auto read = former_settled(host, ledger, log.view.subject);
  const auto lies_there = [&](const LogRecord& record) {
    return log.kept[record.position].ledger == ledger;
  };
  const auto is_open = [&](AnchorTime until) {
    const bool read_since = !read || anchor_time(*read) > until;
    return now <= until || (!read_since && now <= until + kFormerAskedAfter);
  };
  const auto& pending = log.view.pending;
  if (lives_on(log.view, ledger) || (pending && lies_there(pending->record))) return true;
  return std::ranges::any_of(log.view.history, [&](const LogRecord& record) {
    return record.contestable_until && is_open(*record.contestable_until) && lies_there(record);
  });
}

/// The log lives there, and not only by this device's clock, or by what it has not posted yet.
bool was_taken_back(Host& host, const LogView& view, const std::string& ledger) {
  if (!lives_on(view, ledger)) return false;
  const auto read = former_settled(host, ledger, view.subject);
  const auto waits_there = [&](const PendingEntry& entry) { return entry.ledger == ledger; };
  return read.has_value() &&
         std::ranges::none_of(log_post(host, view.subject).pending, waits_there) &&
         std::ranges::all_of(view.history, [&](const LogRecord& record) {
           return record.effective_from <= anchor_time(*read);
         });
}

std::optional<FormerLedger> taken_back_to(Host& host, const Identity& own) {
  if (own.former.empty()) return std::nullopt;
  const auto did = marked_log(host, own.did);
  const auto policy = marked_log(host, own.policy);
  if (!did || !policy) return std::nullopt;
  for (const FormerLedger& former : own.former) {
    const bool both =
        was_taken_back(host, did->view, former.id) && was_taken_back(host, policy->view, former.id);
    if (both) return former;
  }
  return std::nullopt;
}

}  // namespace

bool lives_on(const LogView& view, std::string_view ledger) {
  return !view.current.ledgers.empty() && view.current.ledgers.front() == ledger;
}

std::string next_former(Host& host, const Identity& identity, std::string_view subject,
                        std::string_view after) {
  const auto log = marked_log(host, subject);
  if (!log) return {};
  bool passed = after.empty();
  for (const FormerLedger& former : identity.former) {
    if (passed && has_a_say(host, *log, former.id)) return former.id;
    passed = passed || former.id == after;
  }
  return {};
}

void note_former_read(Host& host, std::string_view ledger, std::string_view subject) {
  const FormerRead before = read_record(host, ledger, subject).value_or(FormerRead{});
  save(host, kFormerReads, former_read_id(ledger, subject),
       FormerRead{host.now(), before.settled, {}, false});
}

void note_former_settled(Host& host, std::string_view ledger, std::string_view subject) {
  FormerRead record = read_record(host, ledger, subject).value_or(FormerRead{});
  record.settled = record.read;
  save(host, kFormerReads, former_read_id(ledger, subject), record);
}

void note_former_away(Host& host, const Identity& identity, std::string_view ledger,
                      std::string_view subject) {
  FormerRead record = read_record(host, ledger, subject).value_or(FormerRead{});
  if (record.away == Time{}) record.away = host.now();
  const bool is_long = host.now() - record.away >= kFormerAwayMax;
  const bool first = is_long && !record.alarmed;
  record.alarmed = is_long;
  save(host, kFormerReads, former_read_id(ledger, subject), record);
  const auto other =
      read_record(host, ledger, subject == identity.did ? identity.policy : identity.did);
  if (!first || (other && other->alarmed)) return;
  const auto former = std::ranges::find(identity.former, ledger, &FormerLedger::id);
  const std::string url = former == identity.former.end() ? std::string(ledger) : former->url;
  host.audit("identity.former-away",
             {{"ledger", ledger}, {"since", protocol::utc_text(record.away)}});
  host.notify({"alarm",
               "The ledger that your identity left, " + url + ", has not shown it since " +
                   protocol::utc_text(record.away) +
                   ". A recovery there could undo the move meanwhile, and you would not see it. "
                   "Ask its operator; `kith ledger status` tells when it was last read.",
               std::string(ledger),
               {}});
}

std::optional<Time> former_settled(Host& host, std::string_view ledger, std::string_view subject) {
  const auto known = read_record(host, ledger, subject);
  if (!known || known->settled == Time{}) return std::nullopt;
  return known->settled;
}

JsonArray describe_former(Host& host, const Identity& identity) {
  const auto did = marked_log(host, identity.did);
  const auto policy = marked_log(host, identity.policy);
  JsonArray all;
  for (const FormerLedger& former : identity.former) {
    JsonObject line{{"ledger", former.url}, {"ledger_id", former.id}};
    line["asked"] = (did && has_a_say(host, *did, former.id)) ||
                    (policy && has_a_say(host, *policy, former.id));
    Time read = Time::max(), away = Time::max();
    for (const std::string& subject : {identity.did, identity.policy}) {
      const FormerRead record = read_record(host, former.id, subject).value_or(FormerRead{});
      read = std::min(read, record.read);
      if (record.away != Time{}) away = std::min(away, record.away);
    }
    if (read != Time{}) line["read"] = protocol::utc_text(read);
    if (away != Time::max()) line["away_since"] = protocol::utc_text(away);
    all.emplace_back(std::move(line));
  }
  return all;
}

void follow_taken_back(Host& host) {
  const auto own = identity(host);
  if (!own) return;
  const auto back = taken_back_to(host, *own);
  if (!back) return;
  Identity after = *own;
  std::erase_if(after.former, [&](const FormerLedger& former) { return former.id == back->id; });
  after.former.push_back({own->ledger_url, own->ledger, own->ledger_id});
  after.ledger_url = back->url;
  after.ledger = back->descriptor;
  after.ledger_id = back->id;
  end_ledger_move(host);
  for (const std::string& subject : {own->did, own->policy}) {
    leave_ledger(host, *own, subject, log_post(host, subject).pending);
  }
  save_identity(host, after);
  host.audit("identity.taken-back", {{"from", own->ledger_id}, {"to", back->id}});
  host.notify({"alarm",
               "A recovery took your identity back to the ledger that it had left, " + back->url +
                   ", and it lives there again. What was changed since the move is undone: look "
                   "at `kith policy history`.",
               back->id,
               {}});
  for (const std::string& subject : {own->did, own->policy}) read_again(host, after, subject);
  back_up_new_home(host);
}

/// The look of recovery/owner_setup.hpp, which stands above this folder; others have no such timer.
void back_up_new_home(Host& host) {
  host.set_timer("recovery", "backup", host.now());
}

}  // namespace kith::ledger
