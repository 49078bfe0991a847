#pragma once

/// did:peer (Peer DID Method Specification): method 0, one key; method 2, keys and services inside
/// the DID itself; method 4, a whole document inside the DID, which is then named by its hash.
/// The keys of method 2 are named #key-1, #key-2, ... in the order in which they appear.

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

/// "0", "2", "4", or another digit: the method of a did:peer; 0 for other DIDs and other forms.
[[nodiscard]] char did_peer_numalgo(const Did& did);
/// Errors: malformed, unsupported (not of method 0, or a key type that is not known), bad_key.
[[nodiscard]] Result<DidDocument> resolve_did_peer0(const Did& did);

/// Method 4. The long form holds the document; the short form, its hash, is only for those who have
/// seen the long one.
struct PeerDid4 {
  Did long_form;
  Did short_form;
};
/// `input` is a document without `id`, whose own ids and references are relative and whose methods
/// name a controller only if it is another DID.
/// Errors: malformed (not such a document), limit_exceeded, bad_key.
[[nodiscard]] Result<PeerDid4> make_did_peer4(const JsonObject& input);
/// A did:peer of method 4 in its long form.
[[nodiscard]] bool is_did_peer4_long(const Did& did);
/// The hash is checked. Errors: malformed, unsupported (not the long form), not_authentic (the
/// document is not the one that the hash names), limit_exceeded, bad_key.
[[nodiscard]] Result<DidDocument> resolve_did_peer4(const Did& long_form);
/// The same document under its short name, for those who keep it. Errors: the same.
[[nodiscard]] Result<DidDocument> did_peer4_short_document(const Did& long_form);

}  // namespace kith::protocol
