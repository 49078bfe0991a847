#include "tests/support/parties.hpp"

#include "crypto/assert.hpp"
#include "protocol/did_peer.hpp"

namespace kith::test {

std::optional<SealedKey> Wallet::find(std::string_view kid) {
  const auto found = keys_.find(kid);
  if (found == keys_.end()) return std::nullopt;
  return found->second;
}

Result<DidDocument> KnownDids::resolve(const Did& did) {
  if (hidden_.contains(did.text())) return fail(Errc::unknown_peer, "somebody");
  const auto found = documents_.find(did.text());
  if (found != documents_.end()) return found->second;
  if (protocol::is_self_contained(did)) return protocol::resolve_self_contained(did);
  return fail(Errc::unknown_peer, did.text());
}

World::World(std::uint64_t seed) : random(seed, "world"), keys(random.secret(32), random) {}

Party World::make_party(KeyType signing_type, const std::vector<ServiceEndpoint>& services) {
  const auto signing = keys.generate(signing_type, KeyPurpose::authenticate);
  const auto agreement = keys.generate(KeyType::x25519, KeyPurpose::agree);
  ASSERT(signing.has_value());
  ASSERT(agreement.has_value());
  const auto did =
      protocol::make_did_peer2({{signing->public_key, protocol::KeyUse::authentication},
                                {agreement->public_key, protocol::KeyUse::key_agreement}},
                               services);
  ASSERT(did.has_value());
  const auto document = protocol::resolve_did_peer2(*did);
  ASSERT(document.has_value());
  const std::string signing_kid = protocol::did_peer2_kid(*did, 0);
  const std::string agreement_kid = protocol::did_peer2_kid(*did, 1);
  Party party{*did,
              *document,
              {signing_kid, signing_type, signing->sealed},
              {agreement_kid, agreement->sealed},
              {}};
  party.wallet.put(signing_kid, signing->sealed);
  party.wallet.put(agreement_kid, agreement->sealed);
  return party;
}

Message World::message(const Party& from, const Party& to) {
  Message message = protocol::new_message("https://example.org/talk/1.0/word", random, kNow);
  message.from = from.did;
  message.to = {to.did};
  message.expires_time = kNow + 600;
  message.body["text"] = "hello";
  return message;
}

Result<Unpacked> World::open(std::string_view text, Party& reader, std::int64_t now_seconds,
                             const protocol::UnpackPolicy& policy) {
  return protocol::unpack(text, {reader.wallet, dids, keys, now_seconds, policy});
}

}  // namespace kith::test
