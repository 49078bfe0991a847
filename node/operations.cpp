#include "node/operations.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "ledger/entry.hpp"

namespace kith::node {
namespace {

using Op = Operation;
using Row = std::pair<std::string_view, Operation>;

constexpr auto kCommandRows = std::to_array<Row>({
    // The node
    {"status", Op::look},
    {"version", Op::look},
    {"notices", Op::look},
    {"notices-clear", Op::keep},
    {"passphrase-wrong", Op::keep},
    {"alert-notice", Op::warn},
    {"alerts-test", Op::warn},
    {"alerts-status", Op::look},
    {"profile-set", Op::keep},
    {"audit-show", Op::look},
    {"audit-verify", Op::look},
    {"audit-page", Op::look},
    {"audit-anchor", Op::rotate},
    {"audit-look", Op::talk},
    {"audit-looked", Op::look},
    {"audit-checkpoint", Op::look},
    {"keys-list", Op::look},
    {"keys-show", Op::look},
    {"keys-at-risk", Op::look},
    {"keys-impact", Op::look},
    {"keys-compromised", Op::rotate},
    {"keys-rotate", Op::rotate},
    {"keys-suspend", Op::warn},
    {"keys-renew", Op::rotate},
    {"keys-destroy", Op::rotate},
    {"incident-open", Op::warn},
    {"incident-list", Op::look},
    {"incident-show", Op::look},
    {"incident-worsen", Op::warn},
    {"incident-close", Op::warn},
    {"freeze", Op::warn},
    {"freeze-status", Op::look},
    {"thaw", Op::thaw},
    {"thaw-agree", Op::thaw},
    // Answered by the shell
    {"lock", Op::object},
    {"unlock", Op::keep},
    {"ledger-account", Op::look},
    // People and mail
    {"invite", Op::talk},
    {"accept", Op::talk},
    {"contacts", Op::look},
    {"contact-rename", Op::keep},
    {"contact-end", Op::object},
    {"ping", Op::talk},
    {"ping-status", Op::look},
    {"send", Op::talk},
    {"messages", Op::look},
    {"features-ask", Op::talk},
    {"features-status", Op::look},
    {"features-policy", Op::keep},
    {"nudge", Op::talk},
    {"mailbox-ask", Op::talk},
    {"mailbox", Op::look},
    {"shorten", Op::talk},
    {"shorten-status", Op::look},
    {"unshorten", Op::talk},
    {"unshorten-status", Op::look},
    {"short-url-get", Op::serve},
    {"mediator-invitation", Op::serve},
    // Identity and ledgers
    {"identity-create", Op::rotate},
    {"identity-show", Op::look},
    {"identity-status", Op::look},
    {"identity-check", Op::open_vault},
    {"did-show", Op::look},
    {"did-resolve", Op::talk},
    {"did-resolve-status", Op::look},
    {"did-lint", Op::look},
    {"did-export", Op::export_data},
    {"export-begin", Op::export_data},
    {"export-part", Op::export_data},
    {"export-end", Op::keep},
    {"import-part", Op::rotate},
    {"import-open", Op::rotate},
    {"did-take", Op::warn},
    {"did-rotate", Op::rotate},
    {"did-rotate-status", Op::look},
    {"did-veto", Op::object},
    {"did-withdraw-address", Op::rotate},
    {"ledger-seen", Op::look},
    {"ledger-evidence", Op::look},
    {"ledger-receipt", Op::look},
    {"ledger-accuse", Op::warn},
    {"ledger-move", Op::rotate},
    {"ledger-move-status", Op::look},
    {"ledger-move-cancel", Op::object},
    {"witness-show", Op::look},
    {"witness-watch", Op::vouch},
    {"witness-unwatch", Op::object},
    {"witness-cosign", Op::vouch},
    {"witness-time", Op::vouch},
    // Policy and devices
    {"policy-show", Op::look},
    {"policy-history", Op::look},
    {"policy-propose", Op::change_policy},
    {"policy-proposals", Op::look},
    {"policy-approve", Op::change_policy},
    {"policy-reject", Op::object},
    {"ceremony-sign", Op::rotate},
    {"report-roles", Op::look},
    {"report-access", Op::look},
    {"report-review", Op::keep},
    {"reader-refused", Op::warn},
    {"auto-list", Op::look},
    {"auto-disable", Op::keep},
    {"auto-enable", Op::keep},
    {"policy-documents", Op::look},
    {"policy-operations", Op::look},
    {"policy-explain", Op::look},
    {"policy-load", Op::change_policy},
    {"policy-load-failed", Op::warn},
    {"agent-add", Op::add_device},
    {"agent-accept", Op::add_device},
    {"agent-code", Op::add_device},
    {"agent-pairings", Op::look},
    {"agent-cancel", Op::object},
    {"agent-list", Op::look},
    {"agent-revoke", Op::change_policy},
    // Recovery, as owner
    {"recovery-setup", Op::open_vault},
    {"recovery-status", Op::look},
    {"recovery-heartbeat", Op::talk},
    {"recovery-veto", Op::object},
    {"recovery-super-setup", Op::open_vault},
    {"recovery-super-confirm", Op::open_vault},
    {"recovery-super-cancel", Op::object},
    {"recovery-super-status", Op::look},
    {"recovery-super-start", Op::rotate},
    {"recovery-super-stop", Op::object},
    {"recover-start", Op::rotate},
    {"recover-add-trustee", Op::rotate},
    {"recover-code", Op::rotate},
    {"recover-answer", Op::rotate},
    {"recover-status", Op::look},
    {"recover-finish", Op::rotate},
    {"recover-hints", Op::look},
    // Recovery, as trustee
    {"trustee-requests", Op::look},
    {"trustee-list", Op::look},
    {"trustee-accept", Op::use_share},
    {"trustee-decline", Op::object},
    {"trustee-invite", Op::use_share},
    {"trustee-approve", Op::use_share},
    {"trustee-confirm", Op::use_share},
});

/// Commands of the program that are none of the agent's.
constexpr auto kProgramRows = std::to_array<Row>({
    {"init", Op::keep},
    {"run", Op::serve},
    {"passphrase", Op::keep},
    {"export", Op::export_data},
    {"import", Op::rotate},
    {"home erase", Op::object},
    {"home keep", Op::keep},
    {"doctor", Op::look},
    {"version", Op::look},
    {"algs", Op::look},
    {"keys types", Op::look},
    {"message unpack", Op::look},
    {"message pack", Op::look},
    {"recovery plan", Op::look},
    {"slip39 split", Op::look},
    {"slip39 combine", Op::look},
    {"shamir split", Op::look},
    {"shamir combine", Op::look},
    {"did verify", Op::look},
    {"did lint", Op::look},
    {"did take", Op::warn},
    {"ledger serve", Op::serve},
    {"ledger status", Op::look},
    {"ledger verify", Op::look},
    {"ceremony run", Op::rotate},
    {"ceremony verify", Op::look},
    {"ledger witness", Op::look},  // Adding one is a command of the
                                   // agent.
    {"ledger deploy", Op::vouch},
});

/// Under https://w3id.org/kith/ and https://didcomm.org/: "protocol/version/name", or the protocol.
constexpr auto kMessageRows = std::to_array<Row>({
    {"trust-ping", Op::talk},
    {"basicmessage", Op::talk},
    {"empty", Op::talk},
    {"discover-features", Op::talk},
    {"report-problem", Op::talk},
    {"out-of-band", Op::talk},
    {"shorten-url", Op::talk},
    {"routing", Op::serve},
    {"coordinate-mediation", Op::serve},
    {"messagepickup", Op::serve},
    {"message-pickup", Op::serve},
    {"backup", Op::serve},
    {"connection", Op::talk},
    {"policy", Op::talk},    // Handing a change in asks again (ledger/proposal_own.cpp).
    {"recovery", Op::talk},  // So does releasing a part (recovery/session_release.cpp).
    {"incident", Op::warn},
    {"recovery/1.0/super-signature", Op::rotate},
    {"trustee", Op::talk},
    {"trustee/1.0/share-prepare", Op::use_share},
    {"trustee/1.0/heartbeat-request", Op::use_share},
    {"agent", Op::add_device},
    {"agent/1.0/records", Op::talk},
    {"agent/1.0/records-taken", Op::talk},
    {"agent/1.0/freeze", Op::warn},
    {"agent/1.0/frozen", Op::warn},
    {"agent/1.0/thaw-ask", Op::thaw},
    {"agent/1.0/thaw-agree", Op::thaw},
});

/// "module" or "module|name".
constexpr auto kTimerRows = std::to_array<Row>({
    {"node", Op::keep},
    {"portable", Op::keep},
    {"keys", Op::rotate},  // Replaces keys of relationships that are due.
    {"freeze", Op::warn},
    {"incidents", Op::warn},
    {"connection", Op::talk},
    {"identity", Op::warn},  // Reads the own logs and raises alarms.
    {"identity|move", Op::rotate},
    {"policy", Op::keep},
    {"rules", Op::keep},
    {"automation", Op::keep},
    {"reports", Op::keep},
    {"ceremony", Op::keep},
    {"witness", Op::keep},
    {"look-up", Op::talk},
    {"late-answers", Op::talk},
    {"trust-ping", Op::talk},
    {"basic-message", Op::talk},
    {"pickup", Op::talk},
    {"mailbox", Op::talk},
    {"out-of-band", Op::serve},
    {"mediator", Op::serve},
    {"backup-location", Op::serve},
    {"rewrapped", Op::serve},
    {"outbox", Op::serve},
    {"discover-features", Op::talk},
    {"backup", Op::talk},             // What was begun goes on to its end.
    {"recovery", Op::change_policy},  // Dealing, storing and anchoring a set.
    {"recovery|backup", Op::back_up},
    {"recovery|heartbeat", Op::talk},
    {"rotation", Op::rotate},
    {"own-agents", Op::add_device},
    {"own-agents|tend", Op::warn},  // Alarms and records; what it changes asks again.
    {"trustee", Op::keep},
    {"trustee-sessions", Op::warn},  // Tells owners; releasing asks again.
    {"recover", Op::rotate},
    {"super-quorum", Op::rotate},
    {"keys", Op::rotate},
    {"super-quorum|holder", Op::talk},
});

template <std::size_t N>
std::optional<Operation> row_in(const std::array<Row, N>& rows, std::string_view name) {
  const auto found = std::ranges::find(rows, name, &Row::first);
  return found == rows.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

std::optional<Operation> operation_of_command(std::string_view command) {
  return row_in(kCommandRows, command);
}

std::optional<Operation> operation_of_program(std::string_view path) {
  return row_in(kProgramRows, path);
}

std::string message_word(std::string_view type) {
  for (const std::string_view document : {"https://w3id.org/kith/", "https://didcomm.org/"}) {
    if (type.starts_with(document)) return std::string(type.substr(document.size()));
  }
  return {};
}

std::optional<Operation> operation_of_message(std::string_view type) {
  const std::string path = message_word(type);
  if (path.empty()) return std::nullopt;
  if (const auto own = row_in(kMessageRows, path)) return own;
  return row_in(kMessageRows, std::string_view(path).substr(0, path.find('/')));
}

std::string timer_word(std::string_view module, std::string_view name) {
  return std::string(module) + "|" + std::string(name.substr(0, name.find(' ')));
}

std::optional<Operation> operation_of_timer(std::string_view module, std::string_view name) {
  if (const auto own = row_in(kTimerRows, timer_word(module, name))) return own;
  return row_in(kTimerRows, module);
}

Operation operation_of_effect(const protocol::Effect& effect) {
  if (effect.kind != protocol::EffectKind::ledger_append) return Op::talk;
  const auto payload = protocol::decode_record<protocol::LedgerAppendPayload>(effect.payload);
  if (!payload.has_value()) return Op::rotate;
  const auto entry = ledger::parse_entry(payload->blob);
  return entry.has_value() && entry->op == ledger::Op::veto ? Op::object : Op::rotate;
}

std::string_view operation_word(Operation operation) {
  static constexpr auto kWords = std::to_array<std::string_view>(
      {"look", "keep", "talk", "serve", "object", "warn", "thaw", "rotate", "change-policy",
       "add-device", "use-share", "open-vault", "back-up", "export", "vouch"});
  static_assert(kWords.size() == static_cast<std::size_t>(Op::vouch) + 1);
  return kWords.at(static_cast<std::size_t>(operation));
}

const std::vector<NamedOperation>& all_operations() {
  static const std::vector<NamedOperation> all = [] {
    std::vector<NamedOperation> rows;
    const auto add = [&rows](OperationKind kind, const auto& table) {
      for (const auto& [name, row] : table) rows.push_back({kind, std::string(name), row});
    };
    add(OperationKind::command, kCommandRows);
    add(OperationKind::message, kMessageRows);
    add(OperationKind::timer, kTimerRows);
    return rows;
  }();
  return all;
}

std::vector<NamedOperation> operations_called(std::string_view word) {
  std::vector<NamedOperation> found;
  const auto is_below = [&](const NamedOperation& one, char end) {
    return word.substr(0, word.find(end)) == one.name.substr(0, one.name.find(end));
  };
  const bool of_message = word.find('/') != std::string_view::npos;
  const bool of_timer = word.find('|') != std::string_view::npos;
  for (const NamedOperation& one : all_operations()) {
    const bool is_called = of_message ? one.kind == OperationKind::message && is_below(one, '/')
                           : of_timer
                               ? one.kind == OperationKind::timer && is_below(one, '|')
                               : operation_word(one.row) == word ||
                                     (one.kind == OperationKind::command && one.name == word);
    if (is_called) found.push_back(one);
  }
  if (word.ends_with('*') || !(of_message || of_timer)) return found;
  // One message or timer: the row of its own, else that of its protocol or module.
  const auto own = std::ranges::find(found, word, &NamedOperation::name);
  const auto first = std::string(word.substr(0, word.find(of_message ? '/' : '|')));
  const auto whole = std::ranges::find(found, first, &NamedOperation::name);
  if (own == found.end() && whole == found.end()) return {};
  NamedOperation one = own != found.end() ? *own : *whole;
  one.name = std::string(word);
  return {std::move(one)};
}

}  // namespace kith::node
