#include "ledger/rebase.hpp"

#include <algorithm>

#include "ledger/audit_anchor.hpp"
#include "ledger/identity.hpp"
#include "ledger/ledger_services.hpp"
#include "ledger/log_limits.hpp"

namespace kith::ledger {
namespace {

Error both_changed() {
  return fail(Errc::conflict, "another device changed the same thing first");
}

/// The value that one side changed; both changing to the same is no conflict.
template <class T>
Result<T> merge_value(const T& parent, const T& mine, const T& theirs) {
  if (mine == parent || mine == theirs) return theirs;
  if (theirs == parent) return mine;
  return both_changed();
}

std::optional<PolicyAgent> agent_of(const Policy& policy, const std::string& key) {
  const PolicyAgent* agent = find_agent(policy, key);
  return agent == nullptr ? std::nullopt : std::optional(*agent);
}

std::optional<std::uint32_t> rule_of(const Policy& policy, const std::string& name) {
  const auto found = policy.rules.find(name);
  if (found == policy.rules.end()) return std::nullopt;
  return found->second;
}

Result<Policy> merge_policy(const Policy& parent, const Policy& mine, const Policy& theirs) {
  Policy merged;
  TRY(merged.set, merge_value(parent.set, mine.set, theirs.set));
  // Their order first, then what only we have.
  std::vector<PolicyAgent> listed = theirs.agents;
  for (const PolicyAgent& agent : mine.agents) {
    if (!agent_of(theirs, agent.key)) listed.push_back(agent);
  }
  for (const PolicyAgent& agent : listed) {
    TRY(const auto kept, merge_value(agent_of(parent, agent.key), agent_of(mine, agent.key),
                                     agent_of(theirs, agent.key)));
    if (kept) merged.agents.push_back(*kept);
  }
  auto names = theirs.rules;
  names.insert(mine.rules.begin(), mine.rules.end());
  for (const auto& [name, unused] : names) {
    static_cast<void>(unused);
    TRY(const auto kept,
        merge_value(rule_of(parent, name), rule_of(mine, name), rule_of(theirs, name)));
    if (kept) merged.rules[name] = *kept;
  }
  CHECK(check_policy(merged));
  return merged;
}

/// A document's services and audit anchors, told apart: whoever moves tells of ledgers, and each
/// device of its own audit log; both leave the rest alone.
struct DocumentParts {
  JsonObject rest;
  JsonArray ledgers;
  JsonArray services;
  JsonArray anchors;
};

Result<DocumentParts> parts_of(const Json& document) {
  TRY(const JsonObject* object, crypto::as_object(document, "DID document"));
  DocumentParts parts{*object, ledger_services(document), other_services(document), {}};
  parts.rest.erase("service");
  const Json* anchors = object->if_contains(kAuditMember);
  const bool is_ours =
      anchors != nullptr && anchors->is_array() &&
      std::ranges::none_of(anchors->get_array(), &std::string::empty, audit_log_of);
  if (!is_ours) return parts;
  parts.anchors = anchors->get_array();
  parts.rest.erase(kAuditMember);
  return parts;
}

std::optional<Json> anchor_of(const JsonArray& anchors, const std::string& log) {
  const auto found = std::ranges::find(anchors, log, audit_log_of);
  return found == anchors.end() ? std::nullopt : std::optional<Json>(*found);
}

/// By log. Two devices may anchor theirs at once.
Result<JsonArray> merge_anchors(const JsonArray& parent, const JsonArray& mine,
                                const JsonArray& theirs) {
  JsonArray listed = theirs;
  for (const Json& anchor : mine) {
    if (!anchor_of(theirs, audit_log_of(anchor))) listed.push_back(anchor);
  }
  JsonArray merged;
  for (const Json& anchor : listed) {
    const std::string log = audit_log_of(anchor);
    TRY(const auto kept,
        merge_value(anchor_of(parent, log), anchor_of(mine, log), anchor_of(theirs, log)));
    if (kept) merged.push_back(*kept);
  }
  if (merged.size() > log_limits::kAuditLogsMax) {
    return fail(Errc::limit_exceeded, "so many devices have anchored their logs already");
  }
  return merged;
}

/// Two changes fit beside each other if one is of the ledgers that the document tells, or if they
/// are anchors of different audit logs.
Result<Json> merge_document(const Json& parent, const Json& mine, const Json& theirs) {
  if (mine == parent || theirs == parent || mine == theirs) {
    return merge_value(parent, mine, theirs);
  }
  TRY(const DocumentParts was, parts_of(parent));
  TRY(const DocumentParts ours, parts_of(mine));
  TRY(const DocumentParts others, parts_of(theirs));
  TRY(JsonObject merged, merge_value(was.rest, ours.rest, others.rest));
  TRY(JsonArray services, merge_value(was.services, ours.services, others.services));
  TRY(const JsonArray ledgers, merge_value(was.ledgers, ours.ledgers, others.ledgers));
  TRY(JsonArray anchors, merge_anchors(was.anchors, ours.anchors, others.anchors));
  // Something else of that name stays whole.
  if (!anchors.empty() && merged.contains(kAuditMember)) return both_changed();
  if (!anchors.empty()) merged[kAuditMember] = std::move(anchors);
  services.insert(services.end(), ledgers.begin(), ledgers.end());
  if (!services.empty() || theirs.get_object().contains("service")) {
    merged["service"] = std::move(services);
  }
  return Json(std::move(merged));
}

Result<void> sign_update(Host& host, const Entry& old, Entry& entry, const LogView& view) {
  if (view.kind != Kind::policy) return sign_with_active(host, entry, view);
  TRY(const KeyPair agent, own_agent_key(host));
  const bool ours_alone =
      old.sigs.size() == 1 && old.sigs.front().k == crypto::multikey(agent.public_key);
  if (!ours_alone) return fail(Errc::conflict, "the entry needs the signatures of others");
  return add_signature(entry, agent, host.keys());
}

Result<Entry> rebase_update(Host& host, const Entry& entry, const LogContent& parent,
                            const LogView& view) {
  TRY(Json state, merge_state(view.kind, parent.state, entry.content->state, view.current.state));
  TRY(Entry anew, make_update(view, std::move(state), anchor_time(host.now())));
  CHECK(sign_update(host, entry, anew, view));
  return anew;
}

Result<Entry> rebase_rotate(Host& host, const Entry& entry, const LogContent& parent,
                            const LogView& view) {
  RotateSpec spec{entry.content->keys, entry.content->next, std::nullopt, std::nullopt};
  TRY(spec.rec, merge_value(std::optional(parent.rec), std::optional(entry.content->rec),
                            std::optional(view.current.rec)));
  TRY(spec.state, merge_state(view.kind, parent.state, entry.content->state, view.current.state));
  TRY(Entry anew, make_rotate(view, std::move(spec), anchor_time(host.now())));
  for (const EntrySignature& signature : entry.sigs) {
    TRY(const PublicKey key, signing_key(signature.k));
    const auto sealed = log_key(host, signature.k);
    if (!sealed) return fail(Errc::not_found, "this device does not hold the keys of that log");
    CHECK(add_signature(anew, key, host.keys(), *sealed));
  }
  return anew;
}

Result<Entry> rebase_move(Host& host, const Entry& entry, const LogView& view) {
  TRY(Entry anew, make_move(view, *entry.from, entry.content->ledgers, anchor_time(host.now())));
  CHECK(sign_with_active(host, anew, view));
  return anew;
}

}  // namespace

Result<Json> merge_state(Kind kind, const Json& parent, const Json& mine, const Json& theirs) {
  if (kind == Kind::did) return merge_document(parent, mine, theirs);
  if (kind != Kind::policy) return merge_value(parent, mine, theirs);
  TRY(const Policy parent_policy, parse_policy(parent));
  TRY(const Policy my_policy, parse_policy(mine));
  TRY(const Policy their_policy, parse_policy(theirs));
  TRY(const Policy merged, merge_policy(parent_policy, my_policy, their_policy));
  return policy_json(merged);
}

Result<Entry> rebase_entry(Host& host, const Entry& entry, const LogContent& parent,
                           const LogView& view) {
  if (entry.op == Op::update && entry.content) return rebase_update(host, entry, parent, view);
  if (entry.op == Op::rotate && entry.content) return rebase_rotate(host, entry, parent, view);
  if (entry.op == Op::move && entry.content) return rebase_move(host, entry, view);
  return fail(Errc::conflict, "this operation cannot be made anew");
}

}  // namespace kith::ledger
