#pragma once

/// Signed times for a trustee's waiting periods (recovery-protocol section 8): from the place that
/// keeps this agent's backups, and from this agent's own trustees. They are asked when a period
/// starts, and when this machine seems to have been off since. Its own clock only decides when to
/// ask; what counts is in waiting.hpp.

#include "protocol/module.hpp"

namespace kith::recovery {

/// Asks the own backup location and, if there is a recovery set, its trustees. Failures to send are
/// left to the next look.
void ask_for_times(Host& host);
/// The same, if the machine seems to have been off since the last time, or if nobody answered.
void ask_for_times_if_due(Host& host);

/// A list-reply of the own backup location. Errors: not_authentic, malformed, bad_signature.
[[nodiscard]] Result<void> on_time_reply(Host& host, const Inbound& inbound);

/// A time that the sender of `inbound`, a contact, signed together with our `nonce`, which was made
/// when this agent had run for `asked`. Errors: unknown_peer, bad_signature.
[[nodiscard]] Result<void> take_signed_time(Host& host, const Inbound& inbound, ByteView nonce,
                                            Duration asked, std::int64_t time_ms,
                                            ByteView signature);

}  // namespace kith::recovery
