#include "recovery/log_veto.hpp"

#include <vector>

#include "ledger/identity.hpp"
#include "ledger/log_store.hpp"
#include "protocol/vault.hpp"
#include "recovery/vault_keys.hpp"

namespace kith::recovery {
namespace {

constexpr const char* kNextWords =
    "You have objected. It ends as soon as your ledger shows that: see `kith policy history`. For "
    "14 days your recovery authority rests. Whoever posted it had that authority: enough of your "
    "trustees together, or a thief of your vault. So replace your keys now, and the authority with "
    "them: kith did rotate. Then choose other trustees.";
constexpr const char* kSuperWords =
    "You have objected. It ends as soon as your ledger shows that: see `kith policy history`. "
    "Those "
    "who hold your last resort may begin again at once, and you would have to object again: talk "
    "to "
    "them, replace your keys (kith did rotate), and choose a new last resort.";

struct PendingLog {
  std::string name;
  ledger::LogView view;
};

/// Those of the own logs in which a recover waits that is not this wallet's.
Result<std::vector<PendingLog>> foreign_pending(Host& host) {
  TRY(const ledger::Identity own, ledger::needed_identity(host));
  std::vector<PendingLog> logs;
  bool own_waits = false;
  for (const auto& [name, subject] : {std::pair("did", own.did), std::pair("policy", own.policy)}) {
    TRY(ledger::LogView view, ledger::stored_view(host, subject));
    own_waits = own_waits || is_own_pending(host, view);
    if (!view.pending || is_own_pending(host, view)) continue;
    logs.push_back({name, std::move(view)});
  }
  if (!logs.empty()) return logs;
  return fail(Errc::wrong_state,
              own_waits ? "the recovery that waits is this wallet's own"
                        : "no recovery of your identity waits, as far as this device has read its "
                          "logs; it reads them every hour");
}

}  // namespace

Result<JsonObject> veto_logs(Host& host, const Command& command) {
  TRY(const bool also_super, protocol::flag_argument(command.args, "super_quorum"));
  TRY(const std::vector<PendingLog> logs, foreign_pending(host));
  TRY(const SealedKey vault, protocol::open_vault(host, command.step_up));
  JsonArray rows;
  bool super_quorum = false;
  for (const PendingLog& log : logs) {
    const ledger::LogRecord& pending = log.view.pending->record;
    if (pending.super_quorum && !also_super) {
      return fail(
          Errc::refused,
          "this is a recovery by your last resort, which exists against thieves and "
          "trustees. If you are sure that its holders turned against you, say --super-quorum");
    }
    super_quorum = super_quorum || pending.super_quorum;
    TRY(const ledger::Entry veto, make_objection(host, vault, log.view));
    CHECK(ledger::post_entry(host, log.view.subject, veto));
    host.audit("log.vetoed", {{"log", log.view.subject}, {"super", pending.super_quorum}});
    rows.push_back(JsonObject{{"log", log.name},
                              {"recovery", pending.hash},
                              {"would_count_from", ledger::utc_text(pending.effective_from)}});
  }
  return JsonObject{{"logs", std::move(rows)}, {"words", super_quorum ? kSuperWords : kNextWords}};
}

}  // namespace kith::recovery
