#include "node/audit_anchoring.hpp"

#include <map>

#include "ledger/audit_anchor.hpp"
#include "ledger/identity.hpp"
#include "ledger/own_log.hpp"

namespace kith::node {
namespace {

using protocol::AuditEntry;
using protocol::AuditHead;

/// The number of each entry, by its digest. A log that is whole tells them itself: every entry
/// names the one before.
std::map<std::string, std::uint64_t> digests_of(Host& host, const AuditHead& head) {
  std::map<std::string, std::uint64_t> numbers;
  for (std::uint64_t n = 1; n < head.count; ++n) {
    const auto entry = load<AuditEntry>(host, "audit", protocol::numbered_id(n));
    if (entry) numbers[ledger::audit_head_digest(entry->prev)] = n - 1;
  }
  if (head.count > 0) numbers[ledger::audit_head_digest(head.hash)] = head.count - 1;
  return numbers;
}

}  // namespace

Result<JsonObject> anchor_audit(Host& host) {
  const auto head = load<AuditHead>(host, "meta", "audit");
  if (!head || head->count == 0) return fail(Errc::wrong_state, "the audit log is empty");
  CHECK(ledger::anchor_audit_log(host, head->key, head->hash));
  TRY(const ledger::Identity own, ledger::needed_identity(host));
  TRY(const auto anchors, ledger::audit_anchors(host, head->key));
  if (anchors.empty()) return fail(Errc::conflict, "the document did not keep it");
  const ledger::AuditAnchor& last = anchors.back();
  return JsonObject{
      {"did", own.did},      {"head", last.head},        {"entries", head->count},    {"n", last.n},
      {"entry", last.entry}, {"ledger", own.ledger_url}, {"ledger_id", own.ledger_id}};
}

JsonObject look_for_anchors(Host& host) {
  const auto own = ledger::identity(host);
  if (own) ledger::refresh_log(host, own->did);
  return {{"identity", own.has_value()}};
}

JsonObject looked_for_anchors(Host& host) {
  const auto own = ledger::identity(host);
  if (!own) return {{"asking", false}, {"failed", true}};
  const ledger::LogPost post = ledger::log_post(host, own->did);
  return {{"asking", !post.effect.empty()}, {"failed", !post.error.empty()}};
}

Result<void> check_anchors(Host& host, const AuditHead& head, JsonObject& reply) {
  if (!ledger::identity(host)) return {};
  TRY(const auto anchors, ledger::audit_anchors(host, head.key));
  if (anchors.empty()) {
    reply["anchor"] = JsonObject{{"state", "none"}};
    return {};
  }
  const auto numbers = digests_of(host, head);
  for (const ledger::AuditAnchor& anchor : anchors) {
    if (numbers.contains(anchor.head)) continue;
    return fail(Errc::audit_broken,
                "it does not continue what was anchored at " + ledger::utc_text(anchor.anchored) +
                    ": entries from before then were cut off or changed, or an older copy of this "
                    "home was put back");
  }
  const ledger::AuditAnchor& last = anchors.back();
  reply["anchor"] = JsonObject{{"state", "continued"},
                               {"time", ledger::utc_text(last.anchored)},
                               {"head", last.head},
                               {"entry", numbers.at(last.head)},
                               {"posted", last.posted}};
  return {};
}

}  // namespace kith::node
