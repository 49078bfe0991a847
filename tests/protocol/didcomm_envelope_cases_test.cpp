/// Envelopes that DIDComm Messaging v2.1 says to take or to refuse: nesting, addressing, curves,
/// headers of JWE and JWS, rotation. Forged ones are correctly encrypted and signed.

#include "protocol/from_prior.hpp"
#include "tests/protocol/didcomm_cases.hpp"

namespace kith {
namespace {

using crypto::ContentEncryption;
using test::b64;
using test::Case;
using test::drop;
using test::Edit;
using test::edited;
using test::ForgedJwe;
using test::ForgeLab;
using test::kNow;
using test::put;
using test::run_cases;
namespace section = test::section;

// ---- Nesting -----------------------------------------------------------------------------------

/// `wraps` from the inside out: s(ign), n (anoncrypt), u (authcrypt).
std::function<std::string(ForgeLab&)> nested(const std::string& wraps) {
  return [wraps](ForgeLab& lab) {
    std::string text = lab.plain();
    for (const char wrap : wraps) {
      text = wrap == 's'   ? lab.sign(text, lab.alice)
             : wrap == 'n' ? lab.anon(text, lab.bob)
                           : lab.auth(text, lab.alice, lab.bob);
    }
    return text;
  };
}

TEST(DidcommEnvelopeCases, Nesting) {
  const auto no = Errc::not_authentic;
  std::vector<Case> cases;
  for (const char* allowed : {"", "s", "n", "u", "sn", "un", "su", "sun"}) {
    cases.push_back(
        {section::kMediaTypes, std::string("allowed: ") + allowed, nested(allowed), {}});
  }
  for (const char* refused : {"ss", "ns", "us", "nn", "uu", "nu", "sns", "sus", "snn", "suu", "snu",
                              "unn", "uun", "nun", "ssn", "ssu"}) {
    cases.push_back(
        {section::kMediaTypes, std::string("refused: ") + refused, nested(refused), no});
  }
  run_cases(cases);
}

TEST(DidcommEnvelopeCases, LayersMustAgreeOnTheParties) {
  const auto no = Errc::not_authentic;
  run_cases({
      {section::kConsistency, "authcrypt by another DID than from",
       [](ForgeLab& lab) { return lab.auth(lab.plain(), lab.mallory, lab.bob); }, no},
      {section::kConsistency, "to names only others",
       [](ForgeLab& lab) {
         lab.message.to = {lab.mallory.party.did};
         return lab.auth(lab.plain(), lab.alice, lab.bob);
       },
       no},
      {section::kConsistency, "signer is not from",
       [](ForgeLab& lab) { return lab.sign(lab.plain(), lab.mallory); }, no},
      {section::kConsistency, "signed without from",
       [](ForgeLab& lab) { return lab.sign(lab.plain(drop("from")), lab.alice); }, no},
      {section::kMediaTypes, "signed by one, authcrypted by another",
       [](ForgeLab& lab) {
         return lab.auth(lab.sign(lab.plain(), lab.alice), lab.mallory, lab.bob);
       },
       no},
      {section::kMediaTypes, "the same inside anoncrypt",
       [](ForgeLab& lab) {
         return lab.anon(lab.auth(lab.sign(lab.plain(), lab.alice), lab.mallory, lab.bob), lab.bob);
       },
       no},
      {"DIDComm Signed Messages", "signed and encrypted without to",
       [](ForgeLab& lab) { return lab.anon(lab.sign(lab.plain(drop("to")), lab.alice), lab.bob); },
       no},
      {"DIDComm Signed Messages", "signed for somebody else, handed on",
       [](ForgeLab& lab) {
         lab.message.to = {lab.mallory.party.did};
         return lab.anon(lab.sign(lab.plain(), lab.alice), lab.bob);
       },
       no},
      {"DIDComm Signed Messages",
       "signed without to, not encrypted",
       [](ForgeLab& lab) { return lab.sign(lab.plain(drop("to")), lab.alice); },
       {}},
      {section::kProtectSender,
       "hidden sender",
       [](ForgeLab& lab) { return lab.anon(lab.auth(lab.plain(), lab.alice, lab.bob), lab.bob); },
       {}},
      {section::kProtectSender,
       "hidden sender, layers on two curves",
       [](ForgeLab& lab) {
         ForgedJwe outer;
         outer.curve = KeyType::p521;
         return lab.anon(lab.auth(lab.plain(), lab.alice, lab.bob), lab.bob, outer);
       },
       {}},
      {section::kEncryption, "encrypted to keys of two DIDs",
       [](ForgeLab& lab) {
         auto to = ForgeLab::targets(lab.bob, KeyType::x25519);
         to.push_back(ForgeLab::targets(lab.mallory, KeyType::x25519).front());
         return lab.encrypt(lab.plain(), nullptr, to, {});
       },
       no},
      {section::kEncryption, "to nobody we are",
       [](ForgeLab& lab) { return lab.anon(lab.plain(), lab.mallory); }, Errc::cannot_decrypt},
  });
}

// ---- Encryption --------------------------------------------------------------------------------

TEST(DidcommEnvelopeCases, CurvesAndCiphers) {
  std::vector<Case> cases;
  for (const KeyType curve : {KeyType::x25519, KeyType::p384, KeyType::p256, KeyType::p521}) {
    for (const ContentEncryption enc :
         {ContentEncryption::a256cbc_hs512, ContentEncryption::a256gcm, ContentEncryption::xc20p}) {
      const std::string name(crypto::enc_name(enc));
      ForgedJwe jwe;
      jwe.curve = curve;
      jwe.enc = enc;
      cases.push_back({section::kCurves,
                       "anoncrypt " + name,
                       [jwe](ForgeLab& lab) { return lab.anon(lab.plain(), lab.bob, jwe); },
                       {}});
      // Other ciphers do not commit to their key: one recipient could forge for another one.
      const bool commits = enc == ContentEncryption::a256cbc_hs512;
      cases.push_back(
          {section::kCurves, "authcrypt " + name,
           [jwe](ForgeLab& lab) { return lab.auth(lab.plain(), lab.alice, lab.bob, jwe); },
           commits ? std::nullopt : std::optional(Errc::unsupported)});
    }
  }
  run_cases(cases);
}

Case header_case(const char* section, std::string name, const Edit& edit,
                 std::optional<Errc> refused = std::nullopt) {
  ForgedJwe jwe;
  jwe.header = edit;
  return {section, std::move(name),
          [jwe](ForgeLab& lab) { return lab.auth(lab.plain(), lab.alice, lab.bob, jwe); }, refused};
}

Case anon_header_case(std::string name, const Edit& edit,
                      std::optional<Errc> refused = std::nullopt) {
  ForgedJwe jwe;
  jwe.header = edit;
  return {section::kEcdhEs, std::move(name),
          [jwe](ForgeLab& lab) { return lab.anon(lab.plain(), lab.bob, jwe); }, refused};
}

TEST(DidcommEnvelopeCases, ProtectedHeadersOfAuthcrypt) {
  const auto malformed = Errc::malformed;
  const auto* pu = section::kEcdh1Pu;
  run_cases({
      header_case(pu, "as it should be", [](JsonObject&) {}),
      header_case(pu, "skid left out: apu names the sender", drop("skid")),
      header_case(pu, "no apu", drop("apu"), malformed),
      header_case(pu, "no apv", drop("apv"), malformed),
      header_case(pu, "no epk", drop("epk"), malformed),
      header_case(pu, "no alg", drop("alg"), malformed),
      header_case(pu, "no enc", drop("enc"), malformed),
      header_case(pu, "no typ", drop("typ")),
      header_case(section::kMediaTypes, "typ without application/",
                  put("typ", "didcomm-encrypted+json")),
      header_case(section::kMediaTypes, "typ of a signed message",
                  put("typ", "application/didcomm-signed+json"), malformed),
      header_case(pu, "apu of another key", put("apu", b64("did:example:eve#1")), malformed),
      header_case(pu, "skid of another key", put("skid", "did:example:eve#1"), malformed),
      header_case(
          pu, "skid and apu of no key",
          [](JsonObject& h) {
            h["skid"] = "did:example:eve";
            h["apu"] = b64("did:example:eve");
          },
          malformed),
      header_case(pu, "apv of other recipients", put("apv", b64(std::string(32, 'x'))), malformed),
      header_case(pu, "alg without key wrap", put("alg", "ECDH-1PU"), Errc::unsupported),
      header_case(pu, "alg with a shorter wrap", put("alg", "ECDH-1PU+A128KW"), Errc::unsupported),
      header_case(pu, "zip", put("zip", "DEF"), Errc::unsupported),
      header_case(pu, "crit", put("crit", JsonArray{"exp"}), Errc::unsupported),
      header_case(pu, "unknown member", put("note", "ignored")),
      header_case(
          section::kCurves, "epk with its private half",
          [](JsonObject& h) { h["epk"].as_object()["d"] = b64(std::string(32, 'd')); },
          Errc::bad_key),
      header_case(
          section::kCurves, "epk of small order",
          [](JsonObject& h) { h["epk"].as_object()["x"] = b64(std::string(32, '\0')); },
          Errc::bad_key),
      header_case(
          section::kCurves, "epk on a curve outside the table",
          [](JsonObject& h) { h["epk"].as_object()["crv"] = "X448"; }, Errc::unsupported),
  });
}

TEST(DidcommEnvelopeCases, ProtectedHeadersOfAnoncrypt) {
  run_cases({
      anon_header_case("as it should be", [](JsonObject&) {}),
      anon_header_case("apu null", put("apu", nullptr)),
      anon_header_case("apu of somebody", put("apu", b64("did:example:a#1")), Errc::malformed),
      anon_header_case("skid", put("skid", "did:example:a#1"), Errc::malformed),
      anon_header_case("no apv", drop("apv"), Errc::malformed),
      anon_header_case("apv of other recipients", put("apv", b64(std::string(32, 'x'))),
                       Errc::malformed),
      anon_header_case("direct agreement", put("alg", "ECDH-ES"), Errc::unsupported),
      anon_header_case("alg none", put("alg", "none"), Errc::unsupported),
      anon_header_case("enc with 128 bits", put("enc", "A128GCM"), Errc::unsupported),
  });
}

Case envelope_case(const char* section, std::string name, const Edit& edit,
                   std::optional<Errc> refused = std::nullopt) {
  ForgedJwe jwe;
  jwe.envelope = edit;
  return {section, std::move(name),
          [jwe](ForgeLab& lab) { return lab.auth(lab.plain(), lab.alice, lab.bob, jwe); }, refused};
}

Edit flip(const std::string& member) {
  return [member](JsonObject& object) {
    auto& text = object[member].as_string();
    text[0] = text[0] == 'A' ? 'B' : 'A';
  };
}

TEST(DidcommEnvelopeCases, SerialisationAndKeyIds) {
  const auto malformed = Errc::malformed;
  const auto* form = section::kEncryption;
  run_cases({
      envelope_case(form, "ciphertext altered", flip("ciphertext"), Errc::cannot_decrypt),
      envelope_case(form, "tag altered", flip("tag"), Errc::cannot_decrypt),
      envelope_case(form, "iv altered", flip("iv"), Errc::cannot_decrypt),
      envelope_case(form, "aad", put("aad", "AAAA"), Errc::unsupported),
      envelope_case(form, "unprotected header", put("unprotected", JsonObject()),
                    Errc::unsupported),
      envelope_case(
          form, "flattened form",
          [](JsonObject& e) {
            const JsonObject first = e["recipients"].as_array()[0].as_object();
            for (const auto& member : first) e[member.key()] = member.value();
            e.erase("recipients");
          },
          Errc::unsupported),
      envelope_case(form, "no recipients", put("recipients", JsonArray()), malformed),
      envelope_case(
          form, "a recipient left out",
          [](JsonObject& e) { e["recipients"].as_array().pop_back(); }, malformed),
      envelope_case(form, "recipients in another order",
                    [](JsonObject& e) {
                      auto& list = e["recipients"].as_array();
                      std::swap(list[0], list[1]);
                    }),
      envelope_case(
          section::kKeyIds, "recipient without kid",
          [](JsonObject& e) { e["recipients"].as_array()[0].as_object()["header"] = JsonObject(); },
          malformed),
      envelope_case(
          section::kKeyIds, "recipient with a relative kid",
          [](JsonObject& e) {
            e["recipients"].as_array()[0].as_object()["header"].as_object()["kid"] = "#key-2";
          },
          malformed),
      {section::kKeyIds, "sender key not listed for key agreement",
       [](ForgeLab& lab) {
         const std::string text = lab.auth(lab.plain(), lab.alice, lab.bob);
         DidDocument document = lab.alice.party.document;
         document.key_agreement.clear();
         lab.world.dids.put(document);
         return text;
       },
       Errc::not_authentic},
      {section::kKeyIds,
       "only our second key is at hand",
       [](ForgeLab& lab) {
         const std::string text = lab.auth(lab.plain(), lab.alice, lab.bob);
         test::Wallet tablet;
         tablet.put(lab.bob.agreement.back().kid, lab.bob.agreement.back().key);
         lab.bob.party.wallet = tablet;
         return text;
       },
       {}},
  });
}

// ---- Signatures --------------------------------------------------------------------------------

Case signed_case(std::string name, const std::function<std::string(ForgeLab&)>& make,
                 std::optional<Errc> refused = std::nullopt) {
  return {section::kSigning, std::move(name), make, refused};
}

std::function<std::string(ForgeLab&)> signed_and(const Edit& edit) {
  return [edit](ForgeLab& lab) { return edited(lab.sign(lab.plain(), lab.alice), edit); };
}

std::function<std::string(ForgeLab&)> signed_over(const std::string& header, bool kid_outside) {
  return [header, kid_outside](ForgeLab& lab) {
    const JsonObject outside{{"kid", lab.alice.party.signing.kid}};
    return lab.sign_with(lab.plain(), lab.alice, header, kid_outside ? outside : JsonObject());
  };
}

TEST(DidcommEnvelopeCases, Signatures) {
  std::vector<Case> cases;
  for (const KeyType type : {KeyType::ed25519, KeyType::secp256k1, KeyType::p256}) {
    cases.push_back(signed_case("every algorithm", [type](ForgeLab& lab) {
      lab.alice = lab.make({KeyType::x25519}, type);
      lab.message.from = lab.alice.party.did;
      return lab.sign(lab.plain(), lab.alice);
    }));
  }
  const std::string typ = R"({"typ":"application/didcomm-signed+json",)";
  cases.push_back(signed_case("flattened form", signed_and([](JsonObject& e) {
                                const JsonObject first = e["signatures"].as_array()[0].as_object();
                                for (const auto& member : first) e[member.key()] = member.value();
                                e.erase("signatures");
                              })));
  cases.push_back(signed_case("kid in the protected header", [typ](ForgeLab& lab) {
    return lab.sign_with(lab.plain(), lab.alice,
                         typ + R"("alg":"EdDSA","kid":")" + lab.alice.party.signing.kid + "\"}",
                         {});
  }));
  cases.push_back(
      signed_case("no kid", signed_over(typ + R"("alg":"EdDSA"})", false), Errc::malformed));
  cases.push_back(signed_case("typ without application/",
                              signed_over(R"({"typ":"didcomm-signed+json","alg":"EdDSA"})", true)));
  cases.push_back(signed_case("no typ", signed_over(R"({"alg":"EdDSA"})", true), Errc::malformed));
  cases.push_back(
      signed_case("typ JWM", signed_over(R"({"typ":"JWM","alg":"EdDSA"})", true), Errc::malformed));
  cases.push_back(
      signed_case("alg none", signed_over(typ + R"("alg":"none"})", true), Errc::unsupported));
  cases.push_back(
      signed_case("alg of a MAC", signed_over(typ + R"("alg":"HS256"})", true), Errc::unsupported));
  cases.push_back(signed_case("alg of another type of key",
                              signed_over(typ + R"("alg":"ES256"})", true), Errc::bad_signature));
  cases.push_back(signed_case(
      "kid of another key of the DID",
      [typ](ForgeLab& lab) {
        return lab.sign_with(lab.plain(), lab.alice, typ + R"("alg":"EdDSA"})",
                             {{"kid", lab.alice.agreement[0].kid}});
      },
      Errc::not_authentic));
  cases.push_back(signed_case("payload altered", signed_and([](JsonObject& e) {
                                e["payload"] =
                                    b64(edited(test::unb64(e["payload"]), put("id", "another")));
                              }),
                              Errc::bad_signature));
  cases.push_back(signed_case("two signatures", signed_and([](JsonObject& e) {
                                auto& list = e["signatures"].as_array();
                                list.push_back(list[0]);
                              }),
                              Errc::malformed));
  cases.push_back(
      signed_case("no signature", signed_and(put("signatures", JsonArray())), Errc::malformed));
  cases.push_back(signed_case("signed and encrypted form in one",
                              signed_and(put("ciphertext", "AAAA")), Errc::malformed));
  cases.push_back(signed_case(
      "signing key not listed for authentication",
      [](ForgeLab& lab) {
        DidDocument document = lab.alice.party.document;
        document.authentication.clear();
        lab.world.dids.put(document);
        return lab.sign(lab.plain(), lab.alice);
      },
      Errc::not_authentic));
  run_cases(cases);
}

// ---- Rotation ----------------------------------------------------------------------------------

/// Alice rotates to Mallory's DID (that is, to another one of hers); `claims` may be edited.
Case rotation_case(const char* section, std::string name, const Edit& claims,
                   std::optional<Errc> refused = std::nullopt) {
  return {section, std::move(name),
          [claims](ForgeLab& lab) {
            JsonObject token{{"iss", lab.alice.party.did.text()},
                             {"sub", lab.mallory.party.did.text()},
                             {"iat", kNow}};
            claims(token);
            const SigningKey& key = lab.alice.party.signing;
            const std::string jwt = crypto::sign_jwt(lab.world.keys, {key.key, key.type, key.kid},
                                                     crypto::json_text(token))
                                        .value();
            return lab.auth(lab.plain([&](JsonObject& m) {
              m["from"] = lab.mallory.party.did.text();
              m["from_prior"] = jwt;
            }),
                            lab.mallory, lab.bob);
          },
          refused};
}

TEST(DidcommEnvelopeCases, Rotation) {
  const auto no = Errc::not_authentic;
  const auto* rotation = section::kRotation;
  run_cases({
      rotation_case(rotation, "to a new DID", [](JsonObject&) {}),
      rotation_case(rotation, "no iss", drop("iss"), Errc::malformed),
      rotation_case(rotation, "iss of another DID", put("iss", "did:example:eve"), no),
      rotation_case(rotation, "sub of another DID", put("sub", "did:example:eve"), no),
      rotation_case(rotation, "no iat", drop("iat"), Errc::malformed),
      rotation_case(rotation, "iat in the future", put("iat", kNow + 3600), no),
      rotation_case(rotation, "iat long ago", put("iat", kNow - 86400 * 365)),
      rotation_case(section::kEnding, "no sub, but a sender", drop("sub"), no),
      {rotation, "the token is no token",
       [](ForgeLab& lab) {
         return lab.auth(lab.plain(put("from_prior", "abc")), lab.alice, lab.bob);
       },
       Errc::malformed},
      {rotation, "in a message that is only signed",
       [](ForgeLab& lab) {
         const auto jwt = protocol::make_from_prior(lab.alice.party.signing, lab.mallory.party.did,
                                                    kNow, lab.world.keys);
         lab.message.from = lab.mallory.party.did;
         lab.message.from_prior = jwt.value();
         return lab.sign(lab.plain(), lab.mallory);
       },
       no},
      {section::kEnding,
       "neither sub nor sender",
       [](ForgeLab& lab) {
         const auto jwt =
             protocol::make_from_prior(lab.alice.party.signing, std::nullopt, kNow, lab.world.keys);
         lab.message.from.reset();
         lab.message.from_prior = jwt.value();
         return lab.anon(lab.plain(), lab.bob);
       },
       {}},
      {section::kEnding, "a sub, but no sender",
       [](ForgeLab& lab) {
         const auto jwt = protocol::make_from_prior(lab.alice.party.signing, lab.mallory.party.did,
                                                    kNow, lab.world.keys);
         lab.message.from.reset();
         lab.message.from_prior = jwt.value();
         return lab.anon(lab.plain(), lab.bob);
       },
       no},
  });
}

}  // namespace
}  // namespace kith
