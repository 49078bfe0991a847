#include <algorithm>

#include "crypto/jwe.hpp"
#include "crypto/jws.hpp"
#include "crypto/limits.hpp"
#include "protocol/envelope.hpp"
#include "protocol/key_choice.hpp"
#include "protocol/padding.hpp"

namespace kith::protocol {

namespace {

Result<std::string> within_envelope_limit(std::string text) {
  if (text.size() > limits::kEnvelopeBytesMax) {
    return fail(Errc::limit_exceeded, "the packed message is larger than any envelope may be");
  }
  return text;
}

Result<std::string> plaintext_of(const Message& message, bool pad) {
  std::string text = message_text(message);
  if (pad) text = padded(std::move(text));
  if (text.size() > limits::kEnvelopeBytesMax) {
    return fail(Errc::limit_exceeded, "the message is larger than any envelope may be");
  }
  return text;
}

Result<void> check_sender(const Message& message, const std::string& kid) {
  TRY(const DidUrl url, DidUrl::parse_kid(kid));
  if (message.from != url.did()) {
    return fail(Errc::malformed,
                "a message must name in `from` the DID that it is signed or "
                "encrypted by");
  }
  return {};
}

/// All keys of one DID, which is the result.
Result<Did> recipient_did(const std::vector<NamedKey>& recipients) {
  if (recipients.empty()) {
    return fail(Errc::unsupported, "the recipient has no key to encrypt to");
  }
  TRY(const DidUrl first, DidUrl::parse_kid(recipients.front().kid));
  for (const NamedKey& recipient : recipients) {
    TRY(const DidUrl url, DidUrl::parse_kid(recipient.kid));
    if (url.did() != first.did()) {
      return fail(Errc::malformed, "one envelope goes to the keys of one DID");
    }
  }
  return first.did();
}

Result<void> check_addressing(const Message& message, const Did& recipient, bool to_required) {
  if (message.to.empty() && !to_required) return {};
  if (!message.is_to(recipient)) {
    return fail(Errc::malformed, "`to` does not name the recipient");
  }
  return {};
}

std::vector<crypto::JweTarget> targets_of(const std::vector<NamedKey>& recipients) {
  std::vector<crypto::JweTarget> targets;
  for (const NamedKey& recipient : recipients) targets.push_back({recipient.kid, recipient.key});
  return targets;
}

Result<std::string> sign_text(const std::string& text, const SigningKey& signer, KeyOps& keys) {
  return crypto::sign_jws(keys, {signer.key, signer.type, signer.kid}, crypto::as_bytes(text));
}

}  // namespace

Result<std::string> pack_plain(const Message& message) {
  return plaintext_of(message, false);
}

Result<std::string> pack_signed(const Message& message, const SigningKey& signer, KeyOps& keys) {
  CHECK(check_sender(message, signer.kid));
  TRY(const std::string text, plaintext_of(message, false));
  TRY(std::string packed, sign_text(text, signer, keys));
  return within_envelope_limit(std::move(packed));
}

Result<std::string> pack_anoncrypt(const Message& message, const std::vector<NamedKey>& recipients,
                                   const PackOptions& options, KeyOps& keys, Random& random) {
  TRY(const Did recipient, recipient_did(recipients));
  TRY(const std::vector<NamedKey> chosen, preferred_keys(recipients));
  CHECK(check_addressing(message, recipient, options.sign != nullptr));
  TRY(std::string text, plaintext_of(message, options.pad));
  if (options.sign != nullptr) {
    CHECK(check_sender(message, options.sign->kid));
    TRY(text, sign_text(text, *options.sign, keys));
  }
  TRY(std::string packed, crypto::encrypt_anonymous(crypto::as_bytes(text), targets_of(chosen),
                                                    keys, random, options.cipher));
  return within_envelope_limit(std::move(packed));
}

Result<std::string> pack_authcrypt(const Message& message, const SenderKey& sender,
                                   const std::vector<NamedKey>& recipients,
                                   const PackOptions& options, KeyOps& keys, Random& random) {
  CHECK(check_sender(message, sender.kid));
  if (options.sign != nullptr) return pack_anoncrypt(message, recipients, options, keys, random);
  TRY(const Did recipient, recipient_did(recipients));
  CHECK(check_addressing(message, recipient, false));
  TRY(const std::string text, plaintext_of(message, options.pad));
  TRY(const std::vector<NamedKey> chosen, keys_on_curve(recipients, sender.type));
  const auto targets = targets_of(chosen);
  TRY(std::string packed,
      crypto::encrypt_authenticated(crypto::as_bytes(text), {sender.key, sender.kid}, targets, keys,
                                    random));
  if (options.protect_sender) {
    TRY(packed,
        crypto::encrypt_anonymous(crypto::as_bytes(packed), targets, keys, random, options.cipher));
  }
  return within_envelope_limit(std::move(packed));
}

}  // namespace kith::protocol
