#pragma once

/// What a verified from_prior means for a contact (DIDComm v2.1, "DID Rotation", "Ending a
/// Relationship"), and how we say so ourselves.
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

/// The from_prior that moves a relationship from `prior`, a DID of ours that says its own keys, to
/// `next`, or ends it. Errors: not_found (its signing keys are gone), unsupported, malformed.
[[nodiscard]] Result<std::string> rotation_token(Host& host, const Did& prior,
                                                 const std::optional<Did>& next);

/// Tells the peer of a contact without logs, once, that it is over: an empty message from nobody
/// with a from_prior that names no next DID. Errors: those of rotation_token; unknown_peer,
/// unreachable.
[[nodiscard]] Result<void> announce_end(Host& host, const Contact& contact);

}  // namespace kith::protocol
