#include "ledger/own_entries.hpp"

#include <algorithm>
#include <map>

#include "ledger/log_limits.hpp"
#include "ledger/log_store.hpp"
#include "ledger/own_log.hpp"
#include "protocol/contact.hpp"

namespace kith::ledger {
namespace {

constexpr std::chrono::minutes kGraceTest{5};  ///< Mail is asked for every minute at least.
constexpr std::string_view kUnclaimed = "unclaimed-entry";

/// Collection `unclaimed-entry`, by hash: no device has said yet that it made it.
struct Unclaimed {
  std::string subject;
  Time due{};
  template <class V>
  void visit(V& v) {
    v("subject", subject), v("due", due);
  }
};

bool is_marked_own(Host& host, std::string_view hash) {
  return host.get({std::string(kOwnEntries), std::string(hash)}).has_value();
}

void raise(Host& host, const std::string& subject, std::size_t count) {
  JsonObject details{{"log", subject}, {"entries", static_cast<std::int64_t>(count)}};
  if (const auto view = stored_view(host, subject); view.has_value()) {
    details["head"] = view->head().hash;
    details["status"] = status_name(view->status);
  }
  host.audit("identity.foreign-entry", std::move(details));
  const std::string unmade = protocol::has_other_devices(host) ? " that no device of yours has made"
                                                               : " that this device did not make";
  host.notify({"alarm",
               "Your identity's log has " + std::to_string(count) +
                   (count == 1 ? " entry" : " entries") + unmade +
                   ". If it was not another device of yours, somebody has your keys: see `kith "
                   "policy history`. What waits ends by `kith did veto`; what counts already, "
                   "trustees or a last resort can take back.",
               subject,
               {}});
}

}  // namespace

void mark_own_entry(Host& host, std::string_view subject, std::string_view hash) {
  if (!protocol::has_other_devices(host)) return;
  keep_entry_mark(host, hash, OwnEntryMark{std::string(subject), host.now()});
}

void keep_entry_mark(Host& host, std::string_view hash, const OwnEntryMark& mark) {
  save(host, kOwnEntries, hash, mark);
  const auto ids = host.list(kOwnEntries);
  if (ids.size() <= log_limits::kOwnEntriesKept) return;
  const auto made = [&](const std::string& id) {
    return load<OwnEntryMark>(host, kOwnEntries, id)->made;
  };
  const auto oldest = std::ranges::min_element(ids, {}, made);
  host.erase({std::string(kOwnEntries), *oldest});
}

void on_foreign_entries(Host& host, std::string_view subject,
                        const std::vector<std::string>& hashes) {
  if (hashes.empty()) return;
  if (!protocol::has_other_devices(host)) return raise(host, std::string(subject), hashes.size());
  const Time due =
      host.now() + (host.test_mode() ? Duration{kGraceTest} : Duration{log_limits::kForeignGrace});
  for (const std::string& hash : hashes) {
    if (is_marked_own(host, hash)) continue;
    save(host, kUnclaimed, hash, Unclaimed{std::string(subject), due});
    host.set_timer(kLogModule, kForeignTimer, due);
  }
}

void raise_foreign_alarms(Host& host) {
  std::map<std::string, std::size_t> due;
  std::optional<Time> next;
  for (const std::string& hash : host.list(kUnclaimed)) {
    const auto unclaimed = *load<Unclaimed>(host, kUnclaimed, hash);
    const bool waits = unclaimed.due > host.now() && !is_marked_own(host, hash);
    if (waits) {
      next = next ? std::min(*next, unclaimed.due) : unclaimed.due;
      continue;
    }
    if (!is_marked_own(host, hash)) ++due[unclaimed.subject];
    host.erase({std::string(kUnclaimed), hash});
  }
  for (const auto& [subject, count] : due) raise(host, subject, count);
  if (next) host.set_timer(kLogModule, kForeignTimer, *next);
}

}  // namespace kith::ledger
