#include "protocol/sender.hpp"

namespace kith::protocol {

Result<Contact> sender_of(Host& host, const Inbound& inbound) {
  if (!inbound.info.authenticated || !inbound.info.sender || !inbound.info.own_did) {
    return fail(Errc::not_authentic, "this must come from a contact");
  }
  return contact_of(host, *inbound.info.own_did, *inbound.info.sender);
}

Result<Message> message_to(Host& host, const Contact& contact, std::string_view type) {
  TRY(Did mine, Did::parse(contact.my_did));
  TRY(Did theirs, Did::parse(contact.their_did));
  Message message = new_message(type, host.random(), epoch_seconds(host.now()));
  message.from = std::move(mine);
  message.to = {std::move(theirs)};
  return message;
}

}  // namespace kith::protocol
