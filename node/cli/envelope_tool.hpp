#pragma once

/// What `kith message pack` and `kith message unpack` do: envelopes with given keys and documents,
/// without a wallet. For engineers who look into a conversation; the private keys come in the
/// clear.

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "crypto/random.hpp"
#include "crypto/software_keys.hpp"
#include "protocol/envelope.hpp"

namespace kith::node {

struct PackRequest {
  std::string to;       ///< DID; empty: not encrypted.
  std::string from;     ///< DID; empty: anoncrypt.
  std::string sign_by;  ///< DID or key id; empty: not signed.
  bool protect_sender = false;
  std::string enc;  ///< JOSE name; empty: the default.
};

class EnvelopeTool {
 public:
  /// `secrets`: a JSON array of private JWKs with an absolute `kid`. `documents`: a JSON array of
  /// DID documents, may be empty. Both may also be objects whose members hold such arrays, or such
  /// documents. Errors: malformed, limit_exceeded, bad_key, unsupported.
  [[nodiscard]] static Result<std::unique_ptr<EnvelopeTool>> make(std::string_view secrets,
                                                                  std::string_view documents,
                                                                  Random& random);

  /// {"message", "metadata"}. Expiry is told and not judged. Errors: those of protocol::unpack;
  /// unknown_peer names the DID whose document is missing.
  [[nodiscard]] Result<JsonObject> unpack(std::string_view envelope, std::int64_t now_seconds);
  /// The envelope. `from` and `to` of the message are filled in where it has none.
  /// Errors: those of protocol::pack_*; unknown_peer, not_found (no such private key), usage.
  [[nodiscard]] Result<std::string> pack(std::string_view message, const PackRequest& request);

  EnvelopeTool(const EnvelopeTool&) = delete;
  EnvelopeTool& operator=(const EnvelopeTool&) = delete;

 private:
  struct OwnKey {
    KeyType type = KeyType::ed25519;
    std::optional<SealedKey> agrees;
    std::optional<SealedKey> signs;
  };
  class Documents final : public protocol::Resolver {
   public:
    Result<void> add(const JsonObject& document);
    Result<DidDocument> resolve(const Did& did) override;

   private:
    std::map<std::string, DidDocument, std::less<>> documents_;
  };
  class AgreementKeys final : public protocol::Secrets {
   public:
    explicit AgreementKeys(const std::map<std::string, OwnKey, std::less<>>& keys) : keys_(keys) {}
    std::optional<SealedKey> find(std::string_view kid) override;

   private:
    const std::map<std::string, OwnKey, std::less<>>& keys_;
  };

  explicit EnvelopeTool(Random& random);
  Result<void> add_secret(const JsonObject& jwk);
  Result<void> add_secrets(const Json& json);
  Result<void> add_documents(const Json& json);
  Result<SigningKey> signing_key(const std::string& name);

  Random& random_;
  crypto::SoftwareKeys keys_;
  std::map<std::string, OwnKey, std::less<>> own_;
  Documents documents_;
};

}  // namespace kith::node
