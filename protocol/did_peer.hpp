#pragma once

/// did:peer, method 2 (numalgo 2 of the Peer DID Method Specification): keys and services inside
/// the DID itself. Keys are named #key-1, #key-2, ... in the order in which they appear.

#include <vector>

#include "protocol/did.hpp"
#include "protocol/did_document.hpp"

namespace kith::protocol {

struct PeerKey {
  PublicKey key;
  KeyUse use = KeyUse::authentication;
};

/// Services are written with the standard's abbreviations; without an id of their own they are
/// "#service", "#service-1", ... on resolution, so `ServiceEndpoint::id` is ignored here.
/// Errors: limit_exceeded (longer than limits::kDidCharsMax), malformed (no key).
[[nodiscard]] Result<Did> make_did_peer2(const std::vector<PeerKey>& keys,
                                         const std::vector<ServiceEndpoint>& services);
/// The name of the n-th key of a did:peer:2, counted from 0: "<did>#key-<n+1>".
[[nodiscard]] std::string did_peer2_kid(const Did& did, std::size_t index);
/// Errors: malformed, unsupported (other numalgo), limit_exceeded, bad_key.
[[nodiscard]] Result<DidDocument> resolve_did_peer2(const Did& did);

}  // namespace kith::protocol
