#include "protocol/resolver.hpp"

#include "protocol/did_key.hpp"
#include "protocol/did_peer.hpp"

namespace kith::protocol {

bool is_self_contained(const Did& did) {
  return did.method() == "key" ||
         (did.method() == "peer" && did.method_specific_id().starts_with('2'));
}

Result<DidDocument> resolve_self_contained(const Did& did) {
  if (did.method() == "key") return resolve_did_key(did);
  if (did.method() == "peer") return resolve_did_peer2(did);
  return fail(Errc::unsupported, "this DID does not hold its own document");
}

}  // namespace kith::protocol
