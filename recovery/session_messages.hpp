#pragma once

/// Messages of a recovery session at the trustee. Internal to the module "trustee-sessions"
/// (trustee_session.hpp).

#include <string>
#include <vector>

#include "protocol/module.hpp"
#include "recovery/ids.hpp"

namespace kith::recovery {

/// Types that a recovering device sends.
[[nodiscard]] std::vector<std::string> device_message_types();
/// Errors: not_authentic, not_found (another device's session), wrong_state, malformed,
/// limit_exceeded, too_many_tries, expired, refused.
[[nodiscard]] Result<void> on_device_message(Host& host, const Inbound& inbound);

/// An agent of the owner objects. Errors: not_found, refused, bad_signature, malformed.
[[nodiscard]] Result<void> on_veto(Host& host, const Inbound& inbound);

/// Errors: malformed.
[[nodiscard]] Result<SessionId> session_id_of(ByteView bytes);

}  // namespace kith::recovery
