#include "ledger/log_reader.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "crypto/assert.hpp"
#include "ledger/log_limits.hpp"
#include "ledger/log_machine.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {

namespace {

/// All blobs of one reading, and the way through their ledgers.
class Reading {
 public:
  Reading(std::span<const AnchoredBlob> blobs, const ReaderOptions& options) : options_(options) {
    for (const AnchoredBlob& blob : blobs) add(blob.blob, blob.time, blob.ledger);
  }
  /// `blob` outlives this.
  void add(ByteView blob, AnchorTime time, const std::string& ledger) {
    arrivals_.push_back(read_arrival(arrivals_.size(), blob, time));
    ledgers_.push_back(ledger.empty() ? options_.ledger : ledger);
  }
  void run(LogMachine& machine) const;

 private:
  [[nodiscard]] std::vector<Arrival> leaving(const std::string& ledger) const;
  [[nodiscard]] std::vector<Arrival> stage(const std::string& ledger) const;
  [[nodiscard]] bool leaves(std::size_t index, const std::string& ledger) const;
  [[nodiscard]] bool is_of(std::size_t index, const std::string& ledger) const {
    return ledgers_[index] == ledger;
  }

  const ReaderOptions& options_;
  std::vector<Arrival> arrivals_;
  std::vector<std::string> ledgers_;  ///< Of the same blobs.
};

/// A recover on another ledger that takes the log there, away from `ledger`: that one may be dead.
bool Reading::leaves(std::size_t index, const std::string& ledger) const {
  const auto& entry = arrivals_[index].entry;
  if (is_of(index, ledger) || entry == nullptr || entry->op != Op::recover) return false;
  const auto& named = entry->content->ledgers;
  return !named.empty() && named.front() == ledgers_[index] && !contains(named, ledger);
}

/// The recovers that leave `ledger`, and the vetoes of them that are beside them; by time.
std::vector<Arrival> Reading::leaving(const std::string& ledger) const {
  std::vector<Arrival> found;
  std::set<std::pair<std::string, std::string>> recovers;  // Ledger and hash.
  for (std::size_t i = 0; i < arrivals_.size(); ++i) {
    if (ledger.empty() || !leaves(i, ledger)) continue;
    recovers.emplace(ledgers_[i], arrivals_[i].hash);
    found.push_back(arrivals_[i]);
  }
  for (std::size_t i = 0; !recovers.empty() && i < arrivals_.size(); ++i) {
    const auto& entry = arrivals_[i].entry;
    if (entry == nullptr || entry->op != Op::veto) continue;
    if (recovers.contains({ledgers_[i], *entry->ref})) found.push_back(arrivals_[i]);
  }
  std::ranges::stable_sort(found, {}, &Arrival::time);
  return found;
}

/// What is judged by the time of `ledger`: its blobs in its order, and what leaves it, by time.
std::vector<Arrival> Reading::stage(const std::string& ledger) const {
  const std::vector<Arrival> others = leaving(ledger);
  std::vector<Arrival> all;
  auto next = others.begin();
  AnchorTime clock = anchor_time_ms(0);
  for (std::size_t i = 0; i < arrivals_.size(); ++i) {
    if (!is_of(i, ledger)) continue;
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
  for (std::size_t i = 0; i < arrivals_.size(); ++i) {
    if (!read.contains(ledgers_[i])) machine.ignore(arrivals_[i]);
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
  Reading(blobs, options).run(machine);
  return machine.view();
}

Result<LogView> read_with(std::string_view subject, std::span<const AnchoredBlob> blobs,
                          ByteView candidate, const ReaderOptions& options) {
  LogMachine machine(subject, options.test_mode, options.carried);
  Reading reading(blobs, options);
  reading.add(candidate, options.now, options.ledger);
  reading.run(machine);
  if (const Verdict verdict = machine.junk_at(blobs.size())) {
    return fail(Errc::invalid_entry, verdict->detail);
  }
  return machine.view();
}

}  // namespace kith::ledger
