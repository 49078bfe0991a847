#include "node/cli/envelope_tool.hpp"

#include "crypto/limits.hpp"
#include "protocol/key_choice.hpp"
#include "protocol/padding.hpp"

namespace kith::node {
namespace {

using protocol::EnvelopeWarning;
using protocol::OpenedEnvelope;

constexpr std::size_t kSecretsMax = 1024;

Result<Json> parse_file(std::string_view text) {
  crypto::JsonLimits json_limits;
  json_limits.bytes_max = limits::kJsonBytesMax;
  return crypto::parse_json(text, json_limits);
}

std::string_view warning_name(EnvelopeWarning warning) {
  switch (warning) {
    case EnvelopeWarning::not_addressed_to_us:
      return "not-addressed-to-us";
    case EnvelopeWarning::unauthenticated_sender:
      return "unauthenticated-sender";
    case EnvelopeWarning::no_times:
      return "no-times";
    case EnvelopeWarning::auth_over_signed:
      return "auth-over-signed";
    case EnvelopeWarning::spec_forbidden_nesting:
      return "forbidden-nesting";
    case EnvelopeWarning::expired:
      return "expired";
  }
  return "";
}

std::string_view kind_name(OpenedEnvelope::Kind kind) {
  switch (kind) {
    case OpenedEnvelope::Kind::signed_:
      return "signed";
    case OpenedEnvelope::Kind::anoncrypt:
      return "anoncrypt";
    case OpenedEnvelope::Kind::authcrypt:
      return "authcrypt";
  }
  return "";
}

JsonArray envelopes_json(const std::vector<OpenedEnvelope>& envelopes) {
  JsonArray list;
  for (const OpenedEnvelope& one : envelopes) {
    JsonObject row{{"kind", kind_name(one.kind)}, {"alg", one.alg}};
    if (!one.enc.empty()) row["enc"] = one.enc;
    row["kids"] = JsonArray(one.kids.begin(), one.kids.end());
    list.push_back(std::move(row));
  }
  return list;
}

JsonObject rotation_json(const protocol::Rotation& rotation) {
  JsonObject object{{"iss", rotation.prior.text()}, {"iat", rotation.issued_at}};
  if (rotation.next) object["sub"] = rotation.next->text();
  object["kid"] = rotation.kid;
  return object;
}

JsonObject metadata_of(const protocol::Unpacked& unpacked, std::int64_t now_seconds) {
  const protocol::EnvelopeInfo& info = unpacked.info;
  JsonObject metadata{{"encrypted", info.encrypted},
                      {"authenticated", info.authenticated},
                      {"non_repudiation", info.non_repudiable()},
                      {"anonymous_sender", info.anonymous_outside}};
  if (info.sender) metadata["sender"] = info.sender->text();
  if (info.sender_kid) metadata["encrypted_from_kid"] = *info.sender_kid;
  if (info.recipient_kid) metadata["encrypted_to_kid"] = *info.recipient_kid;
  if (info.signed_by) metadata["sign_from"] = *info.signed_by;
  if (!unpacked.signed_text.empty()) metadata["signed_message"] = unpacked.signed_text;
  if (info.rotation) metadata["from_prior"] = rotation_json(*info.rotation);
  metadata["envelopes"] = envelopes_json(info.envelopes);
  const auto& expires = unpacked.message.expires_time;
  metadata["expired"] = expires && *expires < now_seconds;
  if (expires) metadata["expires_time"] = *expires;
  JsonArray warnings;
  for (const EnvelopeWarning warning : info.warnings) warnings.emplace_back(warning_name(warning));
  metadata["warnings"] = std::move(warnings);
  return metadata;
}

/// The message of a bare plaintext may come without `typ`; everything else is as on the wire.
Result<Message> read_plain(std::string_view text, const PackRequest& request) {
  TRY(Message message, protocol::parse_message(text));
  if (!request.from.empty() && !message.from) {
    TRY(message.from, Did::parse(request.from));
  }
  if (!request.to.empty() && message.to.empty()) {
    TRY(const Did to, Did::parse(request.to));
    message.to.push_back(to);
  }
  return message;
}

Result<protocol::PackOptions> options_of(const PackRequest& request) {
  protocol::PackOptions options;
  options.protect_sender = request.protect_sender;
  if (request.protect_sender && request.from.empty()) {
    return fail(Errc::usage, "--protect-sender needs --from");
  }
  if (request.enc.empty()) return options;
  TRY(options.cipher, crypto::enc_from_name(request.enc));
  const bool inside = !request.from.empty() && !request.protect_sender && request.sign_by.empty();
  if (inside && options.cipher != crypto::ContentEncryption::a256cbc_hs512) {
    return fail(Errc::usage, "authcrypt takes A256CBC-HS512 only");
  }
  return options;
}

}  // namespace

// --- Documents and keys

Result<void> EnvelopeTool::Documents::add(const JsonObject& document) {
  TRY(const std::string id, crypto::json_string(document, "id"));
  TRY(const Did did, Did::parse(id));
  TRY(DidDocument read, protocol::read_did_document(document, did));
  documents_.insert_or_assign(id, std::move(read));
  return {};
}

Result<DidDocument> EnvelopeTool::Documents::resolve(const Did& did) {
  const auto found = documents_.find(did.text());
  if (found != documents_.end()) return found->second;
  if (protocol::is_self_contained(did)) return protocol::resolve_self_contained(did);
  return fail(Errc::unknown_peer, did.text());
}

std::optional<SealedKey> EnvelopeTool::AgreementKeys::find(std::string_view kid) {
  const auto found = keys_.find(kid);
  return found == keys_.end() ? std::nullopt : found->second.agrees;
}

EnvelopeTool::EnvelopeTool(Random& random) : random_(random), keys_(random.secret(32), random) {}

/// P-256 keys serve both ends; a sealed key has one purpose, so there are two of it.
Result<void> EnvelopeTool::add_secret(const JsonObject& jwk) {
  TRY(const std::string kid, crypto::json_string(jwk, "kid"));
  CHECK(DidUrl::parse_kid(kid));
  TRY(const std::string encoded, crypto::json_string(jwk, "d"));
  JsonObject open = jwk;
  open.erase("d");
  TRY(const PublicKey key, crypto::from_jwk(open));
  OwnKey own;
  own.type = key.type;
  const auto seal = [&](KeyPurpose purpose) -> Result<SealedKey> {
    TRY(Bytes bytes, crypto::from_base64url(encoded));
    return keys_.import_private(key.type, purpose, SecretBytes::take(bytes));
  };
  if (crypto::can_agree(key.type)) {
    TRY(own.agrees, seal(KeyPurpose::agree));
  }
  if (crypto::can_sign(key.type)) {
    TRY(own.signs, seal(KeyPurpose::authenticate));
  }
  if (own_.size() >= kSecretsMax) return fail(Errc::limit_exceeded, "too many private keys");
  if (!own_.emplace(kid, std::move(own)).second) {
    return fail(Errc::malformed, "two private keys have the same kid");
  }
  return {};
}

Result<void> EnvelopeTool::add_secrets(const Json& json) {
  if (json.is_object()) {
    for (const auto& member : json.get_object()) {
      if (!member.value().is_array()) return fail(Errc::malformed, "the private keys are no list");
      CHECK(add_secrets(member.value()));
    }
    return {};
  }
  if (!json.is_array()) return fail(Errc::malformed, "the private keys are no list");
  for (const Json& item : json.get_array()) {
    TRY(const JsonObject* jwk, crypto::as_object(item, "a private key"));
    CHECK(add_secret(*jwk));
  }
  return {};
}

Result<void> EnvelopeTool::add_documents(const Json& json) {
  if (json.is_object()) {
    for (const auto& member : json.get_object()) {
      TRY(const JsonObject* document, crypto::as_object(member.value(), "a DID document"));
      CHECK(documents_.add(*document));
    }
    return {};
  }
  if (!json.is_array()) return fail(Errc::malformed, "the DID documents are no list");
  for (const Json& item : json.get_array()) {
    TRY(const JsonObject* document, crypto::as_object(item, "a DID document"));
    CHECK(documents_.add(*document));
  }
  return {};
}

Result<std::unique_ptr<EnvelopeTool>> EnvelopeTool::make(std::string_view secrets,
                                                         std::string_view documents,
                                                         Random& random) {
  auto tool = std::unique_ptr<EnvelopeTool>(new EnvelopeTool(random));
  TRY(const Json keys, parse_file(secrets));
  CHECK(tool->add_secrets(keys));
  if (!documents.empty()) {
    TRY(const Json list, parse_file(documents));
    CHECK(tool->add_documents(list));
  }
  return tool;
}

/// `name` is a key, or a DID whose first authentication key is here.
Result<SigningKey> EnvelopeTool::signing_key(const std::string& name) {
  TRY(const DidUrl url, DidUrl::parse(name));
  TRY(const DidDocument document, documents_.resolve(url.did()));
  for (const NamedKey& listed : document.authentication_keys()) {
    if (url.has_fragment() && listed.kid != url.text()) continue;
    const auto own = own_.find(listed.kid);
    if (own == own_.end() || !own->second.signs) continue;
    return SigningKey{listed.kid, own->second.type, *own->second.signs};
  }
  return fail(Errc::not_found, "no private key to sign with as " + name);
}

// --- Packing and unpacking

Result<JsonObject> EnvelopeTool::unpack(std::string_view envelope, std::int64_t now_seconds) {
  AgreementKeys secrets(own_);
  protocol::UnpackPolicy policy;
  policy.expired_allowed = true;
  TRY(const protocol::Unpacked unpacked,
      protocol::unpack(envelope, {secrets, documents_, keys_, now_seconds, policy}));
  TRY(Json message, crypto::parse_json(unpacked.plaintext));
  message.as_object().erase(protocol::kPaddingHeader);  // It belongs to the envelope.
  return JsonObject{{"message", std::move(message)},
                    {"metadata", metadata_of(unpacked, now_seconds)}};
}

Result<std::string> EnvelopeTool::pack(std::string_view text, const PackRequest& request) {
  TRY(protocol::PackOptions options, options_of(request));
  TRY(const Message message, read_plain(text, request));
  std::optional<SigningKey> signer;
  if (!request.sign_by.empty()) {
    TRY(signer, signing_key(request.sign_by));
    options.sign = &*signer;
  }
  if (request.to.empty()) {
    if (!request.from.empty()) return fail(Errc::usage, "--from needs --to");
    return signer ? protocol::pack_signed(message, *signer, keys_) : protocol::pack_plain(message);
  }
  TRY(const Did to, Did::parse(request.to));
  TRY(const DidDocument recipient, documents_.resolve(to));
  const std::vector<NamedKey> recipients = recipient.agreement_keys();
  if (request.from.empty()) {
    return protocol::pack_anoncrypt(message, recipients, options, keys_, random_);
  }
  TRY(const Did from, Did::parse(request.from));
  TRY(const DidDocument own, documents_.resolve(from));
  AgreementKeys secrets(own_);
  TRY(const SenderKey sender, protocol::choose_sender(own, secrets, recipients));
  return protocol::pack_authcrypt(message, sender, recipients, options, keys_, random_);
}

}  // namespace kith::node
