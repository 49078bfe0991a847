#pragma once

/// coordinate-mediation 2.0 and 3.0, the mediator's side. Both versions do the same; they differ in
/// the names of messages and in the shape of a grant (2.0: one routing DID, 3.0: a list).
///
/// Who asks is proven by the envelope. An authenticated stranger who asks for mediation becomes a
/// client if the policy lets everybody in or names its DID (mediation_policy.hpp); all others have
/// to answer an invitation first. A denial says why (member `comment`).
///
/// An added recipient may carry a proof (recipient_proof.hpp). One that does not hold refuses its
/// item; one that holds takes the DID, and the mail that waits for it, from a client that showed
/// none, an older one by the same key, or one by a key that the DID does not name any more
/// (mail_route.hpp). That client is told nothing: its next query lacks the DID.

#include <string>
#include <string_view>
#include <vector>

#include "protocol/contact.hpp"
#include "protocol/mediation_policy.hpp"
#include "protocol/module.hpp"
#include "protocol/recipient_proof.hpp"

namespace kith::protocol {

/// Record `mail-client`/<contact id>: mediation was granted.
struct MailClient {
  Time granted{};
  template <class V>
  void visit(V& v) {
    v("granted", granted);
  }
};

/// In the audit log: somebody became a client.
inline constexpr std::string_view kGrantedEvent = "mediation.granted";

[[nodiscard]] std::vector<std::string> mediation_message_types();
[[nodiscard]] bool is_mediation(std::string_view message_type);
/// Queries of what is registered.
[[nodiscard]] bool is_mediation_query(std::string_view message_type);

/// `history` may be null. Errors: unknown_peer, not_authentic, refused (a contact, but no client),
/// malformed, limit_exceeded, busy (too many new clients where it comes from).
[[nodiscard]] Result<void> on_mediation(Host& host, const Inbound& inbound,
                                        const DidHistory* history);

/// The relationship has ended: mail that waits for the contact goes with it, and a client's grant
/// and registrations.
void drop_waiting(Host& host, const Contact& contact);

/// Counts what is stored, for a home that has not done so yet.
void count_mail_once(Host& host);

}  // namespace kith::protocol
