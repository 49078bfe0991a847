#pragma once

/// The audit log: hash-chained, signed, free of secrets. One record an entry (collection `audit`,
/// id = 16 hex digits of n). The hash of an entry covers everything but its signature; the
/// signature is by the node's audit key over "kith-audit-v1\n" || hash.

#include <cstdint>
#include <optional>
#include <string>

#include "crypto/key_ops.hpp"
#include "protocol/record.hpp"
#include "protocol/store.hpp"

namespace kith::protocol {

struct AuditEntry {
  std::uint64_t n = 0;  ///< From 0, without gaps.
  Bytes prev;           ///< Hash of entry n-1; empty for the first.
  Time time{};
  std::string event;
  JsonObject details;
  PublicKey key;
  Bytes signature;
  template <class V>
  void visit(V& v) {
    v("n", n), v("prev", prev), v("time", time), v("event", event), v("details", details),
        v("key", key), v("signature", signature);
  }
};

/// 16 hex digits: record ids that sort in the order of their numbers.
[[nodiscard]] std::string numbered_id(std::uint64_t n);
[[nodiscard]] Bytes audit_hash(const AuditEntry& entry);
/// Sets `signature`. Errors: of KeyOps::sign.
[[nodiscard]] Result<void> sign_audit_entry(AuditEntry& entry, KeyOps& keys, const SealedKey& key);

/// Reads the whole chain. `head` is the hash and count the node remembers apart from the entries: a
/// log cut at its end is found too. Errors: audit_broken, naming the entry; storage errors.
struct AuditHead {
  std::uint64_t count = 0;
  Bytes hash;
  PublicKey key;
  SealedKey sealed_key;
  template <class V>
  void visit(V& v) {
    v("count", count), v("hash", hash), v("key", key), v("sealed_key", sealed_key);
  }
};
[[nodiscard]] Result<std::uint64_t> verify_audit_log(Store& store, const AuditHead& head);

}  // namespace kith::protocol
