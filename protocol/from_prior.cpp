#include "protocol/from_prior.hpp"

#include "crypto/json.hpp"
#include "crypto/jws.hpp"
#include "crypto/limits.hpp"

namespace kith::protocol {

namespace {

struct Claims {
  Did issuer;
  std::optional<Did> subject;
  std::int64_t issued_at = 0;
  std::optional<std::int64_t> expires;
  std::optional<std::int64_t> not_before;
};

Result<Claims> read_claims(ByteView payload) {
  TRY(const Json value, crypto::parse_json(crypto::as_text(payload)));
  TRY(const JsonObject* object, crypto::as_object(value, "from_prior"));
  TRY(const std::string issuer_text, crypto::json_string(*object, "iss"));
  TRY(Did issuer, Did::parse(issuer_text));
  Claims claims{std::move(issuer), std::nullopt, 0, std::nullopt, std::nullopt};
  TRY(const auto subject_text, crypto::json_optional_string(*object, "sub"));
  if (subject_text) {
    TRY(claims.subject, Did::parse(*subject_text));
  }
  TRY(claims.issued_at, crypto::json_int(*object, "iat"));
  TRY(claims.expires, crypto::json_optional_int(*object, "exp"));
  TRY(claims.not_before, crypto::json_optional_int(*object, "nbf"));
  return claims;
}

Result<void> check_times(const Claims& claims, std::int64_t now_seconds) {
  const std::int64_t skew = limits::kClockSkew.count();
  if (claims.issued_at < 0 || claims.issued_at > now_seconds + skew ||
      claims.not_before.value_or(claims.issued_at) > now_seconds + skew) {
    return fail(Errc::not_authentic, "from_prior was made in the future");
  }
  if (claims.expires && *claims.expires < now_seconds - skew) {
    return fail(Errc::expired, "from_prior has expired");
  }
  return {};
}

}  // namespace

Result<std::string> make_from_prior(const SigningKey& signer, const std::optional<Did>& next,
                                    std::int64_t now_seconds, KeyOps& keys) {
  TRY(const DidUrl kid, DidUrl::parse_kid(signer.kid));
  JsonObject claims;
  claims["iss"] = kid.did().text();
  if (next) claims["sub"] = next->text();
  claims["iat"] = now_seconds;
  return crypto::sign_jwt(keys, {signer.key, signer.type, signer.kid}, crypto::json_text(claims));
}

Result<Rotation> verify_from_prior(std::string_view jwt, const std::optional<Did>& message_from,
                                   std::int64_t now_seconds, Resolver& resolver) {
  TRY(const crypto::ParsedJws parsed, crypto::parse_jwt(jwt));
  TRY(const DidUrl kid, DidUrl::parse_kid(parsed.kid));
  TRY(Claims claims, read_claims(parsed.payload));
  if (kid.did() != claims.issuer) {
    return fail(Errc::not_authentic, "from_prior is signed with a key of another DID");
  }
  if (claims.subject != message_from) {
    return fail(Errc::not_authentic, "from_prior does not name the sender as the new DID");
  }
  if (claims.subject && *claims.subject == claims.issuer) {
    return fail(Errc::not_authentic, "from_prior names the same DID twice");
  }
  CHECK(check_times(claims, now_seconds));
  TRY(const DidDocument document, resolver.resolve(claims.issuer));
  TRY(const PublicKey key, document.authentication_key(kid.text()));
  CHECK(crypto::verify_jws(parsed, key));
  return Rotation{std::move(claims.issuer), std::move(claims.subject), claims.issued_at,
                  kid.text()};
}

}  // namespace kith::protocol
