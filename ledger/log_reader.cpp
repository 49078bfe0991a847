#include "ledger/log_reader.hpp"

#include <algorithm>
#include <set>

#include "crypto/assert.hpp"
#include "crypto/limits.hpp"
#include "ledger/log_rules.hpp"
#include "ledger/previous_agents.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {

namespace {

using std::chrono::seconds;

/// The state machine: blobs go in one by one, in ledger order; view() comes out.
class Machine {
 public:
  Machine(std::string_view subject, bool test_mode) : subject_(subject), test_mode_(test_mode) {}

  /// Judges one blob. The verdict says why it is junk.
  Verdict take(std::size_t position, ByteView blob, AnchorTime time);
  [[nodiscard]] Result<LogView> view(AnchorTime now);

 private:
  struct Arrival {
    std::shared_ptr<const Entry> entry;
    std::string hash;
    std::size_t position;
    AnchorTime time;
    ByteView blob;
  };

  Verdict judge(std::size_t position, ByteView blob);
  Verdict take_genesis(const Arrival& arrival);
  Verdict take_next(const Arrival& arrival);
  Verdict take_recover(const Arrival& arrival);
  Verdict take_veto(const Arrival& arrival);

  [[nodiscard]] Verdict check_next(const LogContent& before, const Entry& entry) const;
  [[nodiscard]] Verdict check_place(std::size_t fork, AnchorTime time, bool super_quorum) const;
  [[nodiscard]] Verdict check_pending(AnchorTime time, bool super_quorum) const;
  void note_duplicity(const Arrival& arrival);
  void pass_time(AnchorTime time);
  void settle();
  void note_junk(std::size_t position, const Refusal& refusal);

  [[nodiscard]] const LogContent& content_at(std::size_t index) const;
  [[nodiscard]] bool continues(std::size_t index, const Entry& entry) const;
  [[nodiscard]] seconds in_force(std::size_t index, AnchorTime time,
                                 seconds RecoveryRule::*window) const;
  [[nodiscard]] LogRecord record(const Arrival& arrival) const;
  [[nodiscard]] LogStatus status() const;
  [[nodiscard]] std::size_t uncontested() const;

  std::string subject_;
  bool test_mode_;
  AnchorTime now_ = anchor_time_ms(0);
  bool test_log_refused_ = false;
  std::vector<LogRecord> chain_;  ///< chain_[i] has n = i.
  std::optional<PendingRecover> pending_;
  std::optional<AnchorTime> back_off_until_;
  std::vector<LogRecord> replaced_;
  std::vector<LogRecord> vetoed_;
  std::set<std::string> seen_;  ///< Hashes of entries that counted or became evidence.
  std::size_t junk_count_ = 0;
  std::vector<JunkEntry> junk_;
  std::size_t duplicity_count_ = 0;
  std::vector<Duplicity> duplicity_;
};

/// Content of an entry, or of the one before a deactivate (which nothing follows).
const LogContent& Machine::content_at(std::size_t index) const {
  const std::optional<LogContent>& content = chain_[index].entry->content;
  if (content.has_value()) return *content;
  ASSERT(index > 0);
  return *chain_[index - 1].entry->content;
}

bool Machine::continues(std::size_t index, const Entry& entry) const {
  return index < chain_.size() && entry.n == index + 1 && entry.prev == chain_[index].hash;
}

/// D or C as the state after chain_[index] has it at `time`: a smaller value takes effect only when
/// the larger one before it has run.
seconds Machine::in_force(std::size_t index, AnchorTime time, seconds RecoveryRule::*window) const {
  seconds value = content_at(index).rec.*window;
  for (std::size_t i = 1; i <= index; ++i) {
    const seconds old = content_at(i - 1).rec.*window;
    if (old > value && time < chain_[i].effective_from + old) value = old;
  }
  return value;
}

LogRecord Machine::record(const Arrival& arrival) const {
  return LogRecord{arrival.entry, arrival.hash, arrival.position,
                   arrival.time,  arrival.time, std::nullopt};
}

/// Time never runs back, and what was waiting takes effect before the next blob is judged: a veto
/// at the very moment a recover takes effect is late.
void Machine::pass_time(AnchorTime time) {
  const AnchorTime clamped = std::min(std::max(time, anchor_time_ms(0)), kAnchorTimeMax);
  now_ = std::max(now_, clamped);
  settle();
}

void Machine::settle() {
  if (!pending_.has_value() || pending_->record.effective_from > now_) return;
  const auto first = chain_.begin() + static_cast<std::ptrdiff_t>(pending_->fork_n) + 1;
  replaced_.insert(replaced_.end(), first, chain_.end());
  chain_.erase(first, chain_.end());
  chain_.push_back(std::move(pending_->record));
  pending_.reset();
}

void Machine::note_junk(std::size_t position, const Refusal& refusal) {
  ++junk_count_;
  if (junk_.size() < limits::kLogJunkMax) {
    junk_.push_back(JunkEntry{position, refusal.rule, refusal.detail});
  }
}

Verdict Machine::take(std::size_t position, ByteView blob, AnchorTime time) {
  pass_time(time);
  Verdict verdict = judge(position, blob);
  if (verdict.has_value()) note_junk(position, *verdict);
  return verdict;
}

Verdict Machine::judge(std::size_t position, ByteView blob) {
  auto parsed = parse_entry(blob);
  if (!parsed.has_value()) return refuse(Rule::form, parsed.error().detail);
  if (parsed->id != subject_) return refuse(Rule::chain, "an entry of another log");
  const auto entry = std::make_shared<const Entry>(std::move(*parsed));
  const Arrival arrival{entry, entry_hash(*entry), position, now_, blob};
  if (seen_.contains(arrival.hash)) return refuse(Rule::duplicate, "this entry came before");
  if (chain_.empty()) return take_genesis(arrival);
  if (entry->kind != chain_.front().entry->kind) {
    return refuse(Rule::chain, "an entry of another kind of log");
  }
  switch (entry->op) {
    case Op::genesis:
      return refuse(Rule::chain, "a second genesis");
    case Op::update:
    case Op::rotate:
    case Op::deactivate:
      return take_next(arrival);
    case Op::recover:
      return take_recover(arrival);
    case Op::veto:
      return take_veto(arrival);
    case Op::move:
      return refuse(Rule::unsupported, "moves between ledgers are not read yet");
  }
  UNREACHABLE();
}

Verdict Machine::take_genesis(const Arrival& arrival) {
  if (arrival.entry->op != Op::genesis) return refuse(Rule::chain, "before the genesis");
  if (auto refusal = check_genesis(subject_, *arrival.entry, arrival.blob)) return refusal;
  if (arrival.entry->test && !test_mode_) {
    test_log_refused_ = true;
    return refuse(Rule::genesis, "a test log");
  }
  chain_.push_back(record(arrival));
  seen_.insert(arrival.hash);
  return std::nullopt;
}

Verdict Machine::check_next(const LogContent& before, const Entry& entry) const {
  switch (entry.op) {
    case Op::update:
      return check_update(before, entry);
    case Op::rotate:
      return check_rotate(before, entry, chain_.front().entry->test);
    case Op::deactivate:
      return check_deactivate(before, entry);
    case Op::genesis:
    case Op::recover:
    case Op::veto:
    case Op::move:
      break;
  }
  UNREACHABLE();
}

/// update, rotate, deactivate: they continue the head and count at once.
Verdict Machine::take_next(const Arrival& arrival) {
  const Entry& entry = *arrival.entry;
  const std::size_t head = chain_.size() - 1;
  if (!continues(head, entry)) {
    note_duplicity(arrival);
    return refuse(Rule::chain, "n and prev do not continue the head");
  }
  if (chain_[head].entry->op == Op::deactivate) {
    return refuse(Rule::deactivate, "the log was deactivated");
  }
  if (entry.op != Op::deactivate && chain_.size() >= limits::kLogEntriesMax) {
    return refuse(Rule::too_many, "the log is full");
  }
  if (auto refusal = check_next(content_at(head), entry)) return refusal;
  LogRecord counted = record(arrival);
  if (entry.op != Op::update) {
    counted.contestable_until = arrival.time + in_force(head, arrival.time, &RecoveryRule::contest);
  }
  chain_.push_back(std::move(counted));
  seen_.insert(arrival.hash);
  return std::nullopt;
}

/// Two agents of one party may append the same n of a microledger in good faith, and a recover is
/// meant to fork; all else that is valid beside an entry that counted is evidence.
void Machine::note_duplicity(const Arrival& arrival) {
  const Entry& entry = *arrival.entry;
  if (entry.kind == Kind::pair || entry.n == 0 || entry.n >= chain_.size()) return;
  const std::size_t before = static_cast<std::size_t>(entry.n) - 1;
  const LogRecord& counted = chain_[before + 1];
  if (!continues(before, entry) || counted.entry->op == Op::recover) return;
  if (check_next(content_at(before), entry).has_value()) return;
  seen_.insert(arrival.hash);
  ++duplicity_count_;
  if (duplicity_.size() < limits::kLogJunkMax) {
    duplicity_.push_back(Duplicity{entry.n, counted.position, arrival.position});
  }
}

/// Section 4: one place for each class, and the back-off of the ordinary one.
Verdict Machine::check_pending(AnchorTime time, bool super_quorum) const {
  if (pending_.has_value() && (!super_quorum || pending_->record.super_quorum)) {
    return refuse(Rule::place_taken, "another recover is pending");
  }
  if (!super_quorum && back_off_until_.has_value() && time < *back_off_until_) {
    return refuse(Rule::back_off, "a recover was vetoed less than 14 days ago");
  }
  return std::nullopt;
}

/// The windows of what would be replaced.
Verdict Machine::check_place(std::size_t fork, AnchorTime time, bool super_quorum) const {
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

Verdict Machine::take_recover(const Arrival& arrival) {
  const Entry& entry = *arrival.entry;
  if (entry.n == 0 || !continues(static_cast<std::size_t>(entry.n) - 1, entry)) {
    return refuse(Rule::chain, "prev is not an entry that counts, or n is not its successor");
  }
  const std::size_t fork = static_cast<std::size_t>(entry.n) - 1;
  if (!chain_[fork].entry->content.has_value()) {
    return refuse(Rule::recover, "a deactivated log has no recovery authority");
  }
  const bool super_quorum = is_super_quorum(content_at(fork), entry);
  if (auto refusal = check_place(fork, arrival.time, super_quorum)) return refusal;
  const bool test = chain_.front().entry->test;
  if (auto refusal = check_recover(content_at(fork), entry, test)) return refusal;
  LogRecord counted = record(arrival);
  counted.super_quorum = super_quorum;
  counted.effective_from = arrival.time + in_force(fork, arrival.time, &RecoveryRule::delay);
  counted.contestable_until = counted.effective_from;
  if (!super_quorum) {
    *counted.contestable_until += in_force(fork, counted.effective_from, &RecoveryRule::contest);
  }
  if (pending_.has_value()) replaced_.push_back(std::move(pending_->record));
  pending_ = PendingRecover{std::move(counted), fork};
  seen_.insert(arrival.hash);
  return std::nullopt;
}

Verdict Machine::take_veto(const Arrival& arrival) {
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
  seen_.insert(arrival.hash);
  vetoed_.push_back(std::move(pending_->record));
  pending_.reset();
  if (!super_quorum) back_off_until_ = arrival.time + kBackOff;
  return std::nullopt;
}

LogStatus Machine::status() const {
  if (pending_.has_value()) {
    return pending_->fork_n + 1 < chain_.size() ? LogStatus::contested : LogStatus::pending_recover;
  }
  return chain_.back().entry->op == Op::deactivate ? LogStatus::deactivated : LogStatus::normal;
}

std::size_t Machine::uncontested() const {
  if (pending_.has_value()) return static_cast<std::size_t>(pending_->fork_n);
  const std::size_t head = chain_.size() - 1;
  return chain_[head].entry->content.has_value() ? head : head - 1;
}

Result<LogView> Machine::view(AnchorTime now) {
  pass_time(now);
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
  view.junk_count = junk_count_;
  view.junk = std::move(junk_);
  view.duplicity_count = duplicity_count_;
  view.duplicity = std::move(duplicity_);
  return view;
}

}  // namespace

std::string_view status_name(LogStatus status) {
  switch (status) {
    case LogStatus::normal:
      return "normal";
    case LogStatus::pending_recover:
      return "pending";
    case LogStatus::contested:
      return "contested";
    case LogStatus::deactivated:
      return "deactivated";
  }
  UNREACHABLE();
}

Result<LogView> read_log(std::string_view subject, std::span<const AnchoredBlob> blobs,
                         const ReaderOptions& options) {
  Machine machine(subject, options.test_mode);
  for (std::size_t i = 0; i < blobs.size(); ++i) {
    static_cast<void>(machine.take(i, blobs[i].blob, blobs[i].time));
  }
  return machine.view(options.now);
}

Result<LogView> read_with(std::string_view subject, std::span<const AnchoredBlob> blobs,
                          ByteView candidate, const ReaderOptions& options) {
  Machine machine(subject, options.test_mode);
  for (std::size_t i = 0; i < blobs.size(); ++i) {
    static_cast<void>(machine.take(i, blobs[i].blob, blobs[i].time));
  }
  if (const Verdict verdict = machine.take(blobs.size(), candidate, options.now)) {
    const bool unsupported = verdict->rule == Rule::unsupported;
    return fail(unsupported ? Errc::unsupported : Errc::invalid_entry, verdict->detail);
  }
  return machine.view(options.now);
}

}  // namespace kith::ledger
