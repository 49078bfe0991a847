#include "protocol/audit_log.hpp"

#include <cstdio>

#include "crypto/hash.hpp"
#include "protocol/audit_check.hpp"

namespace kith::protocol {
namespace {

Bytes signed_bytes(ByteView hash) {
  Bytes message = crypto::to_bytes(std::string_view("kith-audit-v1\n"));
  crypto::append(message, hash);
  return message;
}

}  // namespace

std::string numbered_id(std::uint64_t n) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(n));
  return text;
}

Bytes audit_hash(const AuditEntry& entry) {
  AuditEntry unsigned_entry = entry;
  unsigned_entry.signature.clear();
  const auto hash = crypto::sha256(encode_record(unsigned_entry));
  return {hash.begin(), hash.end()};
}

Result<void> sign_audit_entry(AuditEntry& entry, KeyOps& keys, const SealedKey& key) {
  TRY(entry.signature, keys.sign(key, signed_bytes(audit_hash(entry))));
  return {};
}

Result<void> check_audit_signature(const AuditEntry& entry) {
  return crypto::verify(entry.key, signed_bytes(audit_hash(entry)), entry.signature);
}

Result<std::uint64_t> verify_audit_log(Store& store, const AuditHead& head) {
  Bytes previous;
  for (std::uint64_t n = 0; n < head.count; ++n) {
    const auto broken = [n](const char* why) {
      return fail(Errc::audit_broken, "entry " + std::to_string(n) + " " + why);
    };
    TRY(const auto bytes, store.get({"audit", numbered_id(n)}));
    if (!bytes) return broken("is missing");
    const auto entry = decode_record<AuditEntry>(*bytes);
    if (!entry.has_value()) return broken("cannot be read");
    if (entry->n != n) return broken("has another number");
    if (entry->prev != previous) return broken("does not follow the one before");
    if (!(entry->key == head.key)) return broken("names another key");
    previous = audit_hash(*entry);
    if (!crypto::verify(entry->key, signed_bytes(previous), entry->signature).has_value()) {
      return broken("has a signature that does not fit");
    }
  }
  if (previous != head.hash) return fail(Errc::audit_broken, "the last entry is not the newest");
  TRY(const auto ids, store.list("audit"));
  if (ids.size() != head.count) return fail(Errc::audit_broken, "there are entries too many");
  return head.count;
}

}  // namespace kith::protocol
