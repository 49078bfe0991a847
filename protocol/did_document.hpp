#pragma once

/// DID documents (DID Core 1.0, section 5), as far as messaging needs them. The raw JSON is kept,
/// so members that are not understood survive.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/json.hpp"
#include "crypto/key.hpp"
#include "protocol/did.hpp"

namespace kith::protocol {

/// A verification method. `key` is absent when type or curve is not supported (RSA, BLS, ...):
/// such methods are kept, but never used.
struct VerificationMethod {
  std::string id;  ///< Absolute DID URL with fragment.
  std::string type;
  std::string controller;  ///< A DID.
  std::optional<PublicKey> key;
};

/// One DIDCommMessaging endpoint. A service whose endpoint is an array gives one of these for each
/// item, in the owner's order of preference.
struct ServiceEndpoint {
  std::string id;  ///< Absolute DID URL; empty when the document gives none.
  std::string uri;
  std::vector<std::string> accept;        ///< Profiles; empty leaves the choice to the sender.
  std::vector<std::string> routing_keys;  ///< DIDs or DID URLs.

  friend bool operator==(const ServiceEndpoint&, const ServiceEndpoint&) = default;
};

/// A key with its absolute name: what envelopes are addressed to.
struct NamedKey {
  std::string kid;
  PublicKey key;

  friend bool operator==(const NamedKey&, const NamedKey&) = default;
};

struct DidDocument {
  Did id;
  std::vector<VerificationMethod> methods;  ///< Listed and embedded ones.
  std::vector<std::string> authentication;  ///< Absolute kids, each in `methods` when it is local.
  std::vector<std::string> key_agreement;
  std::vector<ServiceEndpoint> services;
  JsonObject raw;

  [[nodiscard]] const VerificationMethod* find_method(std::string_view kid) const;
  /// The key `kid` if the document lists it for the relationship and its type fits (can_sign for
  /// authentication, can_agree for key agreement). Errors: not_authentic (not listed), unsupported
  /// (listed with a key type of no use here).
  [[nodiscard]] Result<PublicKey> authentication_key(std::string_view kid) const;
  [[nodiscard]] Result<PublicKey> agreement_key(std::string_view kid) const;
  /// All usable keyAgreement keys, in the document's order. One envelope is encrypted to all that
  /// share one curve: packing chooses it.
  [[nodiscard]] std::vector<NamedKey> agreement_keys() const;
  /// Those on one curve: boxes (KeyOps::seal_to) take X25519 only.
  [[nodiscard]] std::vector<NamedKey> agreement_keys(KeyType type) const;
  [[nodiscard]] std::vector<NamedKey> authentication_keys() const;
};

/// Reads a document that was asked for as `expected`; another `id` is refused. Relative ids become
/// absolute; references may come before or after what they name.
/// Errors: malformed, limit_exceeded, bad_key, not_authentic (another id).
[[nodiscard]] Result<DidDocument> parse_did_document(std::string_view text, const Did& expected);
[[nodiscard]] Result<DidDocument> read_did_document(const JsonObject& object, const Did& expected);

/// What a key may be used for in a document that we write.
enum class KeyUse : std::uint8_t { authentication, key_agreement };

struct DocumentKey {
  std::string fragment;  ///< Without '#'.
  PublicKey key;
  KeyUse use = KeyUse::authentication;
};

/// Writes a document: JsonWebKey2020 methods with absolute ids, one DIDCommMessaging service for
/// each endpoint in object form (the widest interoperability).
/// Errors: malformed (a fragment twice, an address that is none), limit_exceeded, bad_key.
[[nodiscard]] Result<DidDocument> build_did_document(const Did& id,
                                                     const std::vector<DocumentKey>& keys,
                                                     const std::vector<ServiceEndpoint>& services);

/// The document as JSON: `raw`.
[[nodiscard]] const JsonObject& to_json(const DidDocument& document);

/// One DIDCommMessaging service object with `id` as given; shared with did:peer.
[[nodiscard]] JsonObject service_json(const ServiceEndpoint& endpoint, std::string_view id);

}  // namespace kith::protocol

namespace kith {
using protocol::DidDocument;
using protocol::NamedKey;
using protocol::ServiceEndpoint;
}  // namespace kith
