#include <algorithm>

#include "crypto/jwe.hpp"
#include "crypto/jws.hpp"
#include "crypto/limits.hpp"
#include "protocol/envelope.hpp"
#include "protocol/forward.hpp"
#include "protocol/pickup_dialect.hpp"

namespace kith::protocol {

namespace {

enum class Layer : std::uint8_t { plain, sign, anon, auth };

/// What stands in one text, by the members that only that form has.
Layer outer_form(ValueView object) {
  // Which of the two encryptions it is, only its protected header says: see open_encrypted.
  if (object.contains("ciphertext")) return Layer::anon;
  if (object.contains("payload")) return Layer::sign;
  return Layer::plain;
}

Error forbidden_nesting() {
  return fail(Errc::not_authentic, "the envelopes are nested in a way that is not allowed");
}

/// Opens layer by layer. Every check that needs public data only comes before the key is touched.
class Unpacker {
 public:
  explicit Unpacker(const UnpackContext& context) : context_(context) {}

  Result<Unpacked> run(std::string_view text);

 private:
  Result<Unpacked> finish(ValueView object);
  Result<void> open_encrypted(ValueView object);
  Result<void> open_signed();
  Result<void> check_encryption_nesting(crypto::KeyAgreement agreement) const;
  struct OwnKey {
    std::string kid;
    SealedKey key;
  };
  Result<OwnKey> find_own_key(const crypto::ParsedJwe& jwe);
  Result<void> admit(const std::optional<Did>& claimed) const;
  Result<PublicKey> sender_key(const std::string& skid);
  Result<void> check_signer(const DidUrl& kid, const Message& message) const;
  Result<void> check_party(const Message& message);
  Result<void> check_recipient(const Message& message);
  Result<void> expire(std::string_view why);
  Result<void> check_times(const Message& message);
  Result<void> check_rotation(const Message& message);
  void warn(EnvelopeWarning warning) { info_.warnings.push_back(warning); }
  [[nodiscard]] bool opened(Layer layer) const {
    return std::ranges::find(layers_, layer) != layers_.end();
  }

  const UnpackContext& context_;
  std::string_view current_;  ///< The text that is to be opened next: what came, or `opened_`.
  std::string opened_;
  std::string signed_text_;
  std::vector<Layer> layers_;  ///< Opened ones, the outermost first.
  EnvelopeInfo info_;
};

Result<FlatValue> read_any(std::string_view text) {
  crypto::JsonLimits json_limits;
  json_limits.bytes_max = limits::kEnvelopeBytesMax;
  return crypto::read_json(text, json_limits);
}

/// Whether a message is the cover of other envelopes: a forward, or mail from a mailbox.
bool carries_envelopes(const Message& message) {
  const PickupDialect* dialect = pickup_dialect_of(message.type);
  return is_forward(message) || (dialect != nullptr && message.type == dialect->type(kDelivery));
}

/// A plaintext may be as large as an envelope only when it carries one.
Result<Message> read_plaintext(ValueView object, std::size_t bytes) {
  TRY(Message message, read_message(object));
  if (bytes > limits::kJsonBytesMax && !carries_envelopes(message)) {
    return fail(Errc::limit_exceeded, "the message is too large");
  }
  return message;
}

/// The errors of a resolver, with the DID in the detail where it must be fetched.
Result<DidDocument> resolved(Resolver& resolver, const Did& did) {
  auto document = resolver.resolve(did);
  if (document.has_error() && document.error() == Errc::unknown_peer) {
    return fail(Errc::unknown_peer, did.text());
  }
  if (document.has_value() && document->id != did) {
    return fail(Errc::not_authentic, "the DID document belongs to another DID");
  }
  return document;
}

class DetailedResolver final : public Resolver {
 public:
  explicit DetailedResolver(Resolver& inner) : inner_(inner) {}
  Result<DidDocument> resolve(const Did& did) override { return resolved(inner_, did); }

 private:
  Resolver& inner_;
};

Result<void> Unpacker::check_encryption_nesting(crypto::KeyAgreement agreement) const {
  if (layers_.empty()) return {};
  const bool auth_inside_anon = agreement == crypto::KeyAgreement::ecdh_1pu &&
                                layers_.size() == 1 && layers_.front() == Layer::anon;
  if (!auth_inside_anon) return forbidden_nesting();
  return {};
}

/// The tag authenticates header, iv and content under the content's key; that key was wrapped under
/// one which follows from the ephemeral key in the header. So whoever can make an envelope with the
/// same parts knows the content's key: its author, and we.
crypto::Digest256 fingerprint_of(const crypto::ParsedJwe& jwe) {
  return crypto::digest("kith/envelope/v1",
                        {crypto::as_bytes(jwe.protected_text), jwe.iv, jwe.tag});
}

/// All keys belong to one DID, the same for every layer; one of them is ours.
Result<Unpacker::OwnKey> Unpacker::find_own_key(const crypto::ParsedJwe& jwe) {
  std::optional<Did> recipient;
  for (const crypto::JweRecipient& entry : jwe.recipients) {
    TRY(const DidUrl url, DidUrl::parse_kid(entry.kid));
    if (recipient && *recipient != url.did()) {
      return fail(Errc::not_authentic, "the envelope is addressed to keys of several DIDs");
    }
    recipient = url.did();
  }
  if (info_.own_did && info_.own_did != recipient) {
    return fail(Errc::not_authentic, "the envelopes are addressed to different DIDs");
  }
  for (const crypto::JweRecipient& entry : jwe.recipients) {
    auto key = context_.secrets.find(entry.kid);
    if (!key) continue;
    info_.own_did = recipient;
    info_.recipient_kid = entry.kid;
    return OwnKey{entry.kid, std::move(*key)};
  }
  return fail(Errc::cannot_decrypt, "the message is for none of our keys");
}

/// The outermost envelope decides; what is inside follows from keys that were used already.
Result<void> Unpacker::admit(const std::optional<Did>& claimed) const {
  if (!context_.admit || !layers_.empty()) return {};
  return context_.admit(info_.own_did, claimed);
}

Result<PublicKey> Unpacker::sender_key(const std::string& skid) {
  TRY(const DidUrl url, DidUrl::parse_kid(skid));
  TRY(const DidDocument document, resolved(context_.resolver, url.did()));
  TRY(PublicKey key, document.agreement_key(skid));
  info_.sender = url.did();
  info_.sender_kid = skid;
  return key;
}

Result<void> Unpacker::open_encrypted(ValueView object) {
  TRY(const crypto::ParsedJwe jwe, crypto::read_jwe(object));
  CHECK(check_encryption_nesting(jwe.agreement));
  TRY(const OwnKey own, find_own_key(jwe));
  std::optional<PublicKey> sender;
  if (jwe.agreement == crypto::KeyAgreement::ecdh_1pu) {
    if (!jwe.skid) return fail(Errc::malformed, "an authenticated envelope without sender key");
    TRY(const DidUrl skid, DidUrl::parse_kid(*jwe.skid));
    CHECK(admit(skid.did()));
    TRY(sender, sender_key(*jwe.skid));
  } else {
    CHECK(admit(std::nullopt));
  }
  TRY(const Bytes plaintext,
      crypto::decrypt(jwe, own.kid, own.key, sender ? &*sender : nullptr, context_.keys));
  if (layers_.empty() && !sender) info_.fingerprint = fingerprint_of(jwe);
  layers_.push_back(sender ? Layer::auth : Layer::anon);
  using Kind = OpenedEnvelope::Kind;
  OpenedEnvelope envelope{sender ? Kind::authcrypt : Kind::anoncrypt,
                          std::string(alg_name(jwe.agreement)),
                          std::string(enc_name(jwe.enc)),
                          {},
                          jwe.ephemeral.type};
  for (const crypto::JweRecipient& entry : jwe.recipients) envelope.kids.push_back(entry.kid);
  info_.envelopes.push_back(std::move(envelope));
  opened_ = crypto::as_text(plaintext);
  current_ = opened_;
  return {};
}

/// Who signed, and for whom: everything that can be known before the signature is computed.
Result<void> Unpacker::check_signer(const DidUrl& kid, const Message& message) const {
  if (message.from != kid.did()) {
    return fail(Errc::not_authentic, "the signer is not the DID in `from`");
  }
  if (info_.sender && *info_.sender != kid.did()) {
    return fail(Errc::not_authentic, "one DID encrypted the message and another one signed it");
  }
  // Against surreptitious forwarding: a signed message must say for whom it was encrypted.
  if (info_.own_did && !message.is_to(*info_.own_did)) {
    return fail(Errc::not_authentic, "the signed message does not name us as its recipient");
  }
  return {};
}

Result<void> Unpacker::open_signed() {
  if (opened(Layer::sign)) return forbidden_nesting();
  TRY(const crypto::ParsedJws jws, crypto::parse_jws(current_));
  const std::string payload(crypto::as_text(jws.payload));
  TRY(const FlatValue value, read_any(payload));
  TRY(const ValueView object, crypto::as_object(value.root(), "a signed message"));
  if (outer_form(object) != Layer::plain) return forbidden_nesting();
  TRY(const Message message, read_plaintext(object, payload.size()));
  TRY(const DidUrl kid, DidUrl::parse_kid(jws.kid));
  CHECK(check_signer(kid, message));
  CHECK(admit(kid.did()));

  TRY(const DidDocument document, resolved(context_.resolver, kid.did()));
  TRY(const PublicKey key, document.authentication_key(kid.text()));
  CHECK(crypto::verify_jws(jws, key));
  if (opened(Layer::auth)) {
    warn(layers_.size() == 1 ? EnvelopeWarning::auth_over_signed
                             : EnvelopeWarning::spec_forbidden_nesting);
  }
  layers_.push_back(Layer::sign);
  info_.envelopes.push_back(
      {OpenedEnvelope::Kind::signed_, jws.alg, {}, {kid.text()}, jws.key_type});
  info_.signed_by = kid.text();
  info_.sender = kid.did();
  signed_text_ = current_;
  opened_ = payload;
  current_ = opened_;
  return {};
}

Result<void> Unpacker::check_party(const Message& message) {
  info_.authenticated = info_.sender.has_value();
  if (!info_.authenticated) {
    if (message.from) warn(EnvelopeWarning::unauthenticated_sender);
    return {};
  }
  if (message.from != info_.sender) {
    return fail(Errc::not_authentic, "the sender of the envelope is not the DID in `from`");
  }
  return {};
}

Result<void> Unpacker::check_recipient(const Message& message) {
  if (!info_.own_did || message.to.empty() || message.is_to(*info_.own_did)) return {};
  if (info_.authenticated) {
    return fail(Errc::not_authentic, "the message was written to somebody else");
  }
  warn(EnvelopeWarning::not_addressed_to_us);
  return {};
}

Result<void> Unpacker::expire(std::string_view why) {
  if (!context_.policy.expired_allowed) return fail(Errc::expired, std::string(why));
  if (!info_.has(EnvelopeWarning::expired)) warn(EnvelopeWarning::expired);
  return {};
}

Result<void> Unpacker::check_times(const Message& message) {
  const std::int64_t skew = limits::kClockSkew.count();
  const std::int64_t life = std::chrono::seconds(limits::kMessageLifeMax).count();
  const std::int64_t now = context_.now_seconds;
  if (!message.created_time && !message.expires_time) {
    if (context_.policy.times_required) {
      return fail(Errc::refused, "the message says neither when it was made nor when it expires");
    }
    warn(EnvelopeWarning::no_times);
    return {};
  }
  if (message.expires_time && *message.expires_time < now - skew) {
    CHECK(expire("the message has expired"));
  }
  if (message.expires_time && message.created_time &&
      *message.expires_time < *message.created_time) {
    return fail(Errc::malformed, "the message expired before it was made");
  }
  if (message.created_time) {
    if (*message.created_time > now + skew) {
      return fail(Errc::malformed, "the message was made in the future: compare the clocks");
    }
    if (*message.created_time < now - life) CHECK(expire("the message is too old"));
  }
  if (message.expires_time && *message.expires_time > now + life + skew) {
    return fail(Errc::limit_exceeded, "the message is to stay valid for too long");
  }
  return {};
}

Result<void> Unpacker::check_rotation(const Message& message) {
  if (!message.from_prior) return {};
  if (!info_.encrypted) {
    return fail(Errc::not_authentic, "from_prior in a message that is not encrypted");
  }
  DetailedResolver resolver(context_.resolver);
  TRY(info_.rotation,
      verify_from_prior(*message.from_prior, message.from, context_.now_seconds, resolver));
  return {};
}

Result<Unpacked> Unpacker::run(std::string_view text) {
  if (text.size() > limits::kEnvelopeBytesMax) {
    return fail(Errc::limit_exceeded, "the envelope is too large");
  }
  current_ = text;
  for (std::size_t layer = 0; layer <= limits::kEnvelopeLayersMax; ++layer) {
    TRY(const FlatValue value, read_any(current_));
    TRY(const ValueView object, crypto::as_object(value.root(), "a message"));
    const Layer form = outer_form(object);
    if (form == Layer::plain) return finish(object);
    CHECK(form == Layer::sign ? open_signed() : open_encrypted(object));
  }
  return fail(Errc::limit_exceeded, "more envelopes round one message than are allowed");
}

Result<Unpacked> Unpacker::finish(ValueView object) {
  if (layers_.empty() && !context_.policy.plain_allowed) {
    return fail(Errc::refused, "an unprotected message");
  }
  TRY(Message message, read_plaintext(object, current_.size()));
  info_.layers = layers_.size();
  info_.encrypted = opened(Layer::anon) || opened(Layer::auth);
  info_.anonymous_outside = !layers_.empty() && layers_.front() == Layer::anon;
  CHECK(check_party(message));
  CHECK(check_recipient(message));
  CHECK(check_times(message));
  CHECK(check_rotation(message));
  std::string plaintext = layers_.empty() ? std::string(current_) : std::move(opened_);
  return Unpacked{std::move(message), std::move(info_), std::move(plaintext),
                  std::move(signed_text_)};
}

}  // namespace

bool EnvelopeInfo::has(EnvelopeWarning warning) const {
  return std::ranges::find(warnings, warning) != warnings.end();
}

Result<Unpacked> unpack(std::string_view text, const UnpackContext& context) {
  return Unpacker(context).run(text);
}

}  // namespace kith::protocol
