#pragma once

/// What a trustee keeps for the owner without being able to read it: the vouch says which identity
/// the set belongs to, the head which backup is the newest (recovery-protocol sections 2 and 4).
/// Both open only with Y, and look random and alike to everybody else.
///
///   key = HKDF-SHA-256(Y, salt = r_i, info = label "vouch" or "head", 32)
///   sealed = nonce (24) || XC20P(content), AD = label || record id

#include <string>
#include <vector>

#include "crypto/random.hpp"
#include "crypto/secret_point.hpp"
#include "recovery/ids.hpp"

namespace kith::recovery {

inline constexpr std::size_t kLedgerDescriptorsMax = 8;
inline constexpr std::size_t kHeadBytes = 81;

struct VouchContents {
  SetId set_id{};
  std::string policy_address;                   ///< The policy log's DID; never empty.
  std::vector<std::string> ledger_descriptors;  ///< Canonical JSON each, as the policy's ledgers.
  friend bool operator==(const VouchContents&, const VouchContents&) = default;
};

/// limits::kVouchBytes. Errors: malformed (no address), limit_exceeded when the contents do not
/// fit.
[[nodiscard]] Result<Bytes> seal_vouch(const SecretPoint& recovery_key, const Salt& r,
                                       const RecordId& record_id, const VouchContents& contents,
                                       Random& random);
/// Errors: cannot_decrypt, malformed.
[[nodiscard]] Result<VouchContents> open_vouch(const SecretPoint& recovery_key, const Salt& r,
                                               const RecordId& record_id, ByteView vouch);

struct HeadContents {
  std::uint64_t counter = 0;  ///< Newest backup's.
  Digest core_digest{};       ///< crypto::core_digest of that backup's core.
  friend bool operator==(const HeadContents&, const HeadContents&) = default;
};

[[nodiscard]] Bytes seal_head(const SecretPoint& recovery_key, const Salt& r,
                              const RecordId& record_id, const HeadContents& contents,
                              Random& random);
/// Errors: cannot_decrypt, malformed.
[[nodiscard]] Result<HeadContents> open_head(const SecretPoint& recovery_key, const Salt& r,
                                             const RecordId& record_id, ByteView head);

}  // namespace kith::recovery
