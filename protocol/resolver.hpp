#pragma once

/// Resolution as the core sees it: synchronous, from what is already known. What must be fetched is
/// named in the error; the shell fetches it and the core tries again.

#include "crypto/result.hpp"
#include "protocol/did.hpp"
#include "protocol/did_document.hpp"

namespace kith::protocol {

class Resolver {
 public:
  virtual ~Resolver() = default;
  /// Errors: unknown_peer (must be fetched first; the detail is exactly the DID), unsupported,
  /// malformed, bad_key, not_found (resolved to nothing, or deactivated).
  [[nodiscard]] virtual Result<DidDocument> resolve(const Did& did) = 0;
};

/// did:key and did:peer of methods 0, 2 and 4 (long form), which need nothing but themselves.
/// Errors: `unsupported` for others.
[[nodiscard]] bool is_self_contained(const Did& did);
[[nodiscard]] Result<DidDocument> resolve_self_contained(const Did& did);

}  // namespace kith::protocol

namespace kith {
using protocol::Resolver;
}
