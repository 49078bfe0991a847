#pragma once

/// DID rotation (DIDComm v2.1, "DID Rotation"): a compact JWT signed with a key of the prior DID.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/key_ops.hpp"
#include "protocol/did.hpp"
#include "protocol/resolver.hpp"
#include "protocol/secrets.hpp"

namespace kith::protocol {

struct Rotation {
  Did prior;                   ///< iss
  std::optional<Did> next;     ///< sub; absent ends the relationship.
  std::int64_t issued_at = 0;  ///< iat, epoch seconds: only the newest of a relationship counts.
  std::string kid;
};

/// `signer` is an authentication key of the prior DID, which its kid names. Without `next` the
/// relationship ends.
/// Errors: malformed, key_misuse.
[[nodiscard]] Result<std::string> make_from_prior(const SigningKey& signer,
                                                  const std::optional<Did>& next,
                                                  std::int64_t now_seconds, KeyOps& keys);

/// Verifies: typ, DID of kid == iss, kid in iss's authentication, sub == `message_from` (or both
/// absent), iat not in the future (nbf and exp honoured), signature.
/// Errors: not_authentic, bad_signature, malformed, unsupported, unknown_peer (detail: the DID).
[[nodiscard]] Result<Rotation> verify_from_prior(std::string_view jwt,
                                                 const std::optional<Did>& message_from,
                                                 std::int64_t now_seconds, Resolver& resolver);

}  // namespace kith::protocol
