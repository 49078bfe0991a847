#include "ledger/own_log.hpp"

#include <algorithm>

#include "crypto/assert.hpp"
#include "crypto/limits.hpp"
#include "ledger/descriptor.hpp"
#include "ledger/did_kith.hpp"
#include "ledger/former_ledgers.hpp"
#include "ledger/log_settling.hpp"
#include "ledger/own_entries.hpp"
#include "ledger/own_words.hpp"
#include "ledger/seen_ledgers.hpp"
#include "ledger/sift.hpp"
#include "ledger/strict_json.hpp"
#include "protocol/messenger.hpp"
#include "protocol/pickup.hpp"

namespace kith::ledger {
namespace {

using protocol::Effect;
using protocol::EffectKind;

constexpr std::string_view kPosts = "log-post";
constexpr std::chrono::seconds kFormerReadLife{10};
constexpr std::chrono::minutes kUrgentAppendLife{10};
/// Of the identity's own ledger, when former ones have shown something: that does not wait for it.
constexpr std::chrono::minutes kOwnReadLife{1};
/// LogPost::refused where the entry was not taken for another reason than what it says.
constexpr std::string_view kNotTaken = "-";

std::string timer_name(std::string_view subject) {
  return std::string(kLogContext) + std::string(subject);
}

void wait(Host& host, std::string_view subject, LogPost& post) {
  const Duration delay = std::min(kLogWaitFirst * (1 << std::min(post.rounds, 11U)), kLogWaitMax);
  ++post.rounds;
  host.set_timer(kLogModule, timer_name(subject), host.now() + delay);
}

const FormerLedger* former_at(const Identity& identity, std::string_view id) {
  const auto found = std::ranges::find(identity.former, id, &FormerLedger::id);
  return found == identity.former.end() ? nullptr : &*found;
}

void start_append(Host& host, const Identity& identity, std::string_view subject, LogPost& post) {
  const PendingEntry& first = post.pending.front();
  const FormerLedger* former = former_at(identity, first.ledger);
  protocol::LedgerAppendPayload payload;
  payload.ledger = former != nullptr ? former->url : identity.ledger_url;
  payload.subject = subject;
  payload.blob = first.blob;
  const auto entry = parse_entry(first.blob);
  if (entry.has_value()) payload.expected_head = entry->prev;
  if (post.refused == first.hash) {
    for (const AnchoredBlob& kept : stored_blobs(host, subject)) {
      if (kept.blob == first.blob) payload.witnessed = witness_words(kept.witnessed);
    }
  }
  host.cancel_timer(kLogModule, timer_name(subject));
  post.reading.clear();
  post.tried = first.hash;
  // Of what has a window one looks soon what became of it.
  const bool urgent = entry.has_value() && (entry->op == Op::recover || entry->op == Op::veto);
  post.effect = start_ledger_effect(host, EffectKind::ledger_append, timer_name(subject),
                                    protocol::encode_record(payload),
                                    urgent ? Duration(kUrgentAppendLife) : kLedgerEffectLife);
}

void start_log_read(Host& host, const Identity& identity, std::string_view subject, LogPost& post) {
  const std::uint64_t from = post.pages.empty() ? 0 : post.pages.back().position + 1;
  const FormerLedger* former = former_at(identity, post.reading);
  Duration life = post.earlier.empty() ? Duration(kLedgerEffectLife) : Duration(kOwnReadLife);
  if (former != nullptr) life = kFormerReadLife;
  post.effect =
      start_read(host, timer_name(subject), former != nullptr ? former->url : identity.ledger_url,
                 subject, from, life);
}

void begin_reading(Host& host, const Identity& identity, std::string_view subject, LogPost& post) {
  post.pages.clear();
  post.earlier.clear();
  post.reading = next_former(host, identity, subject, {});
  start_log_read(host, identity, subject, post);
}

/// After a reading: the next append, a wait, or rest.
void go_on(Host& host, const Identity& identity, std::string_view subject, LogPost& post) {
  if (post.pending.empty()) {
    post.rounds = 0;
    post.tried.clear();
    return;
  }
  if (post.conflict || post.pending.front().hash == post.tried) {
    wait(host, subject, post);
    return;
  }
  if (post.refused.empty()) post.rounds = 0;  // What is not taken is tried less and less often.
  start_append(host, identity, subject, post);
}

void report_former(Host& host, std::string_view subject) {
  host.audit("identity.ledger-conflict", {{"log", subject}, {"former", true}});
  host.notify(
      {"alarm",
       "The ledger that your identity left shows less of it than it did before. Nothing was "
       "taken over from it. Ask its operator; people who find you through it may not find "
       "you any more.",
       std::string(subject),
       {}});
}

/// What a former ledger showed in this reading; if it was not asked, did not answer, or leaves out
/// what it had shown (then `whole` becomes false), what is kept of it.
std::vector<AnchoredBlob> former_stage(const FormerLedger& former,
                                       const std::vector<AnchoredBlob>& kept, const LogPost& post,
                                       bool& whole) {
  const auto is_its = [&](const auto& blob) { return blob.ledger == former.id; };
  std::vector<AnchoredBlob> before;
  std::ranges::copy_if(kept, std::back_inserter(before), is_its);
  std::vector<AnchoredBlob> shown;
  for (const StoredBlob& blob : post.earlier) {
    if (is_its(blob)) shown.push_back(anchored_blob(blob));
  }
  if (shown.empty()) return before;
  const bool all_there = std::ranges::all_of(before, [&](const AnchoredBlob& blob) {
    return std::ranges::find(shown, blob.blob, &AnchoredBlob::blob) != shown.end();
  });
  if (all_there) return shown;
  whole = false;
  return before;
}

/// What the reading showed, in stages: first the ledger where the log began. `shown`: by the
/// identity's own.
std::vector<AnchoredBlob> all_stages(Host& host, const Identity& identity, std::string_view subject,
                                     LogPost& post, std::vector<AnchoredBlob> shown) {
  const std::vector<AnchoredBlob> kept = stored_blobs(host, subject);
  if (!is_marked(kept)) return shown;
  for (AnchoredBlob& blob : shown) blob.ledger = identity.ledger_id;
  std::vector<AnchoredBlob> all;
  bool whole = true;
  for (const FormerLedger& former : identity.former) {
    std::ranges::move(former_stage(former, kept, post, whole), std::back_inserter(all));
  }
  if (!whole && !post.former_conflict) report_former(host, subject);
  post.former_conflict = !whole;
  std::ranges::move(shown, std::back_inserter(all));
  // After a recover that took the log back, that may be the identity's own.
  const std::string& first = kept.front().ledger;
  std::stable_partition(all.begin(), all.end(),
                        [&](const AnchoredBlob& blob) { return blob.ledger == first; });
  return all;
}

/// What the identity's own ledger had shown before.
std::vector<AnchoredBlob> shown_before(Host& host, const Identity& identity,
                                       std::string_view subject, const LogPost& post) {
  std::vector<AnchoredBlob> blobs = stored_blobs(host, subject);
  std::erase_if(blobs, [&](const AnchoredBlob& blob) {
    const bool waits =
        std::ranges::find(post.pending, blob.blob, &PendingEntry::blob) != post.pending.end();
    return waits || blob.ledger != identity.ledger_id;
  });
  return blobs;
}

/// Brings together what came of the ledgers in this reading.
void settle_reading(Host& host, const Identity& identity, std::string_view subject, LogPost& post,
                    std::vector<AnchoredBlob> shown) {
  settle_log(host, identity, subject, post,
             all_stages(host, identity, subject, post, std::move(shown)));
  for (const StoredBlob& blob : post.earlier) {
    if (!post.conflict && !post.former_conflict) note_former_settled(host, blob.ledger, subject);
  }
  post.pages.clear();
  post.earlier.clear();
}

/// A former ledger showed this, or, with nothing, did not answer: on to the next.
void leave_former(Host& host, const Identity& identity, std::string_view subject, LogPost& post) {
  if (post.pages.empty()) {
    note_former_away(host, identity, post.reading, subject);
  } else {
    note_former_read(host, post.reading, subject);
  }
  for (protocol::AnchoredBlob& entry : post.pages) {
    post.earlier.push_back(stored_blob(std::move(entry), post.reading));
  }
  post.pages.clear();
  post.reading = next_former(host, identity, subject, post.reading);
  start_log_read(host, identity, subject, post);
}

void take_reading(Host& host, const Identity& identity, std::string_view subject, LogPost& post,
                  protocol::LedgerEntries page) {
  // Of a ledger that proves nothing anybody may fill a log with junk.
  if (!page.proof) sift_pages(host, subject, post.pages);
  const auto complete = take_page(post.pages, std::move(page));
  if (complete.has_value() && !*complete) {
    start_log_read(host, identity, subject, post);
    return;
  }
  if (!complete.has_value()) post.pages.clear();
  if (!post.reading.empty()) return leave_former(host, identity, subject, post);
  if (!complete.has_value()) {
    post.error = complete.error().detail;
    wait(host, subject, post);
    return;
  }
  settle_reading(host, identity, subject, post, anchored(post.pages));
  go_on(host, identity, subject, post);
}

/// What is made upon a log that lives elsewhere would be refused by the identity's ledger.
Result<void> check_home(Host& host, const Identity& identity, std::string_view subject,
                        const Entry& entry) {
  const bool replaces = entry.op == Op::recover || entry.op == Op::veto;
  if (replaces || entry.op == Op::genesis) return {};
  TRY(const LogView view, stored_view(host, subject));
  if (contains(view.current.ledgers, identity.ledger_id)) return {};
  const auto lives_there = [&](const FormerLedger& former) { return lives_on(view, former.id); };
  if (std::ranges::any_of(identity.former, lives_there)) {
    return fail(Errc::wrong_state,
                "a recovery took this log back to a ledger that your identity left, and the other "
                "log is not there: see `kith policy history`");
  }
  return fail(Errc::wrong_state,
              "your identity is moving to another ledger; try again when `kith ledger status` says "
              "that it has");
}

/// Id of the former ledger that takes the entry; empty: the identity's does. What ends or undoes
/// something on a ledger that the log left belongs there. Errors: those of read_with.
Result<std::string> taker_of(Host& host, const Identity& identity, std::string_view subject,
                             const Entry& entry) {
  const std::vector<AnchoredBlob> kept = stored_blobs(host, subject);
  ReaderOptions options{anchor_time(host.now()), host.test_mode(), ledger_of(identity, kept)};
  add_descriptors(host, options, kept);
  const auto here = read_with(subject, kept, entry_blob(entry), options);
  if (here.has_value()) return std::string();
  const bool may_lie_there = entry.op == Op::recover || entry.op == Op::veto;
  for (const FormerLedger& former : identity.former) {
    options.ledger = former.id;
    const bool taken = may_lie_there && is_marked(kept) &&
                       read_with(subject, kept, entry_blob(entry), options).has_value();
    if (taken) return former.id;
  }
  return here.error();
}

void post_next(Host& host, const Identity& identity, std::string_view subject, LogPost& post,
               PendingEntry entry) {
  if (entry.ledger.empty()) {
    post.pending.push_back(std::move(entry));
    if (post.effect.empty() && !post.conflict) start_append(host, identity, subject, post);
    return;
  }
  // It has a window, and what is wrong with the identity's own ledger does not matter to it.
  post.pending.insert(post.pending.begin(), std::move(entry));
  if (!post.effect.empty()) host.cancel_effect(post.effect);
  start_append(host, identity, subject, post);
}

}  // namespace

void save_log_post(Host& host, std::string_view subject, const LogPost& post) {
  save(host, kPosts, subject, post);
}

LogPost log_post(Host& host, std::string_view subject) {
  return load<LogPost>(host, kPosts, subject).value_or(LogPost{});
}

void leave_ledger(Host& host, const Identity& before, std::string_view subject,
                  std::vector<PendingEntry> missing) {
  const LogPost post = log_post(host, subject);
  if (!post.effect.empty()) host.cancel_effect(post.effect);
  host.cancel_timer(kLogModule, timer_name(subject));
  std::vector<AnchoredBlob> blobs = stored_blobs(host, subject);
  const std::string from = ledger_of(before, blobs);
  for (AnchoredBlob& blob : blobs) {
    if (blob.ledger.empty()) blob.ledger = from;
  }
  store_blobs(host, subject, blobs);
  LogPost anew;
  anew.pending = std::move(missing);
  save_log_post(host, subject, anew);
}

Result<void> hand_in(Host& host, const Identity& identity, std::string_view subject,
                     const Entry& entry) {
  if (entry.id != subject) return fail(Errc::malformed, "an entry of another log");
  LogPost post = log_post(host, subject);
  const std::string hash = entry_hash(entry);
  const bool known = std::ranges::any_of(
      stored_blobs(host, subject),
      [&](const AnchoredBlob& kept) { return entry_hash_in(kept.blob) == hash; });
  if (known) return {};
  CHECK(check_home(host, identity, subject, entry));
  const Bytes blob = entry_blob(entry);
  // A ledger that the log has left would refuse it.
  TRY(const std::string taker, taker_of(host, identity, subject, entry));
  TRY(const LogView view,
      append_checked(host, subject, blob, host.now(), taker.empty() ? identity.ledger_id : taker));
  if (subject == identity.did) {
    TRY(const Resolution resolution, resolve_did_kith(view));
    protocol::remember_document(host, subject, resolution.document.get_object());
    protocol::prove_own_did_again(host, subject);
  }
  mark_own_entry(host, subject, hash);
  post_next(host, identity, subject, post, {blob, hash, taker});
  static_cast<void>(ask_for_words(host, identity, subject, post));
  save_log_post(host, subject, post);
  return {};
}

void read_again(Host& host, const Identity& identity, std::string_view subject) {
  LogPost post = log_post(host, subject);
  if (!post.effect.empty()) return;
  begin_reading(host, identity, subject, post);
  save_log_post(host, subject, post);
}

void take_log_result(Host& host, const Identity& identity, std::string_view subject,
                     const Effect& effect, const Result<Bytes>& outcome) {
  LogPost post = log_post(host, subject);
  if (post.effect != effect.id) return;
  post.effect.clear();
  if (effect.kind == EffectKind::ledger_append && outcome.has_value()) {
    // Appended or stale: what counts is what the ledger shows.
    keep_receipt(host, effect, *outcome);
    post.refused.clear();
    begin_reading(host, identity, subject, post);
    return save_log_post(host, subject, post);
  }
  if (effect.kind == EffectKind::ledger_append) {
    post.refused = outcome.error() == Errc::invalid_entry ? post.tried : std::string(kNotTaken);
  }
  auto page = proven_entries(host, effect, outcome, post.reading);
  if (!page.has_value() && !post.reading.empty()) {
    post.pages.clear();
    leave_former(host, identity, subject, post);
  } else if (!page.has_value()) {
    // The identity's own is silent; what former ones show may have a window all the same.
    if (!post.earlier.empty() && effect.kind == EffectKind::ledger_read) {
      settle_reading(host, identity, subject, post, shown_before(host, identity, subject, post));
    }
    post.pages.clear();
    post.error = page.error().detail.empty()
                     ? std::string(crypto::error_text(page.error().code).sentence)
                     : page.error().detail;
    wait(host, subject, post);
  } else if (!*page) {
    start_log_read(host, identity, subject, post);
  } else {
    take_reading(host, identity, subject, post, std::move(**page));
  }
  save_log_post(host, subject, post);
}

void try_again(Host& host, const Identity& identity, std::string_view subject) {
  LogPost post = log_post(host, subject);
  if (!post.effect.empty()) return;
  // What a former ledger takes can be sent again, and does not wait for the identity's own.
  const bool elsewhere = !post.pending.empty() && !post.pending.front().ledger.empty() &&
                         post.pending.front().hash != post.tried;
  const bool must_read = post.pending.empty() || post.conflict || !post.error.empty();
  if (must_read && !elsewhere) {
    // An append that failed may have come through: look before it is sent again.
    post.tried.clear();
    begin_reading(host, identity, subject, post);
  } else {
    start_append(host, identity, subject, post);
  }
  save_log_post(host, subject, post);
}

void hurry(Host& host, const Identity& identity, std::string_view subject,
           const std::string& hash) {
  const LogPost post = log_post(host, subject);
  if (post.refused != hash || post.pending.empty() || post.pending.front().hash != hash) return;
  try_again(host, identity, subject);
}

std::string ledger_of(const Identity& identity, const std::vector<AnchoredBlob>& blobs) {
  const bool unknown = !identity.former.empty() && !blobs.empty() && !is_marked(blobs);
  return unknown ? std::string() : identity.ledger_id;
}

Result<bool> take_page(std::vector<protocol::AnchoredBlob>& pages, protocol::LedgerEntries page) {
  if (!page.complete && page.entries.empty()) {
    return fail(Errc::malformed, "an empty page that is not the last");
  }
  std::size_t bytes = 0;
  for (const auto& entry : pages) bytes += entry.blob.size();
  for (auto& entry : page.entries) {
    const bool rises = pages.empty() || entry.position > pages.back().position;
    if (!rises) return fail(Errc::malformed, "ledger positions do not increase");
    bytes += entry.blob.size();
    if (bytes > limits::kLedgerSubjectBytesMax || pages.size() >= 2 * limits::kLogEntriesMax) {
      return fail(Errc::limit_exceeded, "the ledger shows more of this log than can be read");
    }
    pages.push_back(std::move(entry));
  }
  return page.complete;
}

std::vector<AnchoredBlob> anchored(const std::vector<protocol::AnchoredBlob>& pages) {
  std::vector<AnchoredBlob> blobs;
  for (const auto& entry : pages) blobs.push_back(anchored_blob(stored_blob(entry)));
  return blobs;
}

std::string start_ledger_effect(Host& host, EffectKind kind, std::string_view context,
                                Bytes payload, Duration life) {
  Effect effect;
  effect.kind = kind;
  effect.owner = kLogModule;
  effect.context = context;
  effect.payload = std::move(payload);
  effect.expires = host.now() + life;
  return host.start(std::move(effect));
}

std::string start_read(Host& host, std::string_view context, std::string_view ledger_url,
                       std::string_view subject, std::uint64_t from, Duration life) {
  protocol::LedgerReadPayload payload;
  payload.ledger = ledger_url;
  payload.subject = subject;
  payload.from = from;
  payload.seen = seen_at(host, ledger_url);
  return start_ledger_effect(host, EffectKind::ledger_read, context,
                             protocol::encode_record(payload), life);
}

std::string start_descriptor_fetch(Host& host, std::string_view context,
                                   std::string_view ledger_url, Duration life) {
  protocol::FetchPayload fetch;
  fetch.url = descriptor_url(ledger_url);
  return start_ledger_effect(host, EffectKind::fetch, context, protocol::encode_record(fetch),
                             life);
}

}  // namespace kith::ledger
