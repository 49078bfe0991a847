#pragma once

/// What a verified from_prior means for a contact (DIDComm v2.1, "DID Rotation", "Ending a
/// Relationship").
///
/// A contact is followed to its new DID, or ended when there is none; from then on the old DID's
/// messages come from nobody. A contact with a did:kith is left alone: there the log decides, with
/// keys that lie in a vault, and from_prior needs a device's key only.

#include "protocol/contact.hpp"
#include "protocol/from_prior.hpp"

namespace kith::protocol {

/// `own` is the DID of ours that the message was encrypted to. Does nothing without a connected
/// contact behind the prior DID: so an old token that comes again does nothing either.
void follow_rotation(Host& host, const Did& own, const Rotation& rotation);

}  // namespace kith::protocol
