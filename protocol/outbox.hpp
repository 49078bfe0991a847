#pragma once

/// Queue transport (DIDComm v2.1, "Service Endpoint": `didcomm:transport/queue`): messages for a
/// contact that has no address wait with their sender, until the contact connects and asks for them
/// by pickup (mail_pickup.hpp), as at a mediator. Each contact has a mailbox of its own, under the
/// quotas and the life of mediation_policy.hpp.
///
/// For contacts only: nobody else can show later who it was that the mail is for.

#include <string>
#include <string_view>

#include "protocol/contact.hpp"
#include "protocol/did_document.hpp"
#include "protocol/module.hpp"

namespace kith::protocol {

inline constexpr std::string_view kQueueTransport = "didcomm:transport/queue";

/// Whether the document's owner asks for its mail: no endpoint at all, or it says so.
[[nodiscard]] bool asks_for_mail(const DidDocument& document);

/// Puts the envelope into the contact's mailbox, and delivers it at once if the contact waits on a
/// lasting connection. Errors: unknown_peer (no contact), unreachable (its document names ways that
/// cannot be used now), storage_full.
[[nodiscard]] Result<void> queue_for(Host& host, const Did& own, const Did& contact,
                                     std::string_view packed);

/// Pickup from an agent that is no mediator; a mediator's own module does the same.
class Outbox final : public Module {
 public:
  std::string_view name() const override { return "outbox"; }
  std::vector<std::string> message_types() const override;
  bool only_reads(std::string_view what) const override;
  Result<void> on_message(Host& host, const Inbound& inbound) override;
  void on_timer(Host& host, std::string_view timer) override;
  void on_effect(Host& host, const Effect& effect, const Result<Bytes>& outcome) override;
  void on_start(Host& host) override;
};

}  // namespace kith::protocol
