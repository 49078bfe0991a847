#pragma once

/// Envelopes whose sender must be looked up first: parked, and opened when its document is there.
///
///   envelope, unknown_peer: did:web:a  -->  park: envelope stored, fetch begun (or joined)
///   document fetched                   -->  kept, and every envelope parked for it arrives again
///   no such document                   -->  the envelopes are dropped; nobody asks again for
///                                           limits::kLookUpPause
///   web server away                    -->  asked again after pauses that double, until
///                                           limits::kParkedLife has passed: then dropped
///
/// The sender heard that its envelope was taken, as with mail; dropping is audited. Strangers can
/// make a node fetch and keep envelopes only as limits.hpp allows. Look-ups that failed once make
/// room for new ones, with what waits for them; in its first try nobody is driven out.
///
/// Only did:web is looked up: the log of a did:kith that nobody has shown us is not public.
/// Records: `look-up` by DID, `parked` by the hash of the envelope (a repeat is parked once).

#include <string>
#include <string_view>

#include "protocol/module.hpp"

namespace kith::protocol {

inline constexpr std::string_view kLookUpModule = "look-up";

/// The id of a parked envelope.
[[nodiscard]] std::string parked_id(ByteView envelope);

/// Parks `envelope`, which needs the document of `how.looked_up` (the detail of unpack's
/// unknown_peer). How it came is kept with it.
/// Errors: unknown_peer (nothing to look up, or tried in vain just now), limit_exceeded and
/// wrong_state (no room: the sender may try later).
[[nodiscard]] Result<void> park(Host& host, ByteView envelope, const Arrival& how);

class LookUps final : public Module {
 public:
  std::string_view name() const override { return kLookUpModule; }
  void on_timer(Host& host, std::string_view timer) override;
  void on_effect(Host& host, const Effect& effect, const Result<Bytes>& outcome) override;
};

}  // namespace kith::protocol
