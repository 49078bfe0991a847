#include "ledger/log_machine.hpp"

#include <algorithm>

#include "crypto/assert.hpp"
#include "crypto/limits.hpp"
#include "ledger/log_limits.hpp"
#include "ledger/previous_agents.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {

using std::chrono::seconds;

Arrival read_arrival(std::size_t position, ByteView blob, AnchorTime time) {
  Arrival arrival;
  arrival.position = position;
  arrival.time = arrival.shown = time;
  arrival.blob = blob;
  auto parsed = parse_entry(blob);
  if (!parsed.has_value()) {
    arrival.broken = parsed.error().detail;
    return arrival;
  }
  arrival.entry = std::make_shared<const Entry>(std::move(*parsed));
  arrival.digest = digest_of_blob(blob);
  arrival.hash = entry_hash(arrival.digest);
  return arrival;
}

void LogMachine::enter(std::string_view ledger) {
  ledger_ = ledger;
  now_ = anchor_time_ms(0);
  base_ = chain_.size();
  home_ = !chain_.empty();
  earlier_ = seen_;
}

void LogMachine::leave(AnchorTime now) {
  pass_time(now);
  if (!pending_before_.has_value()) pending_before_ = std::move(pending_);
  pending_.reset();
}

/// It lived on this ledger, and its newest entry says that it lives elsewhere now. Where nobody
/// says which ledger this is, all that follows may be here.
bool LogMachine::has_left() const {
  return home_ && !ledger_.empty() && !contains(content_at(chain_.size() - 1).ledgers, ledger_);
}

/// The log comes from elsewhere, and has not moved here yet: what is here are copies.
bool LogMachine::is_carried() const {
  return carried_mode_ && !home_ && !ledger_.empty() && !chain_.empty();
}

std::optional<std::string> LogMachine::next_ledger() const {
  if (chain_.empty() || !has_left()) return std::nullopt;
  const auto& ledgers = content_at(chain_.size() - 1).ledgers;
  if (ledgers.empty()) return std::nullopt;
  return ledgers.front();
}

void LogMachine::ignore(const Arrival& arrival, const Refusal& why) {
  if (done_.contains(arrival.position)) return;
  if (arrival.entry == nullptr) {
    junk_.try_emplace(arrival.position, Refusal{Rule::form, arrival.broken});
    return;
  }
  junk_.try_emplace(arrival.position, why);
}

Verdict LogMachine::junk_at(std::size_t position) const {
  const auto found = junk_.find(position);
  if (found == junk_.end()) return std::nullopt;
  return found->second;
}

/// Content of an entry, or of the one before a deactivate (which nothing follows).
const LogContent& LogMachine::content_at(std::size_t index) const {
  const std::optional<LogContent>& content = chain_[index].entry->content;
  if (content.has_value()) return *content;
  ASSERT(index > 0);
  return *chain_[index - 1].entry->content;
}

bool LogMachine::continues(std::size_t index, const Entry& entry) const {
  return index < chain_.size() && entry.n == index + 1 && entry.prev == chain_[index].hash;
}

/// D or C as the state after chain_[index] has it at `time`: a smaller value takes effect only when
/// the larger one before it has run.
seconds LogMachine::in_force(std::size_t index, AnchorTime time,
                             seconds RecoveryRule::*window) const {
  seconds value = content_at(index).rec.*window;
  for (std::size_t i = 1; i <= index; ++i) {
    const seconds old = content_at(i - 1).rec.*window;
    if (old > value && time < chain_[i].effective_from + old) value = old;
  }
  return value;
}

LogRecord LogMachine::record(const Arrival& arrival) const {
  return LogRecord{arrival.entry, arrival.hash, arrival.position,
                   arrival.time,  arrival.time, std::nullopt};
}

/// Time never runs back, and what was waiting takes effect before the next blob is judged: a veto
/// at the very moment a recover takes effect is late.
void LogMachine::pass_time(AnchorTime time) {
  const AnchorTime clamped = std::min(std::max(time, anchor_time_ms(0)), kAnchorTimeMax);
  now_ = std::max(now_, clamped);
  settle();
}

/// What copies continue took effect where they come from.
void LogMachine::settle_carried(const Entry& entry) {
  const bool waits = pending_.has_value() && entry.prev == pending_->record.hash;
  if (!is_carried() || !waits || entry.op == Op::veto) return;
  if (contains(pending_->record.entry->content->ledgers, ledger_)) return;  // It waits here.
  pending_->record.effective_from = now_;
  settle();
}

void LogMachine::push(LogRecord counted) {
  seen_.insert(counted.hash);
  chain_.push_back(std::move(counted));
  home_ = home_ || contains(content_at(chain_.size() - 1).ledgers, ledger_);
}

void LogMachine::settle() {
  if (!pending_.has_value() || pending_->record.effective_from > now_) return;
  const auto first = chain_.begin() + static_cast<std::ptrdiff_t>(pending_->fork_n) + 1;
  replaced_.insert(replaced_.end(), first, chain_.end());
  chain_.erase(first, chain_.end());
  LogRecord effective = std::move(pending_->record);
  pending_.reset();
  push(std::move(effective));
}

void LogMachine::take(Arrival arrival) {
  pass_time(arrival.time);
  arrival.time = now_;
  arrival.shown = std::min(std::max(arrival.shown, now_), kAnchorTimeMax);
  if (done_.contains(arrival.position)) return;  // It counted in an earlier stage.
  const bool copy = arrival.entry != nullptr && earlier_.contains(arrival.hash);
  if (copy) return;
  if (auto verdict = judge(arrival)) {
    junk_.try_emplace(arrival.position, *std::move(verdict));
    return;
  }
  done_.insert(arrival.position);
  junk_.erase(arrival.position);
}

Verdict LogMachine::judge(const Arrival& arrival) {
  if (arrival.entry == nullptr) return refuse(Rule::form, arrival.broken);
  const Entry& entry = *arrival.entry;
  if (entry.id != subject_) return refuse(Rule::chain, "an entry of another log");
  if (seen_.contains(arrival.hash)) return refuse(Rule::duplicate, "this entry came before");
  if (chain_.empty()) return take_genesis(arrival);
  if (entry.kind != chain_.front().entry->kind) {
    return refuse(Rule::chain, "an entry of another kind of log");
  }
  settle_carried(entry);
  switch (entry.op) {
    case Op::genesis:
      return refuse(Rule::chain, "a second genesis");
    case Op::update:
    case Op::rotate:
    case Op::move:
    case Op::deactivate:
      return take_next(arrival);
    case Op::recover:
      return take_recover(arrival);
    case Op::veto:
      return take_veto(arrival);
  }
  UNREACHABLE();
}

Verdict LogMachine::take_genesis(const Arrival& arrival) {
  if (arrival.entry->op != Op::genesis) return refuse(Rule::chain, "before the genesis");
  if (auto refusal = check_genesis(subject_, *arrival.entry, arrival.blob)) return refusal;
  if (auto refusal = check_signatures(*arrival.entry, arrival.digest)) return refusal;
  if (arrival.entry->test && !test_mode_) {
    test_log_refused_ = true;
    return refuse(Rule::genesis, "a test log");
  }
  push(record(arrival));
  return std::nullopt;
}

Verdict LogMachine::check_next(const LogContent& before, const Arrival& arrival) const {
  if (auto refusal = check_change(before, *arrival.entry)) return refusal;
  return check_signatures(*arrival.entry, arrival.digest);
}

Verdict LogMachine::check_change(const LogContent& before, const Entry& entry) const {
  switch (entry.op) {
    case Op::update:
      return check_update(before, entry);
    case Op::rotate:
      return check_rotate(before, entry, chain_.front().entry->test);
    case Op::move:
      return check_move(before, entry);
    case Op::deactivate:
      return check_deactivate(before, entry);
    case Op::genesis:
    case Op::recover:
    case Op::veto:
      break;
  }
  UNREACHABLE();
}

/// A move counts on the ledger that it leaves, and nowhere else; whoever holds copies for others
/// takes their word for it.
Verdict LogMachine::check_from(const Entry& move) const {
  const auto is_move = [](const LogRecord& counted) { return counted.entry->op == Op::move; };
  const auto moves = static_cast<std::size_t>(std::ranges::count_if(chain_, is_move));
  if (moves >= log_limits::kMovesMax) return refuse(Rule::too_many, "the log moved too often");
  if (ledger_.empty() || ledger_ == *move.from) return std::nullopt;
  if (is_carried() && contains(move.content->ledgers, ledger_)) return std::nullopt;
  return refuse(Rule::move, "not on the ledger that it leaves");
}

/// update, rotate, move, deactivate: they continue the head and count at once.
Verdict LogMachine::take_next(const Arrival& arrival) {
  const Entry& entry = *arrival.entry;
  const std::size_t head = chain_.size() - 1;
  if (!continues(head, entry)) {
    note_duplicity(arrival);
    return refuse(Rule::chain, "n and prev do not continue the head");
  }
  if (has_left()) return refuse(Rule::move, "the log goes on on another ledger");
  if (chain_[head].entry->op == Op::deactivate) {
    return refuse(Rule::deactivate, "the log was deactivated");
  }
  if (entry.op != Op::deactivate && chain_.size() >= limits::kLogEntriesMax) {
    return refuse(Rule::too_many, "the log is full");
  }
  if (entry.op == Op::move) {
    if (auto refusal = check_from(entry)) return refusal;
  }
  if (auto refusal = check_next(content_at(head), arrival)) return refusal;
  LogRecord counted = record(arrival);
  if (entry.op != Op::update) {
    counted.contestable_until = arrival.time + in_force(head, arrival.time, &RecoveryRule::contest);
  }
  const bool moved_here = entry.op == Op::move && is_carried() && ledger_ != *entry.from;
  push(std::move(counted));
  if (moved_here) {
    // What stood before is the old ledger's to judge, and the old one was not asked.
    base_ = chain_.size();
    unconfirmed_ = true;
  }
  return std::nullopt;
}

/// Two agents of one party may append the same n of a microledger in good faith, and a recover is
/// meant to fork; all else that is valid beside an entry that counted is evidence.
void LogMachine::note_duplicity(const Arrival& arrival) {
  const Entry& entry = *arrival.entry;
  if (entry.kind == Kind::pair || entry.n == 0 || entry.n >= chain_.size()) return;
  const std::size_t before = static_cast<std::size_t>(entry.n) - 1;
  const LogRecord& counted = chain_[before + 1];
  if (!continues(before, entry) || counted.entry->op == Op::recover) return;
  if (check_next(content_at(before), arrival).has_value()) return;
  seen_.insert(arrival.hash);
  ++duplicity_count_;
  if (duplicity_.size() < limits::kLogJunkMax) {
    duplicity_.push_back(Duplicity{entry.n, counted.position, arrival.position});
  }
}

/// Section 4: one place for each class, and the back-off of the ordinary one.
Verdict LogMachine::check_pending(AnchorTime time, bool super_quorum) const {
  if (pending_.has_value() && (!super_quorum || pending_->record.super_quorum)) {
    return refuse(Rule::place_taken, "another recover is pending");
  }
  if (!super_quorum && back_off_until_.has_value() && time < *back_off_until_) {
    return refuse(Rule::back_off, "a recover was vetoed less than 14 days ago");
  }
  return std::nullopt;
}

/// The windows of what would be replaced.
Verdict LogMachine::check_place(std::size_t fork, AnchorTime time, bool super_quorum) const {
  if (auto refusal = check_pending(time, super_quorum)) return refusal;
  for (std::size_t i = fork + 1; i < chain_.size(); ++i) {
    if (chain_[i].entry->op == Op::recover && (!super_quorum || chain_[i].super_quorum)) {
      return refuse(Rule::place_taken, "another recover took effect after this fork point");
    }
    if (chain_[i].contestable_until.has_value() && time > *chain_[i].contestable_until) {
      return refuse(Rule::contest_over, "an entry after the fork point can no longer be replaced");
    }
  }
  return std::nullopt;
}

Verdict LogMachine::take_recover(const Arrival& arrival) {
  const Entry& entry = *arrival.entry;
  if (entry.n == 0 || !continues(static_cast<std::size_t>(entry.n) - 1, entry)) {
    return refuse(Rule::chain, "prev is not an entry that counts, or n is not its successor");
  }
  const std::size_t fork = static_cast<std::size_t>(entry.n) - 1;
  if (fork + 1 < base_) {
    return refuse(Rule::move, "what is older than the move is recovered on the old ledger");
  }
  if (has_left() && fork + 1 == chain_.size()) {
    return refuse(Rule::move, "the log goes on on another ledger");
  }
  if (!chain_[fork].entry->content.has_value()) {
    return refuse(Rule::recover, "a deactivated log has no recovery authority");
  }
  const bool super_quorum = is_super_quorum(content_at(fork), entry);
  if (auto refusal = check_place(fork, arrival.time, super_quorum)) return refusal;
  const bool test = chain_.front().entry->test;
  if (auto refusal = check_recover(content_at(fork), entry, test)) return refusal;
  if (auto refusal = check_signatures(entry, arrival.digest)) return refusal;
  LogRecord counted = record(arrival);
  counted.super_quorum = super_quorum;
  counted.effective_from = arrival.shown + in_force(fork, arrival.shown, &RecoveryRule::delay);
  counted.contestable_until = counted.effective_from;
  if (!super_quorum) {
    *counted.contestable_until += in_force(fork, counted.effective_from, &RecoveryRule::contest);
  }
  if (pending_.has_value()) replaced_.push_back(std::move(pending_->record));
  pending_ = PendingRecover{std::move(counted), fork};
  seen_.insert(arrival.hash);
  return std::nullopt;
}

Verdict LogMachine::take_veto(const Arrival& arrival) {
  const Entry& entry = *arrival.entry;
  if (!pending_.has_value() || entry.ref != pending_->record.hash) {
    return refuse(Rule::veto, "no such recover is pending");
  }
  if (entry.prev != pending_->record.hash || entry.n != pending_->record.entry->n + 1) {
    return refuse(Rule::chain, "n and prev do not continue the recover");
  }
  const auto fork = static_cast<std::size_t>(pending_->fork_n);
  const bool super_quorum = pending_->record.super_quorum;
  if (auto refusal = check_veto(content_at(fork), entry, super_quorum)) return refusal;
  if (auto refusal = check_signatures(entry, arrival.digest)) return refusal;
  seen_.insert(arrival.hash);
  vetoed_.push_back(std::move(pending_->record));
  pending_.reset();
  if (!super_quorum) back_off_until_ = arrival.time + kBackOff;
  return std::nullopt;
}

LogStatus LogMachine::status() const {
  if (pending_.has_value()) {
    return pending_->fork_n + 1 < chain_.size() ? LogStatus::contested : LogStatus::pending_recover;
  }
  return chain_.back().entry->op == Op::deactivate ? LogStatus::deactivated : LogStatus::normal;
}

std::size_t LogMachine::uncontested() const {
  if (pending_.has_value()) return static_cast<std::size_t>(pending_->fork_n);
  const std::size_t head = chain_.size() - 1;
  return chain_[head].entry->content.has_value() ? head : head - 1;
}

Result<LogView> LogMachine::view() {
  pending_ = std::move(pending_before_);
  if (chain_.empty()) {
    if (test_log_refused_) return fail(Errc::refused, "this is a test log");
    return fail(Errc::not_found, "no valid first entry of this log");
  }
  LogView view;
  view.subject = subject_;
  view.kind = chain_.front().entry->kind;
  view.test = chain_.front().entry->test;
  view.status = status();
  view.current = content_at(chain_.size() - 1);
  view.uncontested = uncontested();
  view.delay_in_force = in_force(chain_.size() - 1, now_, &RecoveryRule::delay);
  view.contest_in_force = in_force(chain_.size() - 1, now_, &RecoveryRule::contest);
  view.previous_agents = previous_agents(chain_);
  view.history = std::move(chain_);
  view.pending = std::move(pending_);
  view.back_off_until = back_off_until_;
  view.replaced = std::move(replaced_);
  view.vetoed = std::move(vetoed_);
  view.junk_count = junk_.size();
  for (auto& [position, refusal] : junk_) {
    if (view.junk.size() == limits::kLogJunkMax) break;
    view.junk.push_back({position, refusal.rule, std::move(refusal.detail)});
  }
  view.unconfirmed_move = unconfirmed_;
  view.duplicity_count = duplicity_count_;
  view.duplicity = std::move(duplicity_);
  return view;
}

}  // namespace kith::ledger
