#include <algorithm>
#include <set>

#include "crypto/hash.hpp"
#include "ledger/did_kith.hpp"
#include "ledger/did_lint.hpp"
#include "ledger/former_ledgers.hpp"
#include "ledger/handed_entries.hpp"
#include "ledger/identity.hpp"
#include "ledger/identity_setup.hpp"
#include "ledger/ledger_move.hpp"
#include "ledger/ledger_report.hpp"
#include "ledger/log_file.hpp"
#include "ledger/own_entries.hpp"
#include "ledger/own_log.hpp"
#include "ledger/own_words.hpp"
#include "ledger/proposal_steps.hpp"
#include "ledger/resolution.hpp"
#include "protocol/vault.hpp"

namespace kith::ledger {
namespace {

constexpr std::string_view kWatch = "watch";
constexpr std::size_t kCheckValueBytes = 8;

std::string version_of(const LogRecord& record) {
  return std::to_string(record.entry->n) + "-" + record.hash;
}

Result<JsonObject> show(Host& host) {
  TRY(const Identity own, needed_identity(host));
  JsonObject reply;
  reply["name"] = own.name;
  reply["did"] = own.did;
  reply["policy"] = own.policy;
  reply["ledger"] = own.ledger_url;
  reply["ledger_id"] = own.ledger_id;
  reply["created"] = protocol::utc_text(own.created);
  reply["agent"] = crypto::multikey(own.agent_key);
  return reply;
}

Result<JsonObject> status(Host& host) {
  JsonObject reply;
  const auto own = identity(host);
  if (!own) {
    const auto draft = identity_draft(host);
    reply["state"] = draft ? "waiting-for-ledger" : "none";
    if (draft && !draft->error.empty()) reply["error"] = draft->error;
    return reply;
  }
  const bool did_posted = posted(host, own->did);
  const bool policy_posted = posted(host, own->policy);
  reply["state"] = did_posted && policy_posted ? "posted" : "posting";
  reply["did"] = own->did;
  reply["policy"] = own->policy;
  reply["did_posted"] = did_posted;
  reply["policy_posted"] = policy_posted;
  for (const std::string& subject : {own->did, own->policy}) {
    const LogPost post = log_post(host, subject);
    if (!post.error.empty()) reply["error"] = post.error;
  }
  return reply;
}

Result<JsonObject> show_did(Host& host) {
  TRY(const Identity own, needed_identity(host));
  TRY(const LogView view, stored_view(host, own.did));
  TRY(const Resolution resolved, resolve_did_kith(view));
  JsonObject reply;
  reply["did"] = own.did;
  reply["version"] = version_of(view.head());
  reply["status"] = status_name(view.status);
  reply["document"] = resolved.document;
  reply["posted"] = posted(host, own.did);
  return reply;
}

JsonObject agent_json(const PolicyAgent& agent, const std::string& own_key) {
  JsonObject object;
  object["key"] = agent.key;
  object["auth"] = static_cast<std::int64_t>(agent.auth);
  JsonArray names;
  for (const AuthName& name : auth_names()) {
    if ((agent.auth & name.bit) != 0) names.emplace_back(name.name);
  }
  object["may"] = std::move(names);
  if (agent.label) object["label"] = *agent.label;
  object["this_device"] = agent.key == own_key;
  return object;
}

Result<JsonObject> show_policy(Host& host) {
  TRY(const Identity own, needed_identity(host));
  TRY(const LogView view, stored_view(host, own.policy));
  TRY(const Policy policy, parse_policy(view.current.state));
  JsonArray agents;
  for (const PolicyAgent& agent : policy.agents) {
    agents.emplace_back(agent_json(agent, crypto::multikey(own.agent_key)));
  }
  JsonObject rules;
  for (const auto& [name, count] : policy.rules) rules[name] = std::int64_t{count};
  JsonObject reply;
  reply["policy"] = own.policy;
  reply["version"] = version_of(view.head());
  reply["status"] = status_name(view.status);
  reply["posted"] = posted(host, own.policy);
  reply["agents"] = std::move(agents);
  reply["rules"] = std::move(rules);
  if (policy.set) reply["set"] = *policy.set;
  return reply;
}

Result<JsonObject> policy_history(Host& host) {
  TRY(const Identity own, needed_identity(host));
  TRY(const LogView view, stored_view(host, own.policy));
  std::set<std::string> pending;
  for (const PendingEntry& entry : log_post(host, own.policy).pending) pending.insert(entry.hash);
  JsonArray entries;
  for (const LogRecord& record : view.history) {
    JsonObject entry;
    entry["n"] = static_cast<std::int64_t>(record.entry->n);
    entry["op"] = op_name(record.entry->op);
    entry["hash"] = record.hash;
    entry["time"] = utc_text(record.anchored);
    entry["posted"] = !pending.contains(record.hash);
    entries.emplace_back(std::move(entry));
  }
  JsonObject reply;
  reply["policy"] = own.policy;
  reply["entries"] = std::move(entries);
  reply["junk"] = static_cast<std::int64_t>(view.junk_count);
  reply["duplicity"] = static_cast<std::int64_t>(view.duplicity_count);
  return reply;
}

/// A digest of the sealed box, after it was opened: for one vault key, a box has one content.
Result<JsonObject> check_link_secret(Host& host, const std::optional<StepUp>& step_up) {
  TRY(const SealedKey vault, protocol::open_vault(host, step_up));
  const auto items = protocol::vault_items_of(host, "", protocol::VaultUse::link_secret);
  if (items.empty()) return fail(Errc::not_found, "this wallet has no link secret");
  CHECK(protocol::open_vault_item(host, vault, items.front().id));
  const auto digest = crypto::sha256(items.front().item.box);
  return JsonObject{{"link_secret", crypto::hex(ByteView(digest).first(kCheckValueBytes))}};
}

/// About what is pending, those witnesses who became known, or did not answer.
void ask_all_for_words(Host& host) {
  const auto own = identity(host);
  if (!own) return;
  for (const std::string& subject : {own->did, own->policy}) {
    LogPost post = log_post(host, subject);
    if (ask_for_words(host, *own, subject, post)) save_log_post(host, subject, post);
  }
}

void watch(Host& host) {
  const auto own = identity(host);
  if (!own) return;
  const Duration every = host.test_mode() ? std::chrono::minutes{1} : std::chrono::hours{1};
  host.set_timer("identity", kWatch, host.now() + every);
  look_for_witnesses(host, *own);
  ask_all_for_words(host);
  for (const std::string& subject : {own->did, own->policy}) {
    // A step that waits comes by itself, and looks at the ledger then.
    const LogPost post = log_post(host, subject);
    if (post.pending.empty() || post.conflict) read_again(host, *own, subject);
  }
}

}  // namespace

std::vector<std::string> IdentityModule::commands() const {
  return {"identity-create", "identity-show",        "identity-status",    "did-show",
          "did-resolve",     "did-resolve-status",   "policy-show",        "policy-history",
          "identity-check",  "ledger-seen",          "ledger-evidence",    "ledger-receipt",
          "ledger-accuse",   "did-withdraw-address", "did-export",         "did-lint",
          "ledger-move",     "ledger-move-status",   "ledger-move-cancel", "did-take"};
}

bool IdentityModule::only_reads(std::string_view command) const {
  return command != "identity-create" && command != "did-resolve" &&
         command != "did-withdraw-address" && command != "ledger-move" &&
         command != "ledger-move-cancel" && command != "did-take" && command != "ledger-accuse";
}

Result<JsonObject> IdentityModule::on_command(Host& host, const Command& command) {
  if (command.name == "identity-create") return create_identity(host, command);
  if (command.name == "identity-show") return show(host);
  if (command.name == "identity-status") return status(host);
  if (command.name == "did-show") return show_did(host);
  if (command.name == "did-withdraw-address") {
    CHECK(withdraw_address(host));
    return show_did(host);
  }
  if (command.name == "did-export") return export_log(host, command.args);
  if (command.name == "did-take") return take_log_file(host, command.args);
  if (command.name == "did-lint") return lint_own(host);
  if (command.name == "did-resolve") return start_resolution(host, command.args);
  if (command.name == "did-resolve-status") return resolution_status(host, command.args);
  if (command.name == "ledger-seen") return ledger_seen(host);
  if (command.name == "ledger-evidence") return evidence_file(host, command.args);
  if (command.name == "ledger-accuse") return take_evidence_file(host, command.args);
  if (command.name == "ledger-receipt") return receipt_file(host, command.args);
  if (command.name == "ledger-move") return start_ledger_move(host, command.args);
  if (command.name == "ledger-move-status") return ledger_move_status(host);
  if (command.name == "ledger-move-cancel") return cancel_ledger_move(host);
  if (command.name == "identity-check") return check_link_secret(host, command.step_up);
  if (command.name == "policy-show") return show_policy(host);
  if (command.name == "policy-history") return policy_history(host);
  return fail(Errc::usage);
}

void IdentityModule::on_timer(Host& host, std::string_view timer) {
  if (timer == kWatch) {
    watch(host);
  } else if (timer == kDescriptorContext) {
    fetch_again(host);
  } else if (timer == kMoveContext) {
    continue_ledger_move(host);
  } else if (timer == kForeignTimer) {
    raise_foreign_alarms(host);
  } else if (timer.starts_with(kLogContext)) {
    const auto own = identity(host);
    if (own) try_again(host, *own, timer.substr(kLogContext.size()));
  }
}

void IdentityModule::on_effect(Host& host, const protocol::Effect& effect,
                               const Result<Bytes>& outcome) {
  const std::string_view context = effect.context;
  if (context == kDescriptorContext) {
    take_descriptor(host, effect, outcome);
  } else if (context.starts_with(kResolutionContext)) {
    take_resolution_answer(host, context.substr(kResolutionContext.size()), effect, outcome);
  } else if (context.starts_with(kLogContext)) {
    const auto own = identity(host);
    const std::string_view subject = context.substr(kLogContext.size());
    if (!own) return;
    take_log_result(host, *own, subject, effect, outcome);
    follow_taken_back(host);
    look_at_proposals(host);
    continue_ledger_move(host);
  } else if (context.starts_with(kMoveContext)) {
    take_move_result(host, effect, outcome);
  } else if (context.starts_with(kAddressContext)) {
    take_witness_addresses(host, context.substr(kAddressContext.size()), outcome);
    ask_all_for_words(host);
  } else if (context.starts_with(kWordContext)) {
    if (const auto own = identity(host)) {
      take_word(host, *own, context.substr(kWordContext.size()), outcome);
    }
  }
}

void IdentityModule::on_start(Host& host) {
  if (!identity(host) || host.get({"timer", "identity|watch"})) return;
  host.set_timer("identity", kWatch, host.now());
}

}  // namespace kith::ledger
