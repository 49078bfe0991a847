#pragma once

/// The end of `kith init` at a terminal: recovery set up at once, for who wants it. Every Enter is
/// a safe answer; whatever is left out can be done later by the commands that are named.

#include "node/cli/output.hpp"
#include "node/cli/session.hpp"

namespace kith::node {

/// Asks; invites; waits, if wished, until the people are there; asks them to be trustees. A
/// mediator is connected. `wait_s`: how long to wait for people. An error leaves a wallet that
/// works.
[[nodiscard]] std::optional<ErrorReport> offer_recovery(Session& session, const Output& output,
                                                        std::int64_t wait_s);

}  // namespace kith::node
