// Two parties with DIDs of their own, and one message between them: packed by Alice, carried by
// nobody, unpacked by Bob. docs/using-the-library.md goes through it.

#include <iostream>
#include <map>
#include <string>

#include "crypto/random.hpp"
#include "crypto/software_keys.hpp"
#include "protocol/did_peer.hpp"
#include "protocol/envelope.hpp"

namespace {

using kith::fail;
using kith::Result;

constexpr std::int64_t kNow =
    1'800'000'000;  // The library reads no clock: you say what time it is.

/// Private keys by name. They are sealed: only the KeyOps that made them can use them.
class Wallet final : public kith::Secrets {
 public:
  void put(const std::string& kid, const kith::SealedKey& key) { keys_.emplace(kid, key); }
  std::optional<kith::SealedKey> find(std::string_view kid) override {
    const auto found = keys_.find(kid);
    if (found == keys_.end()) return std::nullopt;
    return found->second;
  }

 private:
  std::map<std::string, kith::SealedKey, std::less<>> keys_;
};

/// did:peer:2 and did:key need nothing but themselves. Others you would have to know already.
class SelfContained final : public kith::Resolver {
 public:
  Result<kith::DidDocument> resolve(const kith::Did& did) override {
    if (kith::protocol::is_self_contained(did)) {
      return kith::protocol::resolve_self_contained(did);
    }
    return fail(kith::Errc::unknown_peer, did.text());
  }
};

struct Party {
  kith::Did did;
  kith::SenderKey agreement;
};

/// New keys, a DID that holds their public halves, and the private ones in `wallet`.
Result<Party> make_party(kith::KeyOps& keys, Wallet& wallet) {
  using kith::protocol::KeyUse;
  TRY(const auto signing, keys.generate(kith::KeyType::ed25519, kith::KeyPurpose::authenticate));
  TRY(const auto agreement, keys.generate(kith::KeyType::x25519, kith::KeyPurpose::agree));
  TRY(const kith::Did did,
      kith::protocol::make_did_peer2({{signing.public_key, KeyUse::authentication},
                                      {agreement.public_key, KeyUse::key_agreement}},
                                     {}));
  const std::string kid = kith::protocol::did_peer2_kid(did, 1);
  wallet.put(kith::protocol::did_peer2_kid(did, 0), signing.sealed);
  wallet.put(kid, agreement.sealed);
  return Party{did, {kid, agreement.sealed}};
}

Result<void> talk(const std::string& text) {
  kith::crypto::OsRandom random;
  // One root key seals all private keys. Keep it where nobody else reads, and you can store them.
  kith::SoftwareKeys keys(random.secret(32), random);
  Wallet wallet;
  SelfContained resolver;
  TRY(const Party alice, make_party(keys, wallet));
  TRY(const Party bob, make_party(keys, wallet));

  auto message =
      kith::protocol::new_message("https://didcomm.org/basicmessage/2.0/message", random, kNow);
  message.from = alice.did;
  message.to = {bob.did};
  message.body["content"] = text;
  TRY(const kith::DidDocument document, resolver.resolve(bob.did));
  TRY(std::string envelope,
      kith::protocol::pack_authcrypt(message, alice.agreement, document.agreement_keys(), {}, keys,
                                     random));

  const kith::protocol::UnpackContext context{wallet, resolver, keys, kNow + 1};
  TRY(const kith::Unpacked opened, kith::protocol::unpack(envelope, context));
  TRY(const std::string content, kith::crypto::json_string(opened.message.body, "content"));
  // Who sent it is what the envelope proves, never what the message says.
  const bool from_alice = opened.info.authenticated && opened.info.sender == alice.did;
  std::cout << "Bob reads: " << content << "\n"
            << "It is from Alice: " << (from_alice ? "yes" : "no") << "\n";

  envelope[envelope.size() / 2] ^= 1;
  const auto altered = kith::protocol::unpack(envelope, context);
  std::cout << "With one bit changed: " << (altered.has_value() ? "still readable" : "refused")
            << "\n";
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const Result<void> talked = talk(argc > 1 ? argv[1] : "hello");
  if (talked.has_value()) return 0;
  std::cerr << kith::crypto::error_text(talked.error().code).sentence << ": "
            << talked.error().detail << "\n";
  return 1;
}
