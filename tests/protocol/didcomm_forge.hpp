#pragma once

/// Envelopes as nobody should write them, correctly encrypted and signed, so that only the rule
/// under test can refuse them.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/ec_nist.hpp"
#include "crypto/ec_x25519.hpp"
#include "crypto/jwe.hpp"
#include "crypto/jws.hpp"
#include "protocol/did_peer.hpp"
#include "tests/support/parties.hpp"

namespace kith::test {

using Edit = std::function<void(JsonObject&)>;

inline JsonObject object_in(std::string_view text) {
  return crypto::parse_json(text).value().as_object();
}
inline std::string b64(std::string_view text) {
  return crypto::base64url(crypto::as_bytes(text));
}
inline std::string unb64(const Json& text) {
  const Bytes bytes = crypto::from_base64url(std::string_view(text.as_string())).value();
  return std::string(crypto::as_text(bytes));
}
/// The JSON text with its object changed.
inline std::string edited(std::string_view text, const Edit& edit) {
  JsonObject object = object_in(text);
  edit(object);
  return crypto::json_text(object);
}
template <class Value>
Edit put(const std::string& member, const Value& value) {
  return [member, value = Json(value)](JsonObject& object) { object[member] = value; };
}
inline Edit drop(const std::string& member) {
  return [member](JsonObject& object) { object.erase(member); };
}

/// Somebody with agreement keys on several curves; #key-1 signs.
struct ManyKeys {
  Party party;
  std::vector<SenderKey> agreement;  ///< One for each curve, in the order asked for.
};

/// What is wrong with an encrypted envelope.
struct ForgedJwe {
  crypto::KeyAgreement agreement = crypto::KeyAgreement::ecdh_es;
  crypto::ContentEncryption enc = crypto::ContentEncryption::a256cbc_hs512;
  KeyType curve = KeyType::x25519;
  Edit header = [](JsonObject&) {};    ///< Before encryption: the result is authentic.
  Edit envelope = [](JsonObject&) {};  ///< Afterwards.
};

struct ForgeLab {
  World world{23};
  ManyKeys alice = make({KeyType::x25519, KeyType::p256, KeyType::p384, KeyType::p521});
  ManyKeys bob =
      make({KeyType::x25519, KeyType::p256, KeyType::p384, KeyType::p521, KeyType::x25519});
  ManyKeys mallory = make({KeyType::x25519});
  Message message = world.message(alice.party, bob.party);

  ManyKeys make(const std::vector<KeyType>& curves, KeyType signing = KeyType::ed25519) {
    const KeyPair sign = world.keys.generate(signing, KeyPurpose::authenticate).value();
    std::vector<protocol::PeerKey> keys = {{sign.public_key, protocol::KeyUse::authentication}};
    std::vector<SenderKey> agreement;
    for (const KeyType curve : curves) {
      const KeyPair pair = world.keys.generate(curve, KeyPurpose::agree).value();
      keys.push_back({pair.public_key, protocol::KeyUse::key_agreement});
      agreement.push_back({"", pair.sealed, curve});
    }
    const Did did = protocol::make_did_peer2(keys, {}).value();
    Party party{did,
                protocol::resolve_did_peer2(did).value(),
                {protocol::did_peer2_kid(did, 0), signing, sign.sealed},
                {},
                {}};
    for (std::size_t i = 0; i < agreement.size(); ++i) {
      agreement[i].kid = protocol::did_peer2_kid(did, i + 1);
      party.wallet.put(agreement[i].kid, agreement[i].key);
    }
    party.wallet.put(party.signing.kid, party.signing.key);
    party.agreement = agreement.front();
    return {std::move(party), std::move(agreement)};
  }

  [[nodiscard]] std::string plain() const { return crypto::json_text(to_json(message)); }
  [[nodiscard]] std::string plain(const Edit& edit) const { return edited(plain(), edit); }

  [[nodiscard]] static std::vector<crypto::JweTarget> targets(const ManyKeys& who, KeyType curve) {
    std::vector<crypto::JweTarget> out;
    for (const NamedKey& key : who.party.document.agreement_keys(curve)) {
      out.push_back({key.kid, key.key});
    }
    return out;
  }

  std::string sign(std::string_view payload, const ManyKeys& by) {
    const SigningKey& key = by.party.signing;
    return crypto::sign_jws(world.keys, {key.key, key.type, key.kid}, crypto::as_bytes(payload))
        .value();
  }
  /// Correctly signed over any protected header.
  std::string sign_with(std::string_view payload, const ManyKeys& by, const std::string& header,
                        const JsonObject& unprotected) {
    const std::string input = b64(header) + "." + b64(payload);
    JsonObject signature{
        {"protected", b64(header)},
        {"signature", crypto::base64url(
                          world.keys.sign(by.party.signing.key, crypto::as_bytes(input)).value())}};
    if (!unprotected.empty()) signature["header"] = unprotected;
    return crypto::json_text(
        JsonObject{{"payload", b64(payload)}, {"signatures", JsonArray{signature}}});
  }

  std::string anon(std::string_view plaintext, const ManyKeys& to, ForgedJwe jwe = {}) {
    jwe.agreement = crypto::KeyAgreement::ecdh_es;
    return encrypt(plaintext, nullptr, targets(to, jwe.curve), jwe);
  }
  std::string auth(std::string_view plaintext, const ManyKeys& from, const ManyKeys& to,
                   ForgedJwe jwe = {}) {
    jwe.agreement = crypto::KeyAgreement::ecdh_1pu;
    for (const SenderKey& key : from.agreement) {
      if (key.type == jwe.curve) return encrypt(plaintext, &key, targets(to, jwe.curve), jwe);
    }
    return {};
  }
  std::string encrypt(std::string_view plaintext, const SenderKey* sender,
                      const std::vector<crypto::JweTarget>& to, const ForgedJwe& jwe) {
    const crypto::RawKeyPair ephemeral = crypto::is_nist(jwe.curve)
                                             ? crypto::nist_generate(jwe.curve, world.random)
                                             : crypto::x25519_generate(world.random);
    std::vector<std::string> kids;
    for (const auto& target : to) kids.push_back(target.kid);
    const Bytes apv = crypto::recipients_digest(kids);
    JsonObject header{{"typ", "application/didcomm-encrypted+json"},
                      {"alg", crypto::alg_name(jwe.agreement)},
                      {"enc", crypto::enc_name(jwe.enc)},
                      {"apv", crypto::base64url(apv)},
                      {"epk", crypto::jwk(ephemeral.public_key)}};
    Bytes apu;
    if (sender != nullptr) {
      apu = crypto::to_bytes(crypto::as_bytes(sender->kid));
      header["skid"] = sender->kid;
      header["apu"] = crypto::base64url(apu);
    }
    jwe.header(header);
    const std::string protected_text = b64(crypto::json_text(header));
    const auto sizes = crypto::sizes_of(jwe.enc);
    const SecretBytes cek = world.random.secret(sizes.key_bytes);
    const Bytes iv = world.random.bytes(sizes.iv_bytes);
    const auto content = crypto::aead_encrypt(jwe.enc, cek, iv, crypto::as_bytes(protected_text),
                                              crypto::as_bytes(plaintext));
    crypto::WrapContext context{crypto::alg_name(jwe.agreement), apu, apv, {}};
    if (sender != nullptr) context.tag = content.tag;
    JsonArray recipients;
    for (const auto& target : to) {
      const Bytes wrapped = world.keys
                                .wrap_cek(sender == nullptr ? nullptr : &sender->key, target.key,
                                          ephemeral.private_key, context, cek)
                                .value();
      recipients.push_back(JsonObject{{"header", JsonObject{{"kid", target.kid}}},
                                      {"encrypted_key", crypto::base64url(wrapped)}});
    }
    JsonObject envelope{{"protected", protected_text},
                        {"recipients", std::move(recipients)},
                        {"iv", crypto::base64url(iv)},
                        {"ciphertext", crypto::base64url(content.ciphertext)},
                        {"tag", crypto::base64url(content.tag)}};
    jwe.envelope(envelope);
    return crypto::json_text(envelope);
  }
};

}  // namespace kith::test
