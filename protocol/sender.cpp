#include "protocol/sender.hpp"

namespace kith::protocol {

Result<Contact> sender_of(Host& host, const Inbound& inbound) {
  if (!inbound.info.authenticated || !inbound.info.sender || !inbound.info.own_did) {
    return fail(Errc::not_authentic, "this must come from a contact");
  }
  return contact_of(host, *inbound.info.own_did, *inbound.info.sender);
}

}  // namespace kith::protocol
