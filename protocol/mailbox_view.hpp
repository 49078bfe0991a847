#pragma once

/// What waits at our mediator, for people: asks for the status of pickup and shows it.
///
/// Commands:
///   mailbox-ask {} -> {}     asks anew. Errors: wrong_state (no mediator).
///   mailbox {} -> {mediator, answered, messages?, bytes?, oldest?, waited_s?, delivery?, asked}
///     `answered`: the mediator has answered since we asked. `delivery`: "live" or "polling".

#include "protocol/module.hpp"
#include "protocol/pickup_dialect.hpp"

namespace kith::protocol {

class MailboxView final : public Module {
 public:
  std::string_view name() const override { return "mailbox"; }
  std::vector<std::string> commands() const override { return {"mailbox-ask", "mailbox"}; }
  bool only_reads(std::string_view what) const override { return what == "mailbox"; }
  Result<JsonObject> on_command(Host& host, const Command& command) override;
};

/// A status came from our mediator (pickup).
void note_mailbox(Host& host, const JsonObject& status_body, const PickupDialect& dialect);

}  // namespace kith::protocol
