#include "recovery/finish_sign.hpp"

#include <algorithm>

#include "ledger/identity.hpp"
#include "ledger/log_keys.hpp"
#include "ledger/log_writer.hpp"
#include "protocol/vault.hpp"
#include "recovery/vault_keys.hpp"

namespace kith::recovery {
namespace {

using ledger::AnchoredBlob;
using ledger::AnchorTime;
using ledger::Entry;
using ledger::LogContent;
using protocol::VaultUse;
using LedgerView = ledger::LogView;

/// Builds entries one upon the other.
class Planner {
 public:
  Planner(Host& host, const SealedKey& vault, std::string subject, std::vector<AnchoredBlob> blobs,
          SuperQuorum super)
      : host_(host),
        vault_(vault),
        subject_(std::move(subject)),
        blobs_(std::move(blobs)),
        super_(super) {}

  Result<LogPlan> run(const Json& state) {
    TRY(view_, ledger::read_log(subject_, blobs_, options()));
    if (view_->status == ledger::LogStatus::deactivated) {
      return fail(Errc::wrong_state, "that log was ended by its owner");
    }
    if (view_->pending) CHECK(object_to_pending());
    if (holds_next(view_->current) && is_here(view_->current)) {
      CHECK(rotate(state, false));
      CHECK(rotate(state, true));
    } else {
      CHECK(recover(state));
    }
    return std::move(plan_);
  }

 private:
  [[nodiscard]] ledger::ReaderOptions options() const {
    return {ledger::anchor_time(host_.now()), host_.test_mode()};
  }
  /// Where an entry is to lie: the identity's ledger; of a veto, the one of what it ends. Empty
  /// while nobody says what came from where.
  [[nodiscard]] std::string ledger_for(const Entry& entry) {
    if (!ledger::is_marked(blobs_)) return {};
    if (entry.op == ledger::Op::veto) return blobs_[view_->pending->record.position].ledger;
    const auto own = ledger::identity(host_);
    return own ? own->ledger_id : std::string();
  }

  [[nodiscard]] bool holds_next(const LogContent& content) {
    return holds_next_of(host_, subject_, content);
  }

  [[nodiscard]] Result<void> add(const Entry& entry) {
    const Bytes blob = ledger::entry_blob(entry);
    ledger::ReaderOptions there = options();
    there.ledger = ledger_for(entry);
    TRY(view_, ledger::read_with(subject_, blobs_, blob, there));
    blobs_.push_back({blob, ledger::anchor_time(host_.now()), there.ledger});
    plan_.entries.push_back({subject_, blob, false});
    return {};
  }

  [[nodiscard]] Result<void> object_to_pending() {
    const ledger::LogRecord& pending = view_->pending->record;
    const std::string then = ledger::utc_text(pending.effective_from);
    if (is_own_pending(host_, *view_)) {
      return fail(
          Errc::wrong_state,
          "a recovery of this identity that you began before is under way: try again after " +
              then);
    }
    // The last word an owner can have: no wallet objects to it by itself.
    if (pending.super_quorum && super_ != SuperQuorum::vetoed) {
      return fail(Errc::wrong_state,
                  "a recovery by the super-quorum of this identity is pending: try again after " +
                      then + ". If it is not yours, `kith recover finish --veto-super` objects");
    }
    TRY(const Entry veto, make_objection(host_, vault_, *view_));
    plan_.notes.push_back("Somebody else's recovery of your identity was pending; it is vetoed.");
    return add(veto);
  }

  [[nodiscard]] Result<void> rotate(const Json& state, bool last) {
    const LogContent before = view_->current;
    TRY(const std::vector<KeyPair> held, held_next_keys(host_, vault_, subject_, before));
    TRY(const std::vector<KeyPair> active, ledger::activate_next_keys(host_.keys(), held));
    ledger::LogKeyShape shape;
    shape.next_t = before.next.t;
    shape.next_n = static_cast<std::uint32_t>(before.next.kd.size());
    TRY(const ledger::NextTier next, ledger::generate_next(host_.keys(), shape));
    CHECK(ledger::keep_next_keys(host_, subject_, next));
    ledger::RotateSpec spec{{before.next.t, ledger::multikeys(active)}, next.digests, {}, state};
    if (last) CHECK(new_authority(before, spec));
    TRY(Entry entry,
        ledger::make_rotate(*view_, std::move(spec), ledger::anchor_time(host_.now())));
    CHECK(ledger::add_signatures(entry, active, before.next.t, host_.keys()));
    for (const KeyPair& pair : active) ledger::remember_log_key(host_, pair);
    return add(entry);
  }

  /// A recovery authority that no restored key belongs to.
  [[nodiscard]] Result<void> new_authority(const LogContent& before, ledger::RotateSpec& spec) {
    TRY(const ledger::RecoveryTier recovery,
        ledger::generate_recovery(host_.keys(), host_.random()));
    CHECK(ledger::keep_recovery_keys(host_, subject_, recovery));
    spec.rec = before.rec;
    spec.rec->d = recovery.digest;
    return {};
  }
  /// Whether such a log lives on the identity's ledger, where this wallet left it. Elsewhere a
  /// thief of the active keys has moved it, and the old ledger takes no rotate.
  [[nodiscard]] bool is_here(const LogContent& content) {
    const auto own = ledger::identity(host_);
    const auto names_it = [&](const ledger::LogRecord& record) {
      const auto& named = record.entry->content;
      return named && std::ranges::count(named->ledgers, own->ledger_id) > 0;
    };
    if (!own || !std::ranges::any_of(view_->history, names_it)) return true;
    return std::ranges::count(content.ledgers, own->ledger_id) > 0;
  }

  /// The newest entry that this wallet made: the vault holds the keys that it announces.
  [[nodiscard]] Result<std::size_t> newest_own() {
    for (std::size_t i = view_->history.size(); i-- > 0;) {
      const auto& content = view_->history[i].entry->content;
      if (content && holds_next(*content) && is_here(*content)) return i;
    }
    return fail(Errc::not_found, "the vault knows no entry of " + subject_);
  }

  [[nodiscard]] Result<void> recover(const Json& state) {
    TRY(const std::size_t fork, newest_own());
    const LogContent before = *view_->history[fork].entry->content;
    TRY(const HeldAuthority old, held_authority(host_, vault_, subject_, before.rec.d));
    TRY(const ledger::LogKeys keys, ledger::generate_log_keys(host_.keys(), host_.random()));
    CHECK(ledger::keep_log_keys(host_, subject_, keys));
    LogContent content = ledger::make_content(keys, before.ledgers, state);
    const std::string digest = content.rec.d;
    content.rec = before.rec;
    content.rec.d = digest;
    TRY(Entry entry, ledger::make_recover(*view_, view_->history[fork].entry->n, old.reveal,
                                          content, ledger::anchor_time(host_.now())));
    CHECK(ledger::add_signatures(entry, old.pairs, old.reveal.t, host_.keys()));
    plan_.slow = true;
    plan_.notes.push_back("Entries that your wallet did not make are replaced in " + subject_ +
                          ". That takes effect only after the waiting time of the log.");
    return add(entry);
  }

  Host& host_;
  const SealedKey& vault_;
  std::string subject_;
  std::vector<AnchoredBlob> blobs_;
  SuperQuorum super_;
  std::optional<LedgerView> view_;
  LogPlan plan_;
};

}  // namespace

bool holds_next_keys(Host& host, const ledger::LogView& view) {
  return holds_next_of(host, view.subject, view.current);
}

Result<LogPlan> plan_log(Host& host, const SealedKey& vault, const std::string& subject,
                         const std::vector<AnchoredBlob>& blobs, const Json& state,
                         SuperQuorum super) {
  return Planner(host, vault, subject, blobs, super).run(state);
}

}  // namespace kith::recovery
