// Objections of the owner's agents (recovery-protocol section 8).

#include <algorithm>

#include "ledger/connection.hpp"
#include "ledger/log_store.hpp"
#include "protocol/messenger.hpp"
#include "recovery/session_messages.hpp"
#include "recovery/session_steps.hpp"
#include "recovery/signed_times.hpp"

namespace kith::recovery {
namespace {

/// Authentication keys that agents of `did` had within the last contest period. Only a rotate or
/// recover removes one at once; an update might be a thief's.
bool key_counts(Host& host, const std::string& did, const std::string& key) {
  const auto view = ledger::stored_view(host, did);
  if (!view.has_value()) return false;
  for (const ledger::PreviousAgent& agent : view->previous_agents) {
    const bool recent = agent.removed_at + view->contest_in_force > ledger::anchor_time(host.now());
    if (agent.key == key && agent.removed_by == ledger::Op::update && recent) return true;
  }
  const auto state = ledger::parse_pair_state(view->uncontested_content().state);
  return state.has_value() &&
         std::ranges::any_of(state->agents,
                             [&](const ledger::PairAgent& agent) { return agent.auth == key; });
}

/// Errors: refused (not the owner of what the session is about), bad_signature.
Result<void> check_objector(Host& host, const Inbound& inbound, const Session& session,
                            const SessionRef& veto) {
  const auto contact = protocol::find_contact(host, session.contact_id);
  if (!contact) return fail(Errc::refused, "that contact is gone");
  const bool related = inbound.info.authenticated && inbound.info.sender && inbound.info.own_did &&
                       inbound.info.sender->text() == contact->their_did &&
                       inbound.info.own_did->text() == contact->my_did;
  if (related) return {};
  if (!key_counts(host, contact->their_did, veto.key)) {
    return fail(Errc::refused, "only the owner's own agents can object");
  }
  TRY(const PublicKey key, crypto::from_multikey(veto.key));
  return crypto::verify(key, veto_statement(veto.session_id), veto.signature);
}

}  // namespace

Bytes veto_statement(ByteView session_id) {
  return labelled("veto", {session_id});
}

Result<void> on_veto(Host& host, const Inbound& inbound) {
  TRY(const auto body, protocol::decode_body<SessionRef>(inbound.message.body));
  TRY(const SessionId id, session_id_of(body.session_id));
  auto session = find_session(host, crypto::hex(id));
  if (!session) return fail(Errc::not_found, "no recovery by that id");
  CHECK(check_objector(host, inbound, *session, body));
  const SessionState before = session->state;
  if (!is_over(before)) {
    CHECK(step(host, *session, SessionEvent::veto));
    if (session->state == SessionState::contested && before != SessionState::contested) {
      session->vetoed = true;
      session->veto_clock = start_waiting(host.uptime());
      if (session->approved) ask_for_times(host);
      session->life = elapsed(session->age, host.uptime()) + longest_period(host, *session) +
                      Duration{kSessionLife};
      tell_user(host, *session,
                "A device of " + contact_name(host, *session) +
                    " objects to the recovery. Nothing is released unless you meet them in "
                    "person and say so: `kith trustee requests`.");
      push_status(host, *session);
    }
    save_session(host, *session);
    schedule_look(host);
  }
  if (!inbound.info.authenticated) return {};
  const SessionRef vetoed{body.session_id, std::string(state_name(session->state))};
  TRY(const std::string sent,
      protocol::reply(host, inbound, type_uri("recovery", SessionRef::kVetoed),
                      protocol::encode_body(vetoed)));
  return {};
}

}  // namespace kith::recovery
