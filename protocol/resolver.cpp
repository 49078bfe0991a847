#include "protocol/resolver.hpp"

#include "protocol/did_key.hpp"
#include "protocol/did_peer.hpp"

namespace kith::protocol {

bool is_self_contained(const Did& did) {
  if (did.method() == "key") return true;
  const char numalgo = did_peer_numalgo(did);
  return numalgo == '0' || numalgo == '2' || is_did_peer4_long(did);
}

Result<DidDocument> resolve_self_contained(const Did& did) {
  if (did.method() == "key") return resolve_did_key(did);
  switch (did_peer_numalgo(did)) {
    case '0':
      return resolve_did_peer0(did);
    case '2':
      return resolve_did_peer2(did);
    case '4':
      return resolve_did_peer4(did);
    default:
      return fail(Errc::unsupported, "this DID does not hold its own document");
  }
}

}  // namespace kith::protocol
