// DIDs and DID URLs, and what did:key and did:peer:2 resolve to.

#include "protocol/did.hpp"

#include "fuzz/target.hpp"
#include "protocol/did_key.hpp"
#include "protocol/did_peer.hpp"
#include "protocol/resolver.hpp"

namespace kith::fuzz {
namespace {

void check_url(std::string_view text) {
  const auto url = DidUrl::parse(text);
  if (!url.has_value()) return;
  std::string whole = url->did().text() + std::string(url->path_and_query());
  if (url->has_fragment()) whole += "#" + std::string(url->fragment());
  hold(written(whole) == text, "the parts of a DID URL are the whole");
  hold(must(DidUrl::parse(url->text()), "a DID URL can be read again") == *url,
       "a DID URL stays the same");
}

/// The keys of a did:peer:2 in another one: as many, the same, in the same order.
void check_made_again(const DidDocument& document) {
  std::vector<protocol::PeerKey> keys;
  for (const NamedKey& key : document.authentication_keys()) {
    keys.push_back({key.key, protocol::KeyUse::authentication});
  }
  for (const NamedKey& key : document.agreement_keys()) {
    keys.push_back({key.key, protocol::KeyUse::key_agreement});
  }
  if (keys.empty()) return;
  const auto made = protocol::make_did_peer2(keys, {});
  if (!made.has_value()) {
    hold(made.error() == Errc::limit_exceeded, "only its length refuses a did:peer of good keys");
    return;
  }
  const DidDocument again = must(protocol::resolve_did_peer2(*made), "our did:peer resolves");
  hold(again.methods.size() == keys.size(), "each key is there once");
  for (std::size_t i = 0; i < keys.size(); ++i) {
    hold(again.methods[i].key == keys[i].key, "the keys stay the same");
  }
}

}  // namespace

Verdict did(ByteView input) {
  const std::string_view text = crypto::as_text(input);
  check_url(text);
  const auto did = Did::parse(text);
  if (!did.has_value()) return Verdict::refused;
  hold(written(did->text()) == text, "a DID stays as it was written");
  hold("did:" + std::string(did->method()) + ":" + std::string(did->method_specific_id()) == text,
       "the parts of a DID are the whole");
  const auto document = protocol::resolve_self_contained(*did);
  if (!document.has_value()) return Verdict::refused;
  hold(document->id == *did, "a document is of the DID that was asked for");
  const DidDocument again =
      must(protocol::read_did_document(document->raw, *did), "a document can be read again");
  hold(again.agreement_keys() == document->agreement_keys(), "agreement keys stay the same");
  hold(again.authentication_keys() == document->authentication_keys(), "so do the others");
  hold(again.services == document->services, "services stay the same");
  if (did->method() == "key") {
    hold(document->methods.size() == 1 && document->methods[0].key.has_value(), "one key");
    hold(protocol::did_key(*document->methods[0].key) == *did, "a key has one did:key");
  } else {
    check_made_again(*document);
  }
  return Verdict::accepted;
}

}  // namespace kith::fuzz
