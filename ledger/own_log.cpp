#include "ledger/own_log.hpp"

#include <algorithm>
#include <set>

#include "crypto/limits.hpp"
#include "ledger/did_kith.hpp"
#include "ledger/proposal.hpp"
#include "ledger/rebase.hpp"
#include "ledger/seen_ledgers.hpp"
#include "protocol/messenger.hpp"
#include "protocol/pickup.hpp"

namespace kith::ledger {
namespace {

using protocol::Effect;
using protocol::EffectKind;

constexpr std::string_view kPosts = "log-post";
constexpr std::string_view kModule = "identity";
constexpr Duration kWaitFirst = std::chrono::seconds{2};
constexpr Duration kWaitMax = std::chrono::hours{1};

void save_post(Host& host, std::string_view subject, const LogPost& post) {
  save(host, kPosts, subject, post);
}

std::string start_effect(Host& host, EffectKind kind, std::string_view context, Bytes payload,
                         Duration life = kLedgerEffectLife) {
  Effect effect;
  effect.kind = kind;
  effect.owner = kModule;
  effect.context = context;
  effect.payload = std::move(payload);
  effect.expires = host.now() + life;
  return host.start(std::move(effect));
}

std::string timer_name(std::string_view subject) {
  return std::string(kLogContext) + std::string(subject);
}

void wait(Host& host, std::string_view subject, LogPost& post) {
  const Duration delay = std::min(kWaitFirst * (1 << std::min(post.rounds, 11U)), kWaitMax);
  ++post.rounds;
  host.set_timer(kModule, timer_name(subject), host.now() + delay);
}

void start_append(Host& host, const Identity& identity, std::string_view subject, LogPost& post) {
  const PendingEntry& first = post.pending.front();
  protocol::LedgerAppendPayload payload;
  payload.ledger = identity.ledger_url;
  payload.subject = subject;
  payload.blob = first.blob;
  const auto entry = parse_entry(first.blob);
  if (entry.has_value()) payload.expected_head = entry->prev;
  host.cancel_timer(kModule, timer_name(subject));
  post.tried = first.hash;
  post.effect = start_effect(host, EffectKind::ledger_append, timer_name(subject),
                             protocol::encode_record(payload));
}

void start_log_read(Host& host, const Identity& identity, std::string_view subject, LogPost& post) {
  const std::uint64_t from = post.pages.empty() ? 0 : post.pages.back().position + 1;
  post.effect = start_read(host, timer_name(subject), identity.ledger_url, subject, from);
}

void alarm(Host& host, std::string_view event, std::string_view subject, std::string text,
           JsonObject details = {}) {
  details["log"] = subject;
  host.audit(event, std::move(details));
  host.notify({"alarm", std::move(text), std::string(subject), {}});
}

std::string hash_of(ByteView blob) {
  const auto entry = parse_entry(blob);
  return entry.has_value() ? entry_hash(*entry) : std::string();
}

/// What a ledger showed, without the junk.
struct Shown {
  std::vector<AnchoredBlob> blobs;
  std::vector<std::string> hashes;  ///< Of the same blobs.
  std::set<std::string> unjudged;   ///< Beyond what the reader lists: perhaps junk.
};

Shown without_junk(const LogView& view, const std::vector<AnchoredBlob>& all) {
  std::set<std::size_t> evidence;
  for (const Duplicity& pair : view.duplicity) evidence.insert(pair.second);
  std::set<std::size_t> junk;
  for (const JunkEntry& entry : view.junk) {
    const bool kept = evidence.contains(entry.position);
    if (!kept) junk.insert(entry.position);
  }
  std::set<std::size_t> counted;
  for (const auto* list : {&view.history, &view.replaced, &view.vetoed}) {
    for (const LogRecord& record : *list) counted.insert(record.position);
  }
  Shown shown;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (junk.contains(i)) continue;
    shown.blobs.push_back(all[i]);
    shown.hashes.push_back(hash_of(all[i].blob));
    const bool listed = view.junk_count <= view.junk.size();
    if (!listed && !counted.contains(i)) shown.unjudged.insert(shown.hashes.back());
  }
  return shown;
}

bool has(const std::vector<std::string>& hashes, const std::string& hash) {
  return std::ranges::find(hashes, hash) != hashes.end();
}

/// One reading of an own log, brought together with what is kept and pending.
class Settling {
 public:
  Settling(Host& host, const Identity& identity, std::string_view subject, LogPost& post)
      : host_(host),
        identity_(identity),
        subject_(subject),
        post_(post),
        kept_(stored_blobs(host, subject)) {
    for (const AnchoredBlob& blob : kept_) kept_hashes_.push_back(hash_of(blob.blob));
    for (const PendingEntry& entry : post.pending) pending_hashes_.push_back(entry.hash);
  }

  void run(const std::vector<AnchoredBlob>& all);

 private:
  [[nodiscard]] bool goes_back(const Shown& shown) const;
  void report_conflict();
  void report_foreign(const Shown& shown, const LogView& view);
  void settle_keys(const LogView& view);
  void carry_over(const Shown& shown);
  [[nodiscard]] Result<PendingEntry> fit(const PendingEntry& pending,
                                         const std::vector<AnchoredBlob>& blobs);
  [[nodiscard]] std::optional<LogContent> content_of(const std::string& hash) const;
  void keep(const std::vector<AnchoredBlob>& blobs);
  [[nodiscard]] ReaderOptions options() const {
    return {anchor_time(host_.now()), host_.test_mode(), identity_.ledger_id};
  }

  Host& host_;
  const Identity& identity_;
  std::string subject_;
  LogPost& post_;
  std::vector<AnchoredBlob> kept_;
  std::vector<std::string> kept_hashes_;
  std::vector<std::string> pending_hashes_;
};

void Settling::run(const std::vector<AnchoredBlob>& all) {
  auto view = read_log(subject_, all, options());
  Shown shown;
  if (view.has_value()) shown = without_junk(*view, all);
  if (goes_back(shown)) {
    report_conflict();
    return;
  }
  post_.conflict = false;
  post_.error.clear();
  if (view.has_value()) {
    post_.shown = true;
    report_foreign(shown, *view);
    settle_keys(*view);
  }
  carry_over(shown);
}

/// Something that the ledger had shown is not there any more.
bool Settling::goes_back(const Shown& shown) const {
  return std::ranges::any_of(kept_hashes_, [&](const std::string& hash) {
    return !has(pending_hashes_, hash) && !has(shown.hashes, hash);
  });
}

void Settling::report_conflict() {
  post_.error = "the ledger shows less of your log than before";
  if (post_.conflict) return;
  post_.conflict = true;
  alarm(host_, "identity.ledger-conflict", subject_,
        "The ledger shows less of your identity's log than it did before. Nothing was taken over. "
        "Ask its operator, and warn your contacts not to rely on it.");
}

void Settling::report_foreign(const Shown& shown, const LogView& view) {
  std::int64_t foreign = 0;
  for (const std::string& hash : shown.hashes) {
    const bool known =
        has(kept_hashes_, hash) || has(pending_hashes_, hash) || is_approved_here(host_, hash);
    if (!known && !shown.unjudged.contains(hash)) ++foreign;
  }
  if (foreign == 0) return;
  JsonObject details;
  details["entries"] = foreign;
  details["head"] = view.head().hash;
  details["status"] = status_name(view.status);
  alarm(host_, "identity.foreign-entry", subject_,
        "Your identity's log has " + std::to_string(foreign) +
            (foreign == 1 ? " entry" : " entries") +
            " that this device did not make. If it was not another device of yours, somebody has "
            "your keys: see `kith policy history`, then veto or recover.",
        std::move(details));
}

/// Keys that a rotate of ours replaced are of no use once the ledger shows it.
void Settling::settle_keys(const LogView& view) {
  const LogRecord& head = view.head();
  if (head.entry->op != Op::rotate || !has(pending_hashes_, head.hash)) return;
  const auto& before = view.history[view.history.size() - 2].entry->content;
  if (!before) return;
  for (const std::string& key : before->keys.k) {
    if (!has(view.current.keys.k, key)) forget_log_key(host_, key);
  }
}

std::optional<LogContent> Settling::content_of(const std::string& hash) const {
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    if (kept_hashes_[i] != hash) continue;
    auto entry = parse_entry(kept_[i].blob);
    if (entry.has_value()) return std::move(entry->content);
  }
  return std::nullopt;
}

/// The pending entry as it continues `blobs`: itself, or made anew.
Result<PendingEntry> Settling::fit(const PendingEntry& pending,
                                   const std::vector<AnchoredBlob>& blobs) {
  if (read_with(subject_, blobs, pending.blob, options()).has_value()) return pending;
  TRY(const Entry entry, parse_entry(pending.blob));
  const auto parent = content_of(entry.prev);
  if (!parent) return fail(Errc::conflict, "what it was made upon is not kept");
  TRY(const LogView view, read_log(subject_, blobs, options()));
  TRY(const Entry anew, rebase_entry(host_, entry, *parent, view));
  Bytes blob = entry_blob(anew);
  TRY(const LogView after, read_with(subject_, blobs, blob, options()));
  return PendingEntry{std::move(blob), after.head().hash};
}

/// Keeps what the ledger showed and, after it, what is still pending.
void Settling::carry_over(const Shown& shown) {
  std::vector<AnchoredBlob> blobs = shown.blobs;
  std::vector<PendingEntry> still;
  for (const PendingEntry& pending : post_.pending) {
    if (has(shown.hashes, pending.hash)) continue;
    auto fitted = fit(pending, blobs);
    if (!fitted.has_value()) {
      alarm(host_, "identity.entry-dropped", subject_,
            "A change of your identity could not be posted, because another came first (" +
                fitted.error().detail + "). Look at `kith policy history` and make it again.");
      continue;
    }
    blobs.push_back({fitted->blob, anchor_time(host_.now())});
    still.push_back(std::move(*fitted));
  }
  post_.pending = std::move(still);
  keep(blobs);
}

void Settling::keep(const std::vector<AnchoredBlob>& blobs) {
  StoredLog log;
  for (const AnchoredBlob& blob : blobs) {
    log.blobs.push_back({blob.blob, protocol::from_epoch_ms(to_ms(blob.time))});
  }
  save(host_, "log", subject_, log);
  if (subject_ != identity_.did) return;
  const auto view = read_log(subject_, blobs, options());
  if (!view.has_value()) return;
  const auto resolution = resolve_did_kith(*view);
  if (resolution.has_value() && resolution->document.is_object()) {
    protocol::remember_document(host_, subject_, resolution->document.get_object());
  }
  const bool same = std::ranges::equal(blobs, kept_, {}, &AnchoredBlob::blob, &AnchoredBlob::blob);
  if (!same) protocol::prove_own_did_again(host_, subject_);
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
  post.rounds = 0;
  start_append(host, identity, subject, post);
}

void take_reading(Host& host, const Identity& identity, std::string_view subject, LogPost& post,
                  protocol::LedgerEntries page) {
  const auto complete = take_page(post.pages, std::move(page));
  if (complete.has_value() && !*complete) {
    start_log_read(host, identity, subject, post);
    return;
  }
  const std::vector<AnchoredBlob> all = anchored(post.pages);
  post.pages.clear();
  if (!complete.has_value()) {
    post.error = complete.error().detail;
    wait(host, subject, post);
    return;
  }
  Settling(host, identity, subject, post).run(all);
  go_on(host, identity, subject, post);
}

}  // namespace

LogPost log_post(Host& host, std::string_view subject) {
  return load<LogPost>(host, kPosts, subject).value_or(LogPost{});
}

Result<void> hand_in(Host& host, const Identity& identity, std::string_view subject,
                     const Entry& entry) {
  if (entry.id != subject) return fail(Errc::malformed, "an entry of another log");
  LogPost post = log_post(host, subject);
  const std::string hash = entry_hash(entry);
  const bool known =
      std::ranges::any_of(stored_blobs(host, subject),
                          [&](const AnchoredBlob& kept) { return hash_of(kept.blob) == hash; });
  if (known) return {};
  const Bytes blob = entry_blob(entry);
  // A ledger that the log has left would refuse it.
  const ReaderOptions here{anchor_time(host.now()), host.test_mode(), identity.ledger_id};
  CHECK(read_with(subject, stored_blobs(host, subject), blob, here));
  TRY(const LogView view, append_checked(host, subject, blob, host.now()));
  if (subject == identity.did) {
    TRY(const Resolution resolution, resolve_did_kith(view));
    protocol::remember_document(host, subject, resolution.document.get_object());
    protocol::prove_own_did_again(host, subject);
  }
  post.pending.push_back({blob, hash});
  if (post.effect.empty() && !post.conflict) start_append(host, identity, subject, post);
  save_post(host, subject, post);
  return {};
}

void read_again(Host& host, const Identity& identity, std::string_view subject) {
  LogPost post = log_post(host, subject);
  if (!post.effect.empty()) return;
  post.pages.clear();
  start_log_read(host, identity, subject, post);
  save_post(host, subject, post);
}

void take_log_result(Host& host, const Identity& identity, std::string_view subject,
                     const Effect& effect, const Result<Bytes>& outcome) {
  LogPost post = log_post(host, subject);
  if (post.effect != effect.id) return;
  post.effect.clear();
  if (effect.kind == EffectKind::ledger_append && outcome.has_value()) {
    // Appended or stale: what counts is what the ledger shows.
    keep_receipt(host, effect, *outcome);
    post.pages.clear();
    start_log_read(host, identity, subject, post);
    return save_post(host, subject, post);
  }
  auto page = proven_entries(host, effect, outcome);
  if (!page.has_value()) {
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
  save_post(host, subject, post);
}

void try_again(Host& host, const Identity& identity, std::string_view subject) {
  LogPost post = log_post(host, subject);
  if (!post.effect.empty()) return;
  const bool must_read = post.pending.empty() || post.conflict || !post.error.empty();
  if (must_read) {
    // An append that failed may have come through: look before it is sent again.
    post.tried.clear();
    start_log_read(host, identity, subject, post);
  } else {
    start_append(host, identity, subject, post);
  }
  save_post(host, subject, post);
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
  for (const auto& entry : pages) blobs.push_back({entry.blob, anchor_time(entry.time)});
  return blobs;
}

std::string start_read(Host& host, std::string_view context, std::string_view ledger_url,
                       std::string_view subject, std::uint64_t from, Duration life) {
  protocol::LedgerReadPayload payload;
  payload.ledger = ledger_url;
  payload.subject = subject;
  payload.from = from;
  payload.seen = seen_at(host, ledger_url);
  return start_effect(host, EffectKind::ledger_read, context, protocol::encode_record(payload),
                      life);
}

}  // namespace kith::ledger
