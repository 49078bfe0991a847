#pragma once

/// The mediator role: relays mail for people who are offline. Routing 2.0 (`forward`),
/// coordinate-mediation 2.0 and 3.0 (mediation.hpp), and pickup in two versions (mail_pickup.hpp),
/// all server side. A message leaves a mailbox when the client says it was received, or after
/// limits::kMailLife.
///
/// Commands: `mediator-invitation` -> {invitation, url}: the reusable invitation.
///   Errors: wrong_state, refused (only invited people are served).

#include <memory>
#include <optional>
#include <string>

#include "protocol/contact.hpp"
#include "protocol/did_document.hpp"
#include "protocol/invitation.hpp"
#include "protocol/mailbox.hpp"
#include "protocol/mediation_policy.hpp"
#include "protocol/module.hpp"
#include "protocol/recipient_proof.hpp"

namespace kith::protocol {

inline constexpr std::string_view kMediateRequest =
    "https://didcomm.org/coordinate-mediation/3.0/mediate-request";
inline constexpr std::string_view kMediateGrant =
    "https://didcomm.org/coordinate-mediation/3.0/mediate-grant";
inline constexpr std::string_view kMediateDeny =
    "https://didcomm.org/coordinate-mediation/3.0/mediate-deny";
inline constexpr std::string_view kRecipientUpdate =
    "https://didcomm.org/coordinate-mediation/3.0/recipient-update";
inline constexpr std::string_view kRecipientUpdateResponse =
    "https://didcomm.org/coordinate-mediation/3.0/recipient-update-response";
inline constexpr std::string_view kRecipientQuery =
    "https://didcomm.org/coordinate-mediation/3.0/recipient-query";
inline constexpr std::string_view kRecipient =
    "https://didcomm.org/coordinate-mediation/3.0/recipient";

inline constexpr std::string_view kMediatorModule = "mediator";

/// Record meta/routing-did: what goes into the routing keys of all clients.
struct RoutingDid {
  std::string did;
  std::string invitation_id;
  template <class V>
  void visit(V& v) {
    v("did", did), v("invitation_id", invitation_id);
  }
};

/// Puts mail into a client's mailbox, and delivers it at once if the client waits on a lasting
/// connection. Errors: storage_full.
[[nodiscard]] Result<void> take_mail(Host& host, const MediationPolicy& policy,
                                     const std::string& client, Mail mail);

class Mediator : public Module {
 public:
  /// `public_url`: where this node's HTTP listener is reached from outside. `history`: reads what
  /// clients prove of DIDs that have one; without it their proofs are refused.
  explicit Mediator(std::string public_url, MediationPolicy policy = {},
                    std::shared_ptr<const DidHistory> history = nullptr)
      : public_url_(std::move(public_url)),
        policy_(std::move(policy)),
        history_(std::move(history)) {}

  std::string_view name() const override { return "mediator"; }
  std::vector<std::string> message_types() const override;
  std::vector<std::string> commands() const override { return {"mediator-invitation"}; }
  bool only_reads(std::string_view what) const override;
  Result<void> on_message(Host& host, const Inbound& inbound) override;
  Result<JsonObject> on_command(Host& host, const Command& command) override;
  void on_timer(Host& host, std::string_view timer) override;
  void on_effect(Host& host, const Effect& effect, const Result<Bytes>& outcome) override;
  void on_start(Host& host) override;

 private:
  std::string public_url_;
  MediationPolicy policy_;
  std::shared_ptr<const DidHistory> history_;
};

}  // namespace kith::protocol
