#pragma once

/// Connections: how two agents become contacts, and how they tell each other of changes.
///
///   inviter                                             invitee
///   invitation (URL), from a one-time did:peer:2  ---->
///                              <----  request {label, log, proof}    from its one-time did:peer:2
///   response {label, log, proof}  ---->                              from the invitation's DID
///                              <----  complete {}     from its did:kith, from_prior: one-time DID
///   empty, ack: complete          ---->                from its did:kith, from_prior likewise
///
/// `log` is the sender's microledger (base64url blobs); `proof` is a signature of the microledger's
/// agent over both one-time DIDs, so that nobody can present the log of somebody else. From the
/// request on the inviter takes messages of the invitee's did:kith (ContactState::answered); both
/// sides send only to a peer that certainly takes their messages. Each side repeats its last
/// message, with the same id, until the next one comes; after the ack the one-time DIDs are
/// dropped. A reusable invitation keeps its DID and gives no from_prior.
///
/// A public invitation is from the public did:kith of the inviter's identity, which the invitee
/// resolves at its ledger before it accepts. That DID stays, and gives no from_prior either: signed
/// by it, that would prove to third parties who is behind the new DID.
///
/// sync {subject, log} brings new entries of a microledger. It may come anonymously, and from
/// anybody: the log proves itself. What was taken is confirmed by sync-ack {subject, head} to the
/// subject's keys after the change.
///
/// Commands
///   invite {goal?, name?, life_s?, client?, public?} -> {id, url, expires}
///     `goal`: a text for people. `name`: for the contact that answers. Default life: 7 days.
///     `client` true: who answers has a mailbox at this mediator.
///     `public` true: from the public DID, whose document gets our address (publish_address).
///     Errors: wrong_state (no mediator or public address yet; not a mediator), those of
///     publish_address.
///   accept {url, name?, role?} -> {contact, name, state, warning?}
///     `role` "mediator", or goal code "mediate": the contact becomes our mediator.
///     Errors: bad_url, malformed, expired, conflict (own, or accepted before), wrong_state (no
///     address yet; an invitation of a recovery), unreachable (no address in it), unsupported,
///     unknown_peer (its DID must be looked up first, by `did-resolve`: the detail is the DID).
///   contacts {} -> {contacts: [{id, name, role, state, did, their_did, created, looks_like?}]}
///   contact-rename {contact, name} -> {id, name, warning?}
///     `warning`: the name is easily taken for another (protocol/lookalike.hpp).
///     Errors: unknown_peer, conflict, usage.
///   contact-end {contact} -> {id, state}               Errors: unknown_peer, wrong_state.

#include <string>
#include <string_view>
#include <vector>

#include "ledger/microledger.hpp"
#include "protocol/contact.hpp"
#include "protocol/messenger.hpp"
#include "protocol/module.hpp"
#include "protocol/open_invitation.hpp"

namespace kith::ledger {

inline constexpr std::string_view kConnectionRequest =
    "https://w3id.org/kith/connection/1.0/request";
inline constexpr std::string_view kConnectionResponse =
    "https://w3id.org/kith/connection/1.0/response";
inline constexpr std::string_view kConnectionComplete =
    "https://w3id.org/kith/connection/1.0/complete";
inline constexpr std::string_view kConnectionSync = "https://w3id.org/kith/connection/1.0/sync";
inline constexpr std::string_view kConnectionSyncAck =
    "https://w3id.org/kith/connection/1.0/sync-ack";
inline constexpr std::string_view kEmptyType = "https://didcomm.org/empty/1.0/empty";

inline constexpr std::string_view kGoalConnect = "connect";
inline constexpr std::string_view kGoalMediate = "mediate";
inline constexpr std::string_view kGoalRecover = "recover";
inline constexpr std::string_view kGoalDevice = "add-device";

/// Record meta/profile: how we call ourselves towards others (`kith init --name`).
struct Profile {
  std::string name;
  template <class V>
  void visit(V& v) {
    v("name", name);
  }
};

class Connection final : public Module {
 public:
  std::string_view name() const override { return "connection"; }
  std::vector<std::string> message_types() const override;
  std::vector<std::string> commands() const override;
  bool only_reads(std::string_view what) const override { return what == "contacts"; }
  Result<void> on_message(Host& host, const Inbound& inbound) override;
  Result<JsonObject> on_command(Host& host, const Command& command) override;
  void on_timer(Host& host, std::string_view timer) override;
  void on_effect(Host& host, const protocol::Effect& effect, const Result<Bytes>& outcome) override;
  void on_problem(Host& host, const Inbound& inbound,
                  const protocol::ProblemReport& report) override;
};

/// How messages to this contact leave: a mediator answers only on the connection that asked.
[[nodiscard]] protocol::SendOptions options_for(const Contact& contact);

/// A fresh one-time did:peer:2 (agreement key, then authentication key) whose keys are remembered;
/// registered for mail when it has services. Also for invitations of recovery sessions.
[[nodiscard]] Result<Did> make_one_time_did(Host& host,
                                            const std::vector<ServiceEndpoint>& services);
/// Forgets its keys and its registration; leaves the DID of our identity alone.
void drop_one_time_did(Host& host, std::string_view did);

/// Makes an invitation out of `record`: fills id, did if unset (fresh, with own_service), created,
/// and expires if unset; keeps it. Dropped at its expiry. Also for recovery sessions.
/// Errors: wrong_state (no address yet).
struct MadeInvitation {
  protocol::OpenInvitation record;
  std::string url;
};
[[nodiscard]] Result<MadeInvitation> make_invitation(Host& host, protocol::OpenInvitation record,
                                                     std::string_view goal_code,
                                                     std::string_view goal_text);
/// Marks the invitation answered, if it may be. `own_did`: the DID that the answer came to.
/// Errors: not_found, expired, conflict (answered before), refused (of another use or DID).
[[nodiscard]] Result<protocol::OpenInvitation> take_invitation(Host& host, std::string_view id,
                                                               const Did& own_did,
                                                               protocol::InvitationUse use);

/// Accepts the invitation of another device of our own (goal code add-device): the contact gets the
/// role `new_device`. Reply and errors as of command `accept`; unsupported (an invitation to
/// something else).
[[nodiscard]] Result<JsonObject> accept_device_invitation(Host& host, std::string_view url);

/// Sends new entries of our own log to `contact`, and again until confirmed.
void send_sync(Host& host, const Contact& contact);
/// Whether `contact` has confirmed our newest entry.
[[nodiscard]] bool in_sync(Host& host, const Contact& contact);
/// Command contact-end: ends the relationship and says so.
[[nodiscard]] Result<JsonObject> end_contact(Host& host, const Contact& contact);
/// Another device of ours has ended it: this one says so to the contact, if it has the keys to.
void end_with_other_device(Host& host, const Contact& contact);
/// Our own log towards `contact`: update_pair_log / rotate_pair_keys, then send_sync.
[[nodiscard]] Result<void> update_own_pair_state(Host& host, const Contact& contact,
                                                 const PairState& state);
[[nodiscard]] Result<void> rotate_pair_log(Host& host, const Contact& contact,
                                           const std::optional<SealedKey>& vault,
                                           const PairState& state);

}  // namespace kith::ledger
