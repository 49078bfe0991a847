#pragma once

/// People who send each other envelopes in tests: real keys, did:peer:2 documents, all from one
/// seed.

#include <map>
#include <string>
#include <string_view>

#include "crypto/random.hpp"
#include "crypto/software_keys.hpp"
#include "protocol/envelope.hpp"

namespace kith::test {

inline constexpr std::int64_t kNow = 1'800'000'000;  ///< Epoch seconds: when tests happen.

class Wallet final : public Secrets {
 public:
  void put(const std::string& kid, const SealedKey& key) { keys_.insert_or_assign(kid, key); }
  std::optional<SealedKey> find(std::string_view kid) override;

 private:
  std::map<std::string, SealedKey, std::less<>> keys_;
};

/// Knows the documents that it was given, and those that DIDs hold in themselves.
class KnownDids final : public Resolver {
 public:
  void put(const DidDocument& document) {
    documents_.insert_or_assign(document.id.text(), document);
  }
  /// From now on `did` must be fetched first.
  void hide(const Did& did) { hidden_.insert_or_assign(did.text(), true); }
  Result<DidDocument> resolve(const Did& did) override;

 private:
  std::map<std::string, DidDocument, std::less<>> documents_;
  std::map<std::string, bool, std::less<>> hidden_;
};

struct Party {
  Did did;
  DidDocument document;
  SigningKey signing;
  SenderKey agreement;
  Wallet wallet;

  [[nodiscard]] std::vector<NamedKey> recipients() const { return document.agreement_keys(); }
};

struct World {
  explicit World(std::uint64_t seed = 1);

  /// Key #key-1 signs (`type`), #key-2 agrees.
  [[nodiscard]] Party make_party(KeyType signing_type = KeyType::ed25519,
                                 const std::vector<ServiceEndpoint>& services = {});
  /// A message with times, from and to.
  [[nodiscard]] Message message(const Party& from, const Party& to);
  [[nodiscard]] Result<Unpacked> open(std::string_view text, Party& reader,
                                      std::int64_t now_seconds = kNow,
                                      const protocol::UnpackPolicy& policy = {});

  crypto::SeededRandom random;
  SoftwareKeys keys;
  KnownDids dids;
};

}  // namespace kith::test
