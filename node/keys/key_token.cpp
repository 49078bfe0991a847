#include "node/keys/key_token.hpp"

#include <algorithm>

#include "crypto/ec_nist.hpp"
#include "crypto/hash.hpp"
#include "node/keys/pkcs11.hpp"

namespace kith::node {
namespace {

constexpr std::size_t kNewIdBytes = 16;
constexpr std::size_t kTokenSecretBytes = 32;

/// Modules first, so that the session closes before they go.
Result<SecretBytes> agree_on_token(const FoundToken& token, const TokenLink& link,
                                   const SecretBytes* pin) {
  TRY(TokenSession session, TokenSession::open(token, TokenSession::Access::reading, pin));
  TRY(const SecretBytes shared, session.agree(link.key_id, link.point));
  return crypto::hkdf_sha256(shared.expose(), {}, crypto::as_bytes("kith/keystore/v1/token"),
                             kTokenSecretBytes);
}

Result<TokenLink> new_link(const FoundToken& token, Bytes key_id, Random& random) {
  TokenLink link;
  std::copy_n(token.info.label, link.label.size(), link.label.begin());
  std::copy_n(token.info.serialNumber, link.serial.size(), link.serial.begin());
  link.key_id = std::move(key_id);
  const auto forgotten = crypto::nist_generate(crypto::KeyType::p256, random);
  TRY(link.point, crypto::nist_uncompress(crypto::KeyType::p256, forgotten.public_key.bytes));
  return link;
}

}  // namespace

Result<HeldToken> bind_token(const std::string& uri, const SecretBytes* pin, Random& random) {
  TRY(const TokenWish wish, TokenWish::from_uri(uri));
  TRY(const TokenModules modules, TokenModules::open());
  TRY(const FoundToken token, modules.find(wish));
  const bool makes_key = wish.key_id().empty();
  TRY(TokenLink link,
      new_link(token, makes_key ? random.bytes(kNewIdBytes) : wish.key_id(), random));
  if (makes_key) {
    TRY(TokenSession session, TokenSession::open(token, TokenSession::Access::writing, pin));
    CHECK(session.make_key(link.key_id));
  }
  TRY(SecretBytes secret, agree_on_token(token, link, pin));
  TRY(const SecretBytes again, agree_on_token(token, link, pin));
  if (!crypto::equal_constant_time(secret.expose(), again.expose())) {
    return fail(Errc::refused, "the key token gives another answer each time");
  }
  return HeldToken{std::move(link), std::move(secret)};
}

Result<SecretBytes> ask_token(const TokenLink& link, const SecretBytes* pin) {
  TRY(const TokenModules modules, TokenModules::open());
  TRY(const FoundToken token, modules.find(TokenWish::from_link(link)));
  return agree_on_token(token, link, pin);
}

}  // namespace kith::node
