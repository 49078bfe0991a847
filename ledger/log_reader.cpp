#include "ledger/log_reader.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "crypto/assert.hpp"
#include "ledger/log_limits.hpp"
#include "ledger/log_machine.hpp"
#include "ledger/strict_json.hpp"
#include "ledger/witness_limits.hpp"

namespace kith::ledger {

namespace {

/// How a blob came to be seen, beside its time.
struct Seen {
  bool anchored = true;
  std::span<const WitnessTime> witnessed = {};
};

/// All blobs of one reading, and the way through their ledgers.
class Reading {
 public:
  Reading(std::string_view subject, std::span<const AnchoredBlob> blobs,
          const ReaderOptions& options)
      : subject_(subject), options_(options) {
    for (const AnchoredBlob& blob : blobs) {
      add(blob.blob, blob.time, blob.ledger, {blob.anchored, blob.witnessed});
    }
    for (const LedgerDescriptor& ledger : options.descriptors) {
      descriptors_.emplace(ledger_id(ledger), &ledger);
    }
  }
  /// `blob`, and what `seen` views, outlive this.
  void add(ByteView blob, AnchorTime time, const std::string& ledger, Seen seen = {}) {
    arrivals_.push_back(read_arrival(arrivals_.size(), blob, time));
    ledgers_.push_back(ledger.empty() ? options_.ledger : ledger);
    seen_.push_back(seen);
  }
  void run(LogMachine& machine) const;

 private:
  [[nodiscard]] std::set<std::size_t> leaving(const std::string& ledger) const;
  [[nodiscard]] std::vector<Arrival> aside(const std::string& ledger) const;
  [[nodiscard]] std::vector<Arrival> stage(const std::string& ledger) const;
  [[nodiscard]] bool leaves(std::size_t index, const std::string& ledger) const;
  [[nodiscard]] std::optional<AnchorTime> witnessed(std::size_t index,
                                                    const std::string& ledger) const;
  [[nodiscard]] bool is_of(std::size_t index, const std::string& ledger) const {
    return ledgers_[index] == ledger;
  }

  std::string_view subject_;
  const ReaderOptions& options_;
  std::map<std::string, const LedgerDescriptor*> descriptors_;
  std::vector<Arrival> arrivals_;
  std::vector<std::string> ledgers_;  ///< Of the same blobs.
  std::vector<Seen> seen_;            ///< Likewise.
};

/// A recover on another ledger that takes the log there, away from `ledger`: that one may be dead.
bool Reading::leaves(std::size_t index, const std::string& ledger) const {
  const auto& entry = arrivals_[index].entry;
  if (is_of(index, ledger) || entry == nullptr || entry->op != Op::recover) return false;
  const auto& named = entry->content->ledgers;
  return !named.empty() && named.front() == ledgers_[index] && !contains(named, ledger);
}

/// The recovers that leave `ledger`, and the vetoes of them that are beside them.
std::set<std::size_t> Reading::leaving(const std::string& ledger) const {
  std::set<std::size_t> found;
  std::set<std::pair<std::string, std::string>> recovers;  // Ledger and hash.
  for (std::size_t i = 0; i < arrivals_.size(); ++i) {
    if (ledger.empty() || !leaves(i, ledger)) continue;
    recovers.emplace(ledgers_[i], arrivals_[i].hash);
    found.insert(i);
  }
  for (std::size_t i = 0; !recovers.empty() && i < arrivals_.size(); ++i) {
    const auto& entry = arrivals_[i].entry;
    if (entry == nullptr || entry->op != Op::veto) continue;
    if (recovers.contains({ledgers_[i], *entry->ref})) found.insert(i);
  }
  return found;
}

/// When the witnesses of `ledger` saw it, if that is in place of the time that it has.
std::optional<AnchorTime> Reading::witnessed(std::size_t index, const std::string& ledger) const {
  const Arrival& arrival = arrivals_[index];
  const Seen& seen = seen_[index];
  if (seen.witnessed.empty() || arrival.entry == nullptr) return std::nullopt;
  const bool may = arrival.entry->op == Op::recover || arrival.entry->op == Op::veto;
  const auto descriptor = descriptors_.find(ledger);
  if (!may || descriptor == descriptors_.end()) return std::nullopt;
  const auto time = witnessed_time(*descriptor->second, subject_, arrival.blob, seen.witnessed);
  if (!time || arrival.time > *time + witness_limits::kWitnessedLagMax) return std::nullopt;
  return seen.anchored && arrival.time <= *time ? std::nullopt : time;
}

/// What is judged by the time of `ledger` elsewhere than in its order; by time.
std::vector<Arrival> Reading::aside(const std::string& ledger) const {
  const std::set<std::size_t> others = leaving(ledger);
  std::vector<Arrival> found;
  for (std::size_t i = 0; i < arrivals_.size(); ++i) {
    const bool other = others.contains(i);
    if (!other && !is_of(i, ledger)) continue;
    if (const auto time = witnessed(i, ledger)) {
      found.push_back(arrivals_[i]);
      found.back().time = *time;
    }
    if (other && seen_[i].anchored) found.push_back(arrivals_[i]);
  }
  const auto order = [](const Arrival& one) {
    return std::tuple(one.time, one.entry->op == Op::veto, one.position);
  };
  std::ranges::sort(found, {}, order);
  return found;
}

/// What is judged by the time of `ledger`: its blobs in its order, and by time what else is.
std::vector<Arrival> Reading::stage(const std::string& ledger) const {
  const std::vector<Arrival> others = aside(ledger);
  std::vector<Arrival> all;
  auto next = others.begin();
  AnchorTime clock = anchor_time_ms(0);
  for (std::size_t i = 0; i < arrivals_.size(); ++i) {
    if (!is_of(i, ledger) || !seen_[i].anchored) continue;
    clock = std::max(clock, arrivals_[i].time);
    for (; next != others.end() && next->time < clock; ++next) all.push_back(*next);
    all.push_back(arrivals_[i]);
  }
  all.insert(all.end(), next, others.end());
  return all;
}

void Reading::run(LogMachine& machine) const {
  std::optional<std::string> ledger;
  if (!ledgers_.empty()) ledger = ledgers_.front();
  std::set<std::string> read;
  for (std::size_t i = 0; ledger.has_value() && i < log_limits::kStagesMax; ++i) {
    machine.enter(*ledger);
    for (Arrival& arrival : stage(*ledger)) machine.take(std::move(arrival));
    machine.leave(options_.now);
    read.insert(*ledger);
    ledger = machine.next_ledger();
    const bool shown = ledger.has_value() && std::ranges::find(ledgers_, *ledger) != ledgers_.end();
    if (!shown) break;
  }
  const Refusal elsewhere{Rule::move, "the log does not live on that ledger"};
  const Refusal unseen{Rule::unseen, "on no ledger, and too few witnesses saw it in time"};
  for (std::size_t i = 0; i < arrivals_.size(); ++i) {
    if (!seen_[i].anchored) {
      machine.ignore(arrivals_[i], unseen);
    } else if (!read.contains(ledgers_[i])) {
      machine.ignore(arrivals_[i], elsewhere);
    }
  }
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

const LogRecord* LogView::open_move(AnchorTime now) const {
  for (auto record = history.rbegin(); record != history.rend(); ++record) {
    if (record->entry->op != Op::move) continue;
    return now <= *record->contestable_until ? &*record : nullptr;
  }
  return nullptr;
}

Result<LogView> read_log(std::string_view subject, std::span<const AnchoredBlob> blobs,
                         const ReaderOptions& options) {
  LogMachine machine(subject, options.test_mode, options.carried);
  Reading(subject, blobs, options).run(machine);
  return machine.view();
}

Result<LogView> read_with(std::string_view subject, std::span<const AnchoredBlob> blobs,
                          ByteView candidate, const ReaderOptions& options) {
  return read_with(subject, blobs, AnchoredBlob{crypto::to_bytes(candidate), options.now}, options);
}

Result<LogView> read_with(std::string_view subject, std::span<const AnchoredBlob> blobs,
                          const AnchoredBlob& candidate, const ReaderOptions& options) {
  LogMachine machine(subject, options.test_mode, options.carried);
  Reading reading(subject, blobs, options);
  reading.add(candidate.blob, candidate.time, candidate.ledger,
              {candidate.anchored, candidate.witnessed});
  reading.run(machine);
  if (const Verdict verdict = machine.junk_at(blobs.size())) {
    return fail(Errc::invalid_entry, verdict->detail);
  }
  return machine.view();
}

}  // namespace kith::ledger
