#include "ledger/audit_anchor.hpp"

#include <algorithm>
#include <set>

#include "crypto/hash.hpp"
#include "ledger/identity.hpp"
#include "ledger/log_limits.hpp"
#include "ledger/log_store.hpp"
#include "ledger/log_writer.hpp"
#include "ledger/own_log.hpp"

namespace kith::ledger {
namespace {

/// Tells the log of one device from another's, and nobody which device that is.
std::string audit_log_name(const PublicKey& key) {
  return crypto::multihash_sha256(crypto::to_bytes("kith-audit-log/v1\n" + crypto::multikey(key)));
}

/// What a document holds there, if it has the form; other things of that name are somebody else's.
JsonArray anchored_heads(const Json& document) {
  const JsonObject* object = document.if_object();
  const Json* member = object == nullptr ? nullptr : object->if_contains(kAuditMember);
  const JsonArray* heads = member == nullptr ? nullptr : member->if_array();
  return heads == nullptr ? JsonArray{} : *heads;
}

std::string own_head_in(const Json& document, const std::string& log) {
  const JsonArray heads = anchored_heads(document);
  const auto found = std::ranges::find(heads, log, audit_log_of);
  return found == heads.end() ? "" : crypto::json_text_of(found->as_object(), "head");
}

Result<Json> with_head(const Json& document, const std::string& log, const std::string& head) {
  TRY(const JsonObject* before, crypto::as_object(document, "DID document"));
  JsonArray heads = anchored_heads(document);
  const JsonObject item{{"log", log}, {"head", head}};
  const auto found = std::ranges::find(heads, log, audit_log_of);
  if (found != heads.end()) {
    *found = item;
  } else if (heads.size() < log_limits::kAuditLogsMax) {
    heads.push_back(item);
  } else {
    return fail(Errc::limit_exceeded, "so many devices have anchored their logs already");
  }
  JsonObject after = *before;
  after[kAuditMember] = std::move(heads);
  return Json(std::move(after));
}

Result<void> check_pace(Host& host, const std::vector<AuditAnchor>& earlier) {
  if (earlier.empty() || host.test_mode()) return {};
  const AnchorTime last = earlier.back().anchored;
  if (anchor_time(host.now()) >= last + log_limits::kAuditAnchorEvery) return {};
  return fail(Errc::refused, "the log was anchored at " + utc_text(last) +
                                 "; a ledger keeps every anchor for ever, so once a day is enough");
}

}  // namespace

std::string audit_log_of(const Json& anchor) {
  const JsonObject* object = anchor.if_object();
  return object == nullptr ? std::string() : crypto::json_text_of(*object, "log");
}

std::string audit_head_digest(ByteView audit_hash) {
  return crypto::multihash_sha256(audit_hash);
}

Result<std::vector<AuditAnchor>> audit_anchors(Host& host, const PublicKey& key) {
  std::vector<AuditAnchor> anchors;
  const auto own = identity(host);
  if (!own) return anchors;
  TRY(const LogView view, stored_view(host, own->did));
  std::set<std::string> pending;
  for (const PendingEntry& entry : log_post(host, own->did).pending) pending.insert(entry.hash);
  const std::string log = audit_log_name(key);
  std::string last;
  for (const LogRecord& record : view.history) {
    if (!record.entry->content) continue;
    const std::string head = own_head_in(record.entry->content->state, log);
    if (head.empty() || head == last) continue;
    last = head;
    anchors.push_back(
        {head, record.anchored, record.entry->n, record.hash, !pending.contains(record.hash)});
  }
  return anchors;
}

Result<void> anchor_audit_log(Host& host, const PublicKey& key, ByteView audit_hash) {
  TRY(const Identity own, needed_identity(host));
  TRY(const LogView view, stored_view(host, own.did));
  if (view.status != LogStatus::normal) {
    return fail(Errc::wrong_state, "your public DID has ended, or a recovery of it is pending");
  }
  const std::string log = audit_log_name(key);
  const std::string head = audit_head_digest(audit_hash);
  if (own_head_in(view.current.state, log) == head) return {};
  TRY(const auto earlier, audit_anchors(host, key));
  CHECK(check_pace(host, earlier));
  TRY(Json document, with_head(view.current.state, log, head));
  TRY(Entry entry, make_update(view, std::move(document), anchor_time(host.now())));
  CHECK(sign_with_active(host, entry, view));
  CHECK(post_entry(host, own.did, entry));
  host.audit("audit.anchored", {{"n", static_cast<std::int64_t>(entry.n)}, {"head", head}});
  return {};
}

}  // namespace kith::ledger
