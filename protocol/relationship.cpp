#include "protocol/relationship.hpp"

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
    host.notify({"connection-ended", contact->name + " has ended the connection", contact->id, {}});
    host.audit("connection.ended", {{"contact", contact->id}});
  }
  save_contact(host, *contact);
}

}  // namespace kith::protocol
