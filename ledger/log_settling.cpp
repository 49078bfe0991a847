#include "ledger/log_settling.hpp"

#include <algorithm>
#include <set>

#include "ledger/did_kith.hpp"
#include "ledger/own_entries.hpp"
#include "ledger/proposal.hpp"
#include "ledger/rebase.hpp"
#include "protocol/messenger.hpp"
#include "protocol/pickup.hpp"

namespace kith::ledger {
namespace {

void alarm(Host& host, std::string_view event, std::string_view subject, std::string text,
           JsonObject details = {}) {
  details["log"] = subject;
  host.audit(event, std::move(details));
  host.notify({"alarm", std::move(text), std::string(subject), {}});
}

bool has(const std::vector<std::string>& hashes, const std::string& hash) {
  return std::ranges::find(hashes, hash) != hashes.end();
}

/// What the ledgers showed, without the junk.
struct Shown {
  std::vector<AnchoredBlob> blobs;  ///< Without copies, on later ledgers, of what others showed.
  std::vector<std::string> hashes;  ///< Copies and all.
  std::set<std::string> here;       ///< Those that the identity's ledger showed.
  std::set<std::string> undone;     ///< Here, in a log that was taken back to a former ledger.
  std::set<std::string> unjudged;   ///< Beyond what the reader lists: perhaps junk.
};

Shown without_junk(const LogView& view, const std::vector<AnchoredBlob>& all,
                   const std::string& here) {
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
  // A recover on a former ledger took the log back: what was written here meanwhile is no junk of
  // strangers.
  const auto& ledgers = view.current.ledgers;
  const bool lives_here = ledgers.empty() || ledgers.front() == here;
  Shown shown;
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::string hash = entry_hash_in(all[i].blob);
    if (junk.contains(i)) {
      if (!lives_here && all[i].ledger == here) shown.undone.insert(std::move(hash));
      continue;
    }
    if (all[i].ledger.empty() || all[i].ledger == here) shown.here.insert(hash);
    const bool copy = !counted.contains(i) && has(shown.hashes, hash);
    const bool listed = view.junk_count <= view.junk.size();
    if (!copy) shown.blobs.push_back(all[i]);
    if (!listed && !copy && !counted.contains(i)) shown.unjudged.insert(hash);
    shown.hashes.push_back(std::move(hash));
  }
  return shown;
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
    for (const AnchoredBlob& blob : kept_) kept_hashes_.push_back(entry_hash_in(blob.blob));
    for (const PendingEntry& entry : post.pending) pending_hashes_.push_back(entry.hash);
  }

  void run(const std::vector<AnchoredBlob>& as_shown);

 private:
  /// How the pending entry is kept: as taken now or, if it is late, as its witnesses saw it.
  struct Fitted {
    PendingEntry entry;
    AnchoredBlob blob;
  };
  [[nodiscard]] bool goes_back(const Shown& shown) const;
  [[nodiscard]] bool lacks_copies(const Shown& shown, const LogView& view) const;
  void report_conflict();
  void report_foreign(const Shown& shown);
  void settle_keys(const LogView& view);
  void carry_over(const Shown& shown);
  [[nodiscard]] std::vector<AnchoredBlob> with_words(std::vector<AnchoredBlob> blobs) const;
  [[nodiscard]] Result<Fitted> fit(const PendingEntry& pending,
                                   const std::vector<AnchoredBlob>& blobs);
  [[nodiscard]] std::optional<LogContent> content_of(const std::string& hash) const;
  void keep(const std::vector<AnchoredBlob>& blobs);
  [[nodiscard]] bool is_known_document(const JsonObject& document);
  /// `ledger`: where it is not the identity's.
  [[nodiscard]] ReaderOptions options(const std::string& ledger = {}) const {
    ReaderOptions made{anchor_time(host_.now()), host_.test_mode(),
                       ledger.empty() ? ledger_of(identity_, kept_) : ledger};
    add_descriptors(host_, made, kept_);
    return made;
  }

  Host& host_;
  const Identity& identity_;
  std::string subject_;
  LogPost& post_;
  std::vector<AnchoredBlob> kept_;
  std::vector<std::string> kept_hashes_;
  std::vector<std::string> pending_hashes_;
};

void Settling::run(const std::vector<AnchoredBlob>& as_shown) {
  const std::vector<AnchoredBlob> all = with_words(as_shown);
  auto view = read_log(subject_, all, options());
  Shown shown;
  if (view.has_value()) shown = without_junk(*view, all, identity_.ledger_id);
  if (goes_back(shown) || (view.has_value() && lacks_copies(shown, *view))) {
    report_conflict();
    return;
  }
  post_.conflict = false;
  post_.error.clear();
  if (view.has_value()) {
    post_.shown = true;
    report_foreign(shown);
    settle_keys(*view);
  }
  carry_over(shown);
}

/// What witnesses said of them to this device.
std::vector<AnchoredBlob> Settling::with_words(std::vector<AnchoredBlob> blobs) const {
  for (const AnchoredBlob& kept : kept_) {
    if (kept.witnessed.empty()) continue;
    for (AnchoredBlob& blob : blobs) {
      if (blob.witnessed.empty() && blob.blob == kept.blob) blob.witnessed = kept.witnessed;
    }
  }
  return blobs;
}

/// Something that the ledger had shown is not there any more.
bool Settling::goes_back(const Shown& shown) const {
  return std::ranges::any_of(kept_hashes_, [&](const std::string& hash) {
    return !has(pending_hashes_, hash) && !has(shown.hashes, hash) && !shown.undone.contains(hash);
  });
}

/// Of a log that moved here, what it brought along.
bool Settling::lacks_copies(const Shown& shown, const LogView& view) const {
  const auto& ledgers = view.current.ledgers;
  if (ledgers.empty() || ledgers.front() != identity_.ledger_id) return false;
  return std::ranges::any_of(view.history, [&](const LogRecord& record) {
    return !shown.here.contains(record.hash) && !has(pending_hashes_, record.hash);
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

void Settling::report_foreign(const Shown& shown) {
  std::vector<std::string> foreign;
  for (const std::string& hash : shown.hashes) {
    const bool known =
        has(kept_hashes_, hash) || has(pending_hashes_, hash) || is_approved_here(host_, hash);
    if (!known && !shown.unjudged.contains(hash)) foreign.push_back(hash);
  }
  on_foreign_entries(host_, subject_, foreign);
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
Result<Settling::Fitted> Settling::fit(const PendingEntry& pending,
                                       const std::vector<AnchoredBlob>& blobs) {
  const std::string& taker = pending.ledger.empty() ? identity_.ledger_id : pending.ledger;
  const std::string mark = is_marked(blobs) ? taker : std::string();
  AnchoredBlob as_now{pending.blob, anchor_time(host_.now()), mark};
  const auto kept = std::ranges::find(kept_, pending.blob, &AnchoredBlob::blob);
  if (kept != kept_.end()) as_now.witnessed = kept->witnessed;
  const ReaderOptions there = options(pending.ledger);
  if (read_with(subject_, blobs, pending.blob, there).has_value()) return Fitted{pending, as_now};
  if (!as_now.witnessed.empty()) {
    AnchoredBlob as_seen = *kept;
    as_seen.anchored = false;
    as_seen.ledger = mark;
    if (read_with(subject_, blobs, as_seen, there).has_value()) return Fitted{pending, as_seen};
  }
  TRY(const Entry entry, parse_entry(pending.blob));
  const auto parent = content_of(entry.prev);
  if (!parent) return fail(Errc::conflict, "what it was made upon is not kept");
  TRY(const LogView view, read_log(subject_, blobs, options()));
  TRY(const Entry anew, rebase_entry(host_, entry, *parent, view));
  Bytes blob = entry_blob(anew);
  TRY(const LogView after, read_with(subject_, blobs, blob, options()));
  const std::string here = is_marked(blobs) ? identity_.ledger_id : std::string();
  AnchoredBlob made{blob, as_now.time, here};
  return Fitted{{std::move(blob), after.head().hash, {}}, std::move(made)};
}

/// Keeps what the ledger showed and, after it, what is still pending.
void Settling::carry_over(const Shown& shown) {
  std::vector<AnchoredBlob> blobs = shown.blobs;
  std::vector<PendingEntry> still;
  for (const PendingEntry& pending : post_.pending) {
    const bool elsewhere = !pending.ledger.empty();
    if (elsewhere ? has(shown.hashes, pending.hash) : shown.here.contains(pending.hash)) continue;
    if (has(shown.hashes, pending.hash)) {  // It counts on a former ledger; here it is a copy.
      still.push_back(pending);
      continue;
    }
    auto fitted = fit(pending, blobs);
    if (!fitted.has_value()) {
      alarm(host_, "identity.entry-dropped", subject_,
            "A change of your identity could not be posted, because another came first (" +
                fitted.error().detail + "). Look at `kith policy history` and make it again.");
      continue;
    }
    mark_own_entry(host_, subject_, fitted->entry.hash);
    blobs.push_back(std::move(fitted->blob));
    still.push_back(std::move(fitted->entry));
  }
  post_.pending = std::move(still);
  keep(blobs);
}

void Settling::keep(const std::vector<AnchoredBlob>& blobs) {
  store_blobs(host_, subject_, blobs);
  if (subject_ != identity_.did) return;
  const auto view = read_log(subject_, blobs, options());
  if (!view.has_value()) return;
  const auto resolution = resolve_did_kith(*view);
  bool same = std::ranges::equal(blobs, kept_, {}, &AnchoredBlob::blob, &AnchoredBlob::blob);
  if (resolution.has_value() && resolution->document.is_object()) {
    // A recover that takes effect changes the document without a new entry.
    same = same && is_known_document(resolution->document.get_object());
    protocol::remember_document(host_, subject_, resolution->document.get_object());
  }
  if (!same) protocol::prove_own_did_again(host_, subject_);
}

bool Settling::is_known_document(const JsonObject& document) {
  const auto did = Did::parse(subject_);
  if (!did.has_value()) return false;
  const auto known = protocol::KnownDids(host_).resolve(*did);
  return known.has_value() && known->raw == document;
}

}  // namespace

void settle_log(Host& host, const Identity& identity, std::string_view subject, LogPost& post,
                const std::vector<AnchoredBlob>& all) {
  Settling(host, identity, subject, post).run(all);
}

}  // namespace kith::ledger
