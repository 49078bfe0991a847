#include "recovery/trustee_session.hpp"

#include <algorithm>

#include "ledger/connection.hpp"
#include "recovery/session_commands.hpp"
#include "recovery/session_messages.hpp"
#include "recovery/session_steps.hpp"
#include "recovery/signed_times.hpp"
#include "recovery/super_holder.hpp"

namespace kith::recovery {
namespace {

constexpr std::chrono::hours kNoticeEvery{24};

bool did_in_use(Host& host, const Session& ended) {
  return std::ranges::any_of(all_sessions(host), [&](const Session& other) {
    return other.id != ended.id && other.own_did == ended.own_did;
  });
}

/// Ended sessions: first the answers go, then the record with the one-time keys.
void clean_up(Host& host, const Session& session) {
  if (host.now() < session.changed + Duration{kSessionLife}) return;
  forget_answers(host, session);
  if (host.now() < session.changed + Duration{kSessionKept}) return;
  const bool invited =
      load<protocol::OpenInvitation>(host, protocol::kInvitations, session.invitation_id)
          .has_value();
  if (!invited && !did_in_use(host, session)) ledger::drop_one_time_did(host, session.own_did);
  host.erase({std::string(kSessions), session_name(session)});
}

void look_at(Host& host, Session session) {
  if (is_over(session.state)) return clean_up(host, session);
  bool changed = false;
  if (remaining(session.age, host.uptime(), session.life) == Duration{0}) {
    changed = step(host, session, SessionEvent::expire).has_value();
    session.result = "expired";
    push_status(host, session);
  } else {
    const auto released = release_due(host, session);
    changed = released.has_value() && *released;
    if (changed) push_status(host, session);
    const bool notice_due = is_matched(session.state) && session.state != SessionState::released &&
                            host.uptime() - session.last_notice >= Duration{kNoticeEvery};
    if (notice_due) notify_owner(host, session);
    changed = changed || notice_due;
  }
  if (changed) save_session(host, session);
}

}  // namespace

Result<PublicKey> connection_key(const Did& invitation_did) {
  TRY(const DidDocument document, protocol::resolve_self_contained(invitation_did));
  const auto keys = document.agreement_keys(KeyType::x25519);
  if (keys.empty()) return fail(Errc::malformed, "the invitation's DID has no key to agree on");
  return keys.front().key;
}

void observe_signed_time(Host& host, SignedTime seen, std::string_view contact_id) {
  const bool chosen = seen.chosen_by_requester;
  bool any = false;
  for (Session& session : all_sessions(host)) {
    if (is_over(session.state)) continue;
    any = true;
    seen.chosen_by_requester = chosen || session.contact_id == contact_id;
    observe(session.age, seen, host.uptime());
    if (session.approved) observe(session.clock, seen, host.uptime());
    if (session.vetoed) observe(session.veto_clock, seen, host.uptime());
    save_session(host, session);
  }
  // What has come due meanwhile is not left to the next hour.
  if (any) host.set_timer(kSessionModule, kSessionTimer, host.now());
}

bool recovery_open(Host& host, std::string_view contact_id) {
  return std::ranges::any_of(all_sessions(host), [&](const Session& session) {
    return session.contact_id == contact_id && is_matched(session.state);
  });
}

std::vector<std::string> TrusteeSessions::message_types() const {
  std::vector<std::string> types = device_message_types();
  types.push_back(type_uri("recovery", SessionRef::kVeto));
  return types;
}

Result<void> TrusteeSessions::on_message(Host& host, const Inbound& inbound) {
  const bool veto = inbound.message.type == type_uri("recovery", SessionRef::kVeto);
  return veto ? on_veto(host, inbound) : on_device_message(host, inbound);
}

Result<JsonObject> TrusteeSessions::on_command(Host& host, const Command& command) {
  if (command.name == "trustee-invite") return invite_device(host, command.args);
  if (command.name == "trustee-approve") {
    TRY(const std::string id, crypto::json_string(command.args, "id"));
    if (is_super_ask(host, id)) return approve_super(host, command);
    return approve_by_user(host, command.args);
  }
  return confirm_by_user(host, command.args);
}

void TrusteeSessions::on_timer(Host& host, std::string_view timer) {
  if (timer != kSessionTimer) return;
  bool waits = false;
  for (Session& session : all_sessions(host)) {
    waits = waits || time_runs(session);
    look_at(host, std::move(session));
  }
  if (waits) ask_for_times_if_due(host);
  schedule_look(host);
}

void TrusteeSessions::on_start(Host& host) {
  on_timer(host, kSessionTimer);
}

}  // namespace kith::recovery
