#include "protocol/relationship.hpp"

#include "protocol/acks.hpp"
#include "protocol/envelope.hpp"
#include "protocol/mediation.hpp"
#include "protocol/messenger.hpp"

namespace kith::protocol {

void follow_rotation(Host& host, const Did& own, const Rotation& rotation) {
  auto contact = contact_of(host, own, rotation.prior);
  if (!contact.has_value() || contact->state != ContactState::connected) return;
  if (rotation.prior.method() == "kith") {
    host.audit("rotation.ignored", {{"contact", contact->id}});
    return;
  }
  if (rotation.next) {
    contact->their_did = rotation.next->text();
    host.audit("contact.rotated", {{"contact", contact->id}});
  } else {
    contact->state = ContactState::ended;
    drop_waiting(host, *contact);
    host.notify({"connection-ended", contact->name + " has ended the connection", contact->id, {}});
    host.audit("connection.ended", {{"contact", contact->id}});
  }
  save_contact(host, *contact);
}

Result<std::string> rotation_token(Host& host, const Did& prior, const std::optional<Did>& next) {
  TRY(const DidDocument document, resolve_self_contained(prior));
  OwnSecrets secrets(host);
  for (const NamedKey& key : document.authentication_keys()) {
    auto sealed = secrets.find(key.kid);
    if (!sealed) continue;
    return make_from_prior({key.kid, key.key.type, std::move(*sealed)}, next,
                           epoch_seconds(host.now()), host.keys());
  }
  return fail(Errc::not_found, "the keys of that DID are gone");
}

Result<void> announce_end(Host& host, const Contact& contact) {
  TRY(const Did mine, Did::parse(contact.my_did));
  TRY(const Did theirs, Did::parse(contact.their_did));
  Message message = new_message(kEmptyType, host.random(), epoch_seconds(host.now()));
  message.to = {theirs};
  TRY(message.from_prior, rotation_token(host, mine, std::nullopt));
  const SendOptions options;
  message.expires_time = epoch_seconds(host.now() + options.life);
  KnownDids known(host);
  TRY(const DidDocument document, known.resolve(theirs));
  TRY(const std::string packed,
      pack_anoncrypt(message, document.agreement_keys(), {}, host.keys(), host.random()));
  return send_packed(host, packed, theirs, *message.expires_time, options);
}

}  // namespace kith::protocol
