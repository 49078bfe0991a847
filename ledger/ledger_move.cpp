#include "ledger/ledger_move.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "crypto/assert.hpp"
#include "crypto/limits.hpp"
#include "ledger/descriptor.hpp"
#include "ledger/former_ledgers.hpp"
#include "ledger/ledger_services.hpp"
#include "ledger/log_writer.hpp"
#include "ledger/own_log.hpp"
#include "ledger/seen_ledgers.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {
namespace {

using protocol::Effect;
using protocol::EffectKind;

constexpr std::string_view kMoveRecord = "ledger-move";
/// A try that is not answered for so long is one that failed.
constexpr std::chrono::minutes kTryLife{10};

enum class Step : std::uint8_t {
  descriptor = 1,
  copying = 2,
  checking = 3,
  leaving = 4,
  refused = 5,
};

bool is_valid(Step step) {
  return step >= Step::descriptor && step <= Step::refused;
}

std::string_view step_name(Step step) {
  constexpr std::array<std::string_view, 6> kNames{"",         "descriptor", "copying",
                                                   "checking", "leaving",    "refused"};
  return kNames[static_cast<std::size_t>(step)];
}

/// How far one of the logs is.
struct LogCopy {
  std::string last;      ///< Hash of the last entry that the new ledger took; empty: none.
  bool checked = false;  ///< It shows all that was copied.
  template <class V>
  void visit(V& v) {
    v("last", last), v("checked", checked);
  }
};

struct LedgerMove {
  std::string url;
  std::string descriptor;  ///< Canonical JSON; empty: not known yet.
  std::string id;
  Step step = Step::descriptor;
  LogCopy did;
  LogCopy policy;
  std::vector<protocol::AnchoredBlob> pages;  ///< Of what it shows of the log that is checked.
  std::string effect;                         ///< The open one; empty: none.
  std::string error;                          ///< Why the last try failed; empty: it did not.
  std::uint32_t failures = 0;
  template <class V>
  void visit(V& v) {
    v("url", url), v("descriptor", descriptor), v("id", id), v("step", step);
    v("did", did), v("policy", policy), v("pages", pages), v("effect", effect);
    v("error", error), v("failures", failures);
  }
};

std::optional<LedgerMove> ledger_move(Host& host) {
  return load<LedgerMove>(host, "meta", kMoveRecord);
}

void save_move(Host& host, const LedgerMove& move) {
  save(host, "meta", kMoveRecord, move);
}

std::string context_of(std::string_view subject) {
  return std::string(kMoveContext) + " " + std::string(subject);
}

void fetch_descriptor(Host& host, LedgerMove& move) {
  move.effect = start_descriptor_fetch(host, kMoveContext, move.url, kTryLife);
}

/// Another try follows, unless there is no use in one.
void note_failure(Host& host, LedgerMove& move, const Error& error) {
  move.error = std::string(crypto::error_text(error.code).sentence);
  if (!error.detail.empty()) move.error += " (" + error.detail + ")";
  if (move.step == Step::refused) return;
  const Duration delay = std::min(kLogWaitFirst * (1 << std::min(move.failures, 11U)), kLogWaitMax);
  ++move.failures;
  host.set_timer(kLogModule, kMoveContext, host.now() + delay);
}

/// The log takes entries on the identity's ledger, or has just left it for that one.
/// Errors: wrong_state.
Result<void> check_open(const LogView& view, const Identity& own, const std::string& next = {}) {
  if (view.status != LogStatus::normal) {
    return fail(Errc::wrong_state, "your identity has ended, or a recovery of it is pending");
  }
  const auto& ledgers = view.current.ledgers;
  if (contains(ledgers, own.ledger_id) || (!next.empty() && contains(ledgers, next))) return {};
  return fail(Errc::wrong_state, "your identity's log was moved by somebody else");
}

/// Both logs take entries, and nothing of them is on its way. Errors: wrong_state.
Result<void> check_settled(Host& host, const Identity& own) {
  for (const std::string& subject : {own.did, own.policy}) {
    TRY(const LogView view, stored_view(host, subject));
    CHECK(check_open(view, own));
    if (!posted(host, subject)) {
      return fail(Errc::wrong_state, "your last changes are still on their way to the ledger");
    }
  }
  return {};
}

LogCopy& copy_of(LedgerMove& move, const Identity& own, std::string_view subject) {
  return subject == own.did ? move.did : move.policy;
}

/// Index of the first entry that the new ledger may lack.
std::size_t first_missing(const LogView& view, const std::string& copied) {
  const auto found = std::ranges::find(view.history, copied, &LogRecord::hash);
  return found == view.history.end() ? 0
                                     : static_cast<std::size_t>(found - view.history.begin()) + 1;
}

/// Sends the next entry that is missing there. False: none is.
Result<bool> copy_next(Host& host, LedgerMove& move, const Identity& own) {
  for (const std::string& subject : {own.did, own.policy}) {
    TRY(const LogView view, stored_view(host, subject));
    const std::size_t next = first_missing(view, copy_of(move, own, subject).last);
    if (next == view.history.size()) continue;
    const Entry& entry = *view.history[next].entry;
    protocol::LedgerAppendPayload payload;
    payload.ledger = move.url;
    payload.subject = subject;
    payload.blob = entry_blob(entry);
    payload.expected_head = entry.prev;
    move.effect = start_ledger_effect(host, EffectKind::ledger_append, context_of(subject),
                                      protocol::encode_record(payload), kTryLife);
    return true;
  }
  return false;
}

/// An entry was taken, or the ledger names another head: from behind that one on, if it is ours.
Result<void> take_copied(Host& host, LedgerMove& move, const Identity& own, const Effect& effect,
                         ByteView outcome) {
  TRY(const auto asked, protocol::decode_record<protocol::LedgerAppendPayload>(effect.payload));
  TRY(const auto appended, protocol::decode_record<protocol::LedgerAppended>(outcome));
  TRY(const LogView view, stored_view(host, asked.subject));
  std::string& copied = copy_of(move, own, asked.subject).last;
  if (!appended.stale) {
    copied = entry_hash_in(asked.blob);
    return {};
  }
  const std::size_t before = first_missing(view, copied);
  if (appended.head.empty() || first_missing(view, appended.head) <= before) {
    return fail(Errc::conflict, "that ledger holds another history of your log");
  }
  copied = appended.head;
  return {};
}

std::vector<LedgerAddress> addresses(const LedgerMove& move, const Identity& own) {
  std::vector<LedgerAddress> all;
  for (const FormerLedger& former : own.former) all.push_back({former.id, former.url});
  all.push_back({own.ledger_id, own.ledger_url});
  all.push_back({move.id, move.url});
  return all;
}

/// What the log still needs to leave: in a DID's log the addresses, then the move. Each is one that
/// the log would take. Errors: those of read_with, not_found (the log's keys are not here).
Result<std::vector<Entry>> parting(Host& host, const LedgerMove& move, const Identity& own,
                                   const std::string& subject) {
  TRY(LogView view, stored_view(host, subject));
  std::vector<AnchoredBlob> blobs = stored_blobs(host, subject);
  const AnchorTime now = anchor_time(host.now());
  const ReaderOptions here{now, host.test_mode(), ledger_of(own, blobs)};
  std::vector<Entry> entries;
  const auto add = [&](Entry entry) -> Result<void> {
    CHECK(sign_with_active(host, entry, view));
    TRY(view, read_with(subject, blobs, entry_blob(entry), here));
    blobs.push_back({entry_blob(entry), now, here.ledger});
    entries.push_back(std::move(entry));
    return {};
  };
  if (subject == own.did) {
    Json told = with_ledgers(own.did, view.current.state, addresses(move, own));
    if (told != view.current.state) {
      TRY(Entry update, make_update(view, std::move(told), now));
      CHECK(add(std::move(update)));
    }
  }
  TRY(Entry last, make_move(view, own.ledger_id, {move.id}, now));
  CHECK(add(std::move(last)));
  return entries;
}

/// Both logs can leave.
Result<void> rehearse(Host& host, const LedgerMove& move, const Identity& own) {
  for (const std::string& subject : {own.did, own.policy}) {
    CHECK(parting(host, move, own, subject));
  }
  return {};
}

/// Posts what is not posted yet of the update and the moves. True when the old ledger has shown
/// all.
Result<bool> leave_all(Host& host, const LedgerMove& move, const Identity& own) {
  bool left = true;
  for (const std::string& subject : {own.did, own.policy}) {
    TRY(const LogView view, stored_view(host, subject));
    CHECK(check_open(view, own, move.id));
    left = left && posted(host, subject) && lives_on(view, move.id);
    if (!posted(host, subject) || lives_on(view, move.id)) continue;
    TRY(const std::vector<Entry> entries, parting(host, move, own, subject));
    for (const Entry& entry : entries) CHECK(hand_in(host, own, subject, entry));
  }
  return left;
}

/// Asks the new ledger for the log that was not checked yet. False: both were.
bool check_next_copy(Host& host, LedgerMove& move, const Identity& own) {
  for (const std::string& subject : {own.did, own.policy}) {
    if (copy_of(move, own, subject).checked) continue;
    const std::uint64_t from = move.pages.empty() ? 0 : move.pages.back().position + 1;
    move.effect = start_read(host, context_of(subject), move.url, subject, from, kTryLife);
    return true;
  }
  return false;
}

/// It must show, with its proofs, all that it took.
Result<void> take_shown(Host& host, LedgerMove& move, const Identity& own, const Effect& effect,
                        const Result<Bytes>& outcome) {
  TRY(const auto asked, protocol::decode_record<protocol::LedgerReadPayload>(effect.payload));
  TRY(auto page, proven_entries(host, effect, outcome, move.id));
  if (!page) return {};  // Asked again.
  TRY(const bool complete, take_page(move.pages, std::move(*page)));
  if (!complete) return {};
  std::set<std::string> shown;
  for (const auto& entry : std::exchange(move.pages, {})) shown.insert(entry_hash_in(entry.blob));
  TRY(const LogView view, stored_view(host, asked.subject));
  for (const LogRecord& record : view.history) {
    if (shown.contains(record.hash)) continue;
    move.step = Step::copying;  // Perhaps another device wrote meanwhile.
    return fail(Errc::ledger_unproven, "that ledger does not show what it took");
  }
  copy_of(move, own, asked.subject).checked = true;
  return {};
}

void arrive(Host& host, LedgerMove& move, const Identity& own) {
  Identity after = own;
  after.former.push_back({own.ledger_url, own.ledger, own.ledger_id});
  after.ledger_url = move.url;
  after.ledger = move.descriptor;
  after.ledger_id = move.id;
  for (const std::string& subject : {own.did, own.policy}) {
    const auto view = stored_view(host, subject);
    ASSERT(view.has_value());
    std::vector<PendingEntry> missing;
    const std::string& copied = copy_of(move, own, subject).last;
    for (std::size_t i = first_missing(*view, copied); i < view->history.size(); ++i) {
      missing.push_back({entry_blob(*view->history[i].entry), view->history[i].hash, {}});
    }
    leave_ledger(host, own, subject, std::move(missing));
    note_former_read(host, own.ledger_id, subject);
    note_former_settled(host, own.ledger_id, subject);
  }
  host.erase({"meta", std::string(kMoveRecord)});
  save_identity(host, after);
  host.audit("identity.moved", {{"from", own.ledger_id}, {"to", move.id}});
  for (const std::string& subject : {own.did, own.policy}) read_again(host, after, subject);
  back_up_new_home(host);
}

/// True: the next step can begin. False: an effect is open, or a log is being posted.
Result<bool> do_step(Host& host, LedgerMove& move, const Identity& own) {
  switch (move.step) {
    case Step::descriptor:
      fetch_descriptor(host, move);
      return false;
    case Step::copying: {
      CHECK(check_settled(host, own));
      TRY(const bool sent, copy_next(host, move, own));
      return !sent;
    }
    case Step::checking:
      CHECK(check_settled(host, own));
      CHECK(rehearse(host, move, own));
      return !check_next_copy(host, move, own);
    case Step::leaving:
      return leave_all(host, move, own);
    case Step::refused:
      return false;
  }
  UNREACHABLE();
}

}  // namespace

Result<JsonObject> start_ledger_move(Host& host, const JsonObject& args) {
  CHECK(only_members(args, {"ledger"}, "ledger-move"));
  LedgerMove move;
  TRY(move.url, crypto::json_string(args, "ledger"));
  CHECK(plain_text(move.url, "the ledger's address", limits::kHttpUrlCharsMax));
  TRY(const Identity own, needed_identity(host));
  if (const auto other = ledger_move(host); other && other->step != Step::refused) {
    return fail(Errc::wrong_state, "a move is on its way: see `kith ledger status`");
  }
  if (move.url == own.ledger_url) return fail(Errc::refused, "your identity lives there already");
  CHECK(check_settled(host, own));
  fetch_descriptor(host, move);
  save_move(host, move);
  return ledger_move_status(host);
}

JsonObject ledger_move_status(Host& host) {
  const auto move = ledger_move(host);
  if (!move) return JsonObject{{"state", "none"}};
  JsonObject reply;
  reply["state"] = step_name(move->step);
  reply["ledger"] = move->url;
  if (!move->error.empty()) reply["error"] = move->error;
  return reply;
}

Result<JsonObject> cancel_ledger_move(Host& host) {
  const auto move = ledger_move(host);
  if (!move) return fail(Errc::wrong_state, "no move is on its way");
  if (move->step == Step::leaving) {
    return fail(Errc::wrong_state, "the ledger may have taken the move already: let it finish");
  }
  end_ledger_move(host);
  return ledger_move_status(host);
}

void end_ledger_move(Host& host) {
  const auto move = ledger_move(host);
  if (!move) return;
  if (!move->effect.empty()) host.cancel_effect(move->effect);
  host.cancel_timer(kLogModule, kMoveContext);
  host.erase({"meta", std::string(kMoveRecord)});
}

namespace {

Result<void> take_outcome(Host& host, LedgerMove& move, const Identity& own, const Effect& effect,
                          const Result<Bytes>& outcome) {
  if (!outcome.has_value()) return outcome.error();
  if (move.step == Step::checking) return take_shown(host, move, own, effect, outcome);
  if (move.step != Step::descriptor) return take_copied(host, move, own, effect, *outcome);
  TRY(const LedgerDescriptor descriptor, parse_descriptor(crypto::as_text(*outcome)));
  move.descriptor = descriptor_json(descriptor);
  move.id = ledger_id(descriptor);
  const std::string known = known_ledger_id(host, move.url);
  if (!known.empty() && known != move.id) {
    move.step = Step::refused;
    return fail(Errc::refused, "another ledger was at that address before");
  }
  const bool lived_there =
      std::ranges::find(own.former, move.id, &FormerLedger::id) != own.former.end();
  if (lived_there || move.id == own.ledger_id) {
    move.step = Step::refused;
    return fail(Errc::refused, lived_there
                                   ? "your identity lived on that ledger before; it cannot return"
                                   : "your identity lives on that ledger already");
  }
  move.step = Step::copying;
  pin_ledger(host, move.url, move.descriptor);
  return {};
}

}  // namespace

void take_move_result(Host& host, const Effect& effect, const Result<Bytes>& outcome) {
  auto move = ledger_move(host);
  const auto own = identity(host);
  if (!move || !own || move->effect != effect.id) return;
  move->effect.clear();
  if (!outcome.has_value() && outcome.error() == Errc::bad_url) move->step = Step::refused;
  const auto taken = take_outcome(host, *move, *own, effect, outcome);
  if (taken.has_value()) {
    move->error.clear();
    move->failures = 0;
  } else {
    move->pages.clear();
    note_failure(host, *move, taken.error());
  }
  save_move(host, *move);
  if (taken.has_value()) continue_ledger_move(host);
}

void continue_ledger_move(Host& host) {
  auto move = ledger_move(host);
  const auto own = identity(host);
  if (!move || !own || !move->effect.empty()) return;
  host.cancel_timer(kLogModule, kMoveContext);
  for (;;) {
    const auto done = do_step(host, *move, *own);
    if (!done.has_value()) note_failure(host, *move, done.error());
    if (!done.has_value() || !*done) return save_move(host, *move);
    move->error.clear();
    if (move->step == Step::leaving) return arrive(host, *move, *own);
    move->step = static_cast<Step>(static_cast<std::uint8_t>(move->step) + 1);
  }
}

}  // namespace kith::ledger
