#include "recovery/finish_sign.hpp"

#include <algorithm>
#include <map>

#include "ledger/identity.hpp"
#include "ledger/log_keys.hpp"
#include "ledger/log_writer.hpp"
#include "protocol/vault.hpp"

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
  Planner(Host& host, const SealedKey& vault, std::string subject, std::vector<AnchoredBlob> blobs)
      : host_(host), vault_(vault), subject_(std::move(subject)), blobs_(std::move(blobs)) {}

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

  /// The next keys of `content` that the vault holds.
  [[nodiscard]] Result<std::vector<KeyPair>> next_keys(const LogContent& content) {
    std::vector<KeyPair> pairs;
    for (const auto& item : protocol::vault_items_of(host_, subject_, VaultUse::log_next)) {
      const std::string digest = ledger::key_digest(item.id);
      if (std::ranges::find(content.next.kd, digest) == content.next.kd.end()) continue;
      TRY(KeyPair pair, protocol::open_vault_item(host_, vault_, item.id));
      pairs.push_back(std::move(pair));
    }
    return pairs;
  }
  [[nodiscard]] bool holds_next(const LogContent& content) {
    const auto pairs = next_keys(content);
    return pairs.has_value() && pairs->size() >= content.next.t;
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
    const auto& pending = *view_->pending;
    if (pending.record.entry->content && holds_next(*pending.record.entry->content)) {
      return fail(Errc::wrong_state,
                  "a recovery of this identity that you began before is under "
                  "way: try again after " +
                      ledger::utc_text(pending.record.effective_from));
    }
    if (pending.record
            .super_quorum) {  // The last word an owner can have: no wallet objects by itself.
      return fail(Errc::wrong_state,
                  "a recovery by the super-quorum of this identity is pending: try again after " +
                      ledger::utc_text(pending.record.effective_from));
    }
    const auto& fork = view_->history[static_cast<std::size_t>(pending.fork_n)].entry->content;
    if (!fork) return fail(Errc::wrong_state, "another recovery is pending and cannot be vetoed");
    TRY(const std::vector<KeyPair> keys, next_keys(*fork));
    if (keys.size() < fork->next.t) {
      return fail(Errc::not_found,
                  "another recovery is pending, and the vault holds no key to "
                  "veto it");
    }
    TRY(Entry veto, ledger::make_veto(*view_, ledger::anchor_time(host_.now())));
    CHECK(ledger::add_signatures(veto, keys, fork->next.t, host_.keys()));
    plan_.notes.push_back("Somebody else's recovery of your identity was pending; it is vetoed.");
    return add(veto);
  }

  [[nodiscard]] Result<void> rotate(const Json& state, bool last) {
    const LogContent before = view_->current;
    TRY(const std::vector<KeyPair> held, next_keys(before));
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
    CHECK(keep_authority(recovery));
    spec.rec = before.rec;
    spec.rec->d = recovery.digest;
    return {};
  }
  [[nodiscard]] Result<void> keep_authority(const ledger::RecoveryTier& recovery) {
    TRY(const Bytes salt, crypto::from_multibase(recovery.reveal.salt));
    for (const KeyPair& pair : recovery.pairs) {
      CHECK(protocol::add_to_vault(host_, VaultUse::log_recovery, crypto::multikey(pair.public_key),
                                   subject_, salt, pair.sealed));
    }
    return {};
  }

  struct Authority {
    ledger::Reveal reveal;
    std::vector<KeyPair> pairs;
  };
  /// The authority that hashes into `digest`. Its keys lie in the vault with one salt.
  [[nodiscard]] Result<Authority> authority(const std::string& digest) {
    std::map<Bytes, std::vector<std::string>> by_salt;
    for (const auto& item : protocol::vault_items_of(host_, subject_, VaultUse::log_recovery)) {
      by_salt[item.salt].push_back(item.id);
    }
    for (const auto& [salt, keys] : by_salt) {
      for (std::uint32_t t = 1; t <= keys.size(); ++t) {
        const ledger::Reveal reveal{t, keys, crypto::multibase(salt)};
        if (ledger::recovery_digest(reveal) != digest) continue;
        Authority found{reveal, {}};
        for (const std::string& key : keys) {
          TRY(KeyPair pair, protocol::open_vault_item(host_, vault_, key));
          found.pairs.push_back(std::move(pair));
        }
        return found;
      }
    }
    return fail(Errc::not_found,
                "the vault holds neither the next keys nor the recovery "
                "authority of " +
                    subject_);
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
    TRY(const Authority old, authority(before.rec.d));
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
  std::optional<LedgerView> view_;
  LogPlan plan_;
};

}  // namespace

bool holds_next_keys(Host& host, const ledger::LogView& view) {
  const auto& next = view.current.next;
  const auto announced = [&](const protocol::VaultRecord& item) {
    return std::ranges::count(next.kd, ledger::key_digest(item.id)) > 0;
  };
  const auto items = protocol::vault_items_of(host, view.subject, VaultUse::log_next);
  return std::ranges::count_if(items, announced) >= std::ptrdiff_t{next.t};
}

Result<LogPlan> plan_log(Host& host, const SealedKey& vault, const std::string& subject,
                         const std::vector<AnchoredBlob>& blobs, const Json& state) {
  return Planner(host, vault, subject, blobs).run(state);
}

}  // namespace kith::recovery
