#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "crypto/jwe.hpp"
#include "tests/crypto/jose_fixture.hpp"

/// One valid authcrypt envelope for two keys of Bob, changed in every way that a peer or a mediator
/// could. Rows with an error are refused by their structure, before any key is used; the others by
/// decryption. None is accepted.

namespace kith::crypto {
namespace {

using test::edited;
using test::flip_first;
using test::Party;

using Change = std::function<void(JsonObject&)>;

struct Mutation {
  const char* name;
  Change change;
};

class JweMutations : public test::JoseTest {
 protected:
  std::string authcrypt(std::string_view message) {
    return encrypt_authenticated(as_bytes(message), JweSender{alice_.sealed, alice_.kid},
                                 {{bob_.kid, bob_.public_key}, {bob2_.kid, bob2_.public_key}},
                                 keys_, random_)
        .value();
  }

  const PublicKey* sender_named(const std::optional<std::string>& skid) const {
    if (skid == alice_.kid) return &alice_.public_key;
    if (skid == eve_.kid) return &eve_.public_key;
    return nullptr;
  }

  void expect_refused_by_structure(std::string_view name, const std::string& text, Errc error) {
    const auto parsed = parse_jwe(text);
    ASSERT_FALSE(parsed.has_value()) << name;
    EXPECT_EQ(parsed.error().code, error) << name << ": " << parsed.error().detail;
  }

  void expect_refused_by_decryption(std::string_view name, const std::string& text) {
    const auto parsed = parse_jwe(text);
    ASSERT_TRUE(parsed.has_value()) << name << ": " << parsed.error().detail;
    const PublicKey* sender = sender_named(parsed->skid);
    ASSERT_NE(sender, nullptr) << name;
    const auto plain = decrypt(*parsed, bob_.kid, bob_.sealed, sender, keys_);
    ASSERT_FALSE(plain.has_value()) << name;
    EXPECT_EQ(plain.error(), Errc::cannot_decrypt) << name;
  }

  void expect_all_refused(const std::vector<Mutation>& mutations, Errc error) {
    for (const Mutation& mutation : mutations) {
      expect_refused_by_structure(mutation.name, edited(valid_, mutation.change), error);
    }
  }

  Party alice_ = make("did:example:alice#x-1", KeyType::x25519);
  Party bob_ = make("did:example:bob#x-1", KeyType::x25519);
  Party bob2_ = make("did:example:bob#x-2", KeyType::x25519);
  Party eve_ = make("did:example:eve#x-1", KeyType::x25519);
  std::string valid_ = authcrypt(R"({"id":"1"})");
};

JsonObject& recipient(JsonObject& envelope, std::size_t index) {
  return envelope["recipients"].as_array()[index].as_object();
}

JsonObject& recipient_header(JsonObject& envelope, std::size_t index) {
  return recipient(envelope, index)["header"].as_object();
}

Change in_header(std::function<void(JsonObject&)> change) {
  return [change = std::move(change)](JsonObject& envelope) {
    test::edit_protected(envelope, change);
  };
}

template <class T>
Change header_member(const char* member, T value) {
  return in_header([member, value](JsonObject& h) { h[member] = value; });
}

template <class T>
Change epk_member(const char* member, T value) {
  return in_header([member, value](JsonObject& h) { h["epk"].as_object()[member] = value; });
}

Change without(const char* member) {
  return [member](JsonObject& envelope) { envelope.erase(member); };
}

template <class T>
Change with(const char* member, T value) {
  return [member, value](JsonObject& envelope) { envelope[member] = value; };
}

Change bytes_member(const char* member, std::size_t size) {
  return with(member, base64url(Bytes(size, 1)));
}

void append_to(Json& text, char c) {
  text.as_string().push_back(c);
}

TEST_F(JweMutations, TheControlOpens) {
  const auto parsed = parse_jwe(edited(valid_, [](JsonObject&) {}));
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(decrypt(*parsed, bob_.kid, bob_.sealed, &alice_.public_key, keys_));
  const auto swapped = parse_jwe(edited(valid_, [](JsonObject& e) {
    const Json first = e["recipients"].as_array()[0];
    e["recipients"].as_array()[0] = e["recipients"].as_array()[1];
    e["recipients"].as_array()[1] = first;
  }));
  ASSERT_TRUE(swapped) << "the order of recipients means nothing";
  EXPECT_TRUE(decrypt(*swapped, bob_.kid, bob_.sealed, &alice_.public_key, keys_));
}

TEST_F(JweMutations, DamagedEnvelopeMembers) {
  expect_all_refused(
      {
          {"protected removed", without("protected")},
          {"recipients removed", without("recipients")},
          {"iv removed", without("iv")},
          {"ciphertext removed", without("ciphertext")},
          {"tag removed", without("tag")},
          {"protected a number", with("protected", 1)},
          {"protected an object", with("protected", JsonObject())},
          {"recipients an object", with("recipients", JsonObject())},
          {"recipients null", with("recipients", nullptr)},
          {"iv null", with("iv", nullptr)},
          {"ciphertext an array", with("ciphertext", JsonArray())},
          {"tag true", with("tag", true)},
          {"protected empty", with("protected", "")},
          {"protected not base64url", with("protected", "{}")},
          {"protected an array", with("protected", "W10")},
          {"protected padded", [](JsonObject& e) { append_to(e["protected"], '='); }},
          {"iv short", bytes_member("iv", 12)},
          {"iv with loose trailing bits",
           [](JsonObject& e) {
             char& last = e["iv"].as_string().back();
             last = last == 'A' || last == 'Q' || last == 'g' || last == 'w'
                        ? static_cast<char>(last + 1)
                        : 'B';
           }},
          {"tag short", bytes_member("tag", 16)},
          {"tag empty", with("tag", "")},
          {"ciphertext empty", with("ciphertext", "")},
          {"ciphertext not whole blocks", bytes_member("ciphertext", 17)},
          {"ciphertext in the other alphabet", with("ciphertext", "++++++++++++++++++++++")},
          {"a payload beside", with("payload", "e30")},
          {"signatures beside", with("signatures", JsonArray())},
      },
      Errc::malformed);
  expect_all_refused({{"iv padded", [](JsonObject& e) { append_to(e["iv"], '='); }},
                      {"iv long", bytes_member("iv", 17)},
                      {"tag long", bytes_member("tag", 64)}},
                     Errc::limit_exceeded);
  expect_all_refused({{"aad", with("aad", "AAAA")},
                      {"aad null", with("aad", nullptr)},
                      {"unprotected header", with("unprotected", JsonObject())},
                      {"flattened header", with("header", JsonObject())},
                      {"flattened key", with("encrypted_key", "AAAA")}},
                     Errc::unsupported);
}

TEST_F(JweMutations, DamagedProtectedHeaders) {
  expect_all_refused(
      {
          {"alg removed", in_header([](JsonObject& h) { h.erase("alg"); })},
          {"alg a list", header_member("alg", JsonArray{"ECDH-1PU+A256KW"})},
          {"alg anonymous beside skid", header_member("alg", "ECDH-ES+A256KW")},
          {"enc removed", in_header([](JsonObject& h) { h.erase("enc"); })},
          {"enc null", header_member("enc", nullptr)},
          {"typ signed", header_member("typ", "application/didcomm-signed+json")},
          {"typ a number", header_member("typ", 1)},
          {"kid protected", header_member("kid", bob_.kid)},
          {"skid of someone else", header_member("skid", eve_.kid)},
          {"skid empty", header_member("skid", "")},
          {"skid a number", header_member("skid", 5)},
          {"apu removed", in_header([](JsonObject& h) { h.erase("apu"); })},
          {"apu null", header_member("apu", nullptr)},
          {"apu empty", header_member("apu", "")},
          {"apu in clear", header_member("apu", alice_.kid)},
          {"apu of someone else", header_member("apu", test::encoded(eve_.kid))},
          {"apu alone, not text", in_header([](JsonObject& h) {
             h.erase("skid");
             h["apu"] = "_____w";
           })},
          {"apv removed", in_header([](JsonObject& h) { h.erase("apv"); })},
          {"apv null", header_member("apv", nullptr)},
          {"apv empty", header_member("apv", "")},
          {"apv of one key only", header_member("apv", base64url(recipients_digest({bob_.kid})))},
          {"apv short", header_member("apv", "AAAA")},
          {"epk removed", in_header([](JsonObject& h) { h.erase("epk"); })},
          {"epk null", header_member("epk", nullptr)},
          {"epk text", header_member("epk", "AAAA")},
          {"epk without a curve",
           in_header([](JsonObject& h) { h["epk"].as_object().erase("crv"); })},
          {"epk without x", in_header([](JsonObject& h) { h["epk"].as_object().erase("x"); })},
          {"epk padded",
           in_header([](JsonObject& h) { append_to(h["epk"].as_object()["x"], '='); })},
      },
      Errc::malformed);
  expect_all_refused(
      {
          {"epk private", epk_member("d", base64url(Bytes(32, 9)))},
          {"epk short", epk_member("x", base64url(Bytes(31, 9)))},
          {"epk zero", epk_member("x", base64url(Bytes(32)))},
          {"epk one", in_header([](JsonObject& h) {
             Bytes one(32);
             one[0] = 1;
             h["epk"].as_object()["x"] = base64url(one);
           })},
      },
      Errc::bad_key);
}

TEST_F(JweMutations, AlgorithmsOutsideTheTable) {
  std::vector<Mutation> mutations = {
      {"zip", header_member("zip", "DEF")},
      {"crit unknown", header_member("crit", JsonArray{"x"})},
      {"crit empty", header_member("crit", JsonArray())},
      {"b64", header_member("b64", true)},
      {"1PU with A256GCM", header_member("enc", "A256GCM")},
      {"1PU with XC20P", header_member("enc", "XC20P")},
      {"epk on Ed25519", epk_member("crv", "Ed25519")},
      {"epk of another type", epk_member("kty", "EC")},
  };
  for (const char* alg : {"none", "", "dir", "A256KW", "RSA1_5", "RSA-OAEP", "ECDH-ES", "ECDH-1PU",
                          "ecdh-1pu+a256kw", "ECDH-ES+A128KW", "ECDH-1PU+A128KW",
                          "ECDH-1PU+XC20PKW", "PBES2-HS512+A256KW", "A256GCMKW"}) {
    mutations.push_back({alg, header_member("alg", alg)});
  }
  for (const char* enc : {"none", "", "A128CBC-HS256", "A192GCM", "a256cbc-hs512", "C20P"}) {
    mutations.push_back({enc, header_member("enc", enc)});
  }
  for (const char* curve : {"P-256", "P-384", "P-521", "P-224", "secp256k1", "X448"}) {
    mutations.push_back({curve, epk_member("crv", curve)});
  }
  expect_all_refused(mutations, Errc::unsupported);
}

TEST_F(JweMutations, DamagedRecipients) {
  const auto key_bytes = [](std::size_t size) {
    return [size](JsonObject& e) { recipient(e, 0)["encrypted_key"] = base64url(Bytes(size, 1)); };
  };
  expect_all_refused(
      {
          {"no recipients", with("recipients", JsonArray())},
          {"a recipient less", [](JsonObject& e) { e["recipients"].as_array().pop_back(); }},
          {"a recipient more",
           [](JsonObject& e) {
             JsonArray& list = e["recipients"].as_array();
             list.push_back(Json(list[0]));
             recipient_header(e, 2)["kid"] = "did:example:eve#x-1";
           }},
          {"a recipient twice",
           [](JsonObject& e) {
             JsonArray& list = e["recipients"].as_array();
             list.push_back(Json(list[0]));
           }},
          {"a recipient renamed",
           [](JsonObject& e) { recipient_header(e, 1)["kid"] = "did:example:eve#x-1"; }},
          {"a recipient a string",
           [](JsonObject& e) { e["recipients"].as_array()[0] = "did:example:bob#x-1"; }},
          {"header removed", [](JsonObject& e) { recipient(e, 0).erase("header"); }},
          {"header a string", [](JsonObject& e) { recipient(e, 0)["header"] = "x"; }},
          {"kid removed", [](JsonObject& e) { recipient_header(e, 0).erase("kid"); }},
          {"kid a number", [](JsonObject& e) { recipient_header(e, 0)["kid"] = 1; }},
          {"kid empty", [](JsonObject& e) { recipient_header(e, 0)["kid"] = ""; }},
          {"kid with a line end",
           [](JsonObject& e) { append_to(recipient_header(e, 0)["kid"], '\n'); }},
          {"alg per recipient",
           [](JsonObject& e) { recipient_header(e, 0)["alg"] = "ECDH-1PU+A256KW"; }},
          {"enc per recipient",
           [](JsonObject& e) { recipient_header(e, 0)["enc"] = "A256CBC-HS512"; }},
          {"epk per recipient",
           [](JsonObject& e) { recipient_header(e, 0)["epk"] = JsonObject(); }},
          {"skid per recipient", [](JsonObject& e) { recipient_header(e, 0)["skid"] = "x"; }},
          {"crit per recipient",
           [](JsonObject& e) { recipient_header(e, 0)["crit"] = JsonArray(); }},
          {"key removed", [](JsonObject& e) { recipient(e, 0).erase("encrypted_key"); }},
          {"key null", [](JsonObject& e) { recipient(e, 0)["encrypted_key"] = nullptr; }},
          {"key empty", [](JsonObject& e) { recipient(e, 0)["encrypted_key"] = ""; }},
          {"key short", key_bytes(40)},
      },
      Errc::malformed);
  expect_all_refused(
      {{"key padded", [](JsonObject& e) { append_to(recipient(e, 0)["encrypted_key"], '='); }},
       {"key long", key_bytes(80)},
       {"seventeen recipients",
        [](JsonObject& e) {
          JsonArray& list = e["recipients"].as_array();
          while (list.size() <= limits::kRecipientsMax) list.push_back(Json(list[0]));
        }},
       {"kid beyond the limit",
        [](JsonObject& e) {
          recipient_header(e, 0)["kid"] = std::string(limits::kDidCharsMax + 1, 'k');
        }}},
      Errc::limit_exceeded);
}

TEST_F(JweMutations, WellFormedForgeries) {
  JsonObject other = test::object_of(authcrypt(R"({"id":"2"})"));
  const std::vector<Mutation> mutations = {
      {"ciphertext flipped", [](JsonObject& e) { flip_first(e["ciphertext"]); }},
      {"tag flipped", [](JsonObject& e) { flip_first(e["tag"]); }},
      {"tag zero", bytes_member("tag", 32)},
      {"iv flipped", [](JsonObject& e) { flip_first(e["iv"]); }},
      {"key flipped", [](JsonObject& e) { flip_first(recipient(e, 0)["encrypted_key"]); }},
      {"keys swapped",
       [](JsonObject& e) {
         const Json first = recipient(e, 0)["encrypted_key"];
         recipient(e, 0)["encrypted_key"] = recipient(e, 1)["encrypted_key"];
         recipient(e, 1)["encrypted_key"] = first;
       }},
      {"kids swapped",
       [](JsonObject& e) {
         const Json first = recipient_header(e, 0)["kid"];
         recipient_header(e, 0)["kid"] = recipient_header(e, 1)["kid"];
         recipient_header(e, 1)["kid"] = first;
       }},
      {"a block more", bytes_member("ciphertext", 32)},
      {"another message's header", [&](JsonObject& e) { e["protected"] = other["protected"]; }},
      {"another message's keys", [&](JsonObject& e) { e["recipients"] = other["recipients"]; }},
      {"another message's ciphertext",
       [&](JsonObject& e) { e["ciphertext"] = other["ciphertext"]; }},
      {"another message's tag", [&](JsonObject& e) { e["tag"] = other["tag"]; }},
      {"another message's content",
       [&](JsonObject& e) {
         for (const char* member : {"iv", "ciphertext", "tag"}) e[member] = other[member];
       }},
      {"skid and apu of someone else", in_header([&](JsonObject& h) {
         h["skid"] = eve_.kid;
         h["apu"] = test::encoded(eve_.kid);
       })},
      {"skid left out", in_header([](JsonObject& h) { h.erase("skid"); })},
      {"typ left out", in_header([](JsonObject& h) { h.erase("typ"); })},
      {"typ in its short form", header_member("typ", "didcomm-encrypted+json")},
      {"a new header member", header_member("x", 1)},
      {"epk of someone else", in_header([&](JsonObject& h) { h["epk"] = jwk(eve_.public_key); })},
      {"header respelled",
       [](JsonObject& e) { e["protected"] = test::encoded(" " + test::decoded(e["protected"])); }},
  };
  for (const Mutation& mutation : mutations) {
    expect_refused_by_decryption(mutation.name, edited(valid_, mutation.change));
  }
}

TEST_F(JweMutations, DamagedText) {
  const std::vector<std::pair<const char*, std::string>> texts = {
      {"empty", ""},
      {"cut", valid_.substr(0, valid_.size() - 1)},
      {"more behind", valid_ + "{}"},
      {"in an array", "[" + valid_ + "]"},
      {"tag twice", "{\"tag\":\"AAAA\"," + valid_.substr(1)},
      {"recipients twice", valid_.substr(0, valid_.size() - 1) + ",\"recipients\":[]}"},
      {"byte order mark", "\xEF\xBB\xBF" + valid_},
      {"invalid UTF-8", "{\"\xFF\":1," + valid_.substr(1)},
      {"header member twice", edited(valid_,
                                     [](JsonObject& e) {
                                       const std::string header = test::decoded(e["protected"]);
                                       e["protected"] =
                                           test::encoded(R"({"alg":"none",)" + header.substr(1));
                                     })},
  };
  for (const auto& [name, text] : texts) {
    expect_refused_by_structure(name, text, Errc::malformed);
  }
  const std::string long_header = edited(valid_, header_member("x", std::string(20000, 'x')));
  expect_refused_by_structure("a long header", long_header, Errc::limit_exceeded);
}

TEST_F(JweMutations, EveryBitOfKeyIvTagAndCiphertextCounts) {
  const auto parsed = parse_jwe(valid_).value();
  const auto refused = [&](const ParsedJwe& jwe) {
    return !decrypt(jwe, bob_.kid, bob_.sealed, &alice_.public_key, keys_).has_value();
  };
  ASSERT_FALSE(refused(parsed));
  const auto flip_all = [&](auto member) {
    ParsedJwe jwe = parsed;
    Bytes& bytes = member(jwe);
    for (std::size_t bit = 0; bit < bytes.size() * 8; bit += 3) {
      const auto mask = static_cast<std::uint8_t>(1U << (bit % 8));
      bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ mask);
      EXPECT_TRUE(refused(jwe)) << "bit " << bit;
      bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ mask);
    }
  };
  flip_all([](ParsedJwe& jwe) -> Bytes& { return jwe.iv; });
  flip_all([](ParsedJwe& jwe) -> Bytes& { return jwe.tag; });
  flip_all([](ParsedJwe& jwe) -> Bytes& { return jwe.ciphertext; });
  flip_all([](ParsedJwe& jwe) -> Bytes& { return jwe.apu; });
  flip_all([](ParsedJwe& jwe) -> Bytes& { return jwe.apv; });
  flip_all([](ParsedJwe& jwe) -> Bytes& { return jwe.recipients[0].encrypted_key; });
}

}  // namespace
}  // namespace kith::crypto
