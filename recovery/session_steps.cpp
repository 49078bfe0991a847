#include "recovery/session_steps.hpp"

#include <algorithm>

#include "protocol/messenger.hpp"
#include "recovery/signed_times.hpp"

namespace kith::recovery {
namespace {

constexpr std::size_t kLocatorsMax = 16;
/// Each look also writes down the running time: so much of a wait is lost when the machine dies.
constexpr std::chrono::minutes kLookEvery{10};
constexpr std::chrono::seconds kLookEveryTest{1};
constexpr std::chrono::hours kLookIdle{1};
constexpr std::chrono::hours kLookOver{24};

std::int64_t seconds_up(Duration duration) {
  return std::chrono::ceil<std::chrono::seconds>(duration).count();
}

/// The question of the newest committed record that has one.
std::string question_of(const Trusteeship& trusteeship) {
  std::string question;
  std::uint64_t order = 0;
  for (const HeldVersion& held : trusteeship.versions) {
    if (held.state == HeldState::prepared || held.order < order) continue;
    question = held.record.question;
    order = held.order;
  }
  return question;
}

Locate locations_of(const Session& session, const Trusteeship& trusteeship) {
  Locate locate;
  locate.session_id = crypto::to_bytes(session.id);
  std::vector<const HeldVersion*> newest_first;
  for (const HeldVersion& held : trusteeship.versions) newest_first.push_back(&held);
  std::ranges::sort(newest_first,
                    [](const HeldVersion* a, const HeldVersion* b) { return a->order > b->order; });
  for (const HeldVersion* held : newest_first) {
    for (const Location& location : held->record.locations) {
      if (locate.locations.size() >= kLocatorsMax) return locate;
      locate.locations.push_back({location.address, crypto::to_bytes(location.token)});
    }
  }
  return locate;
}

std::string_view next_step_words(SessionState state) {
  switch (state) {
    case SessionState::received:
    case SessionState::committed:
      return "Your trustee's device has heard from you.";
    case SessionState::coded:
    case SessionState::typed:
    case SessionState::matched:
      return "Call your trustee: each of you reads out a code, and the other types it.";
    case SessionState::verified:
    case SessionState::answered:
      return "Your trustee still has to confirm.";
    case SessionState::asked:
      return "Answer the question that was sent.";
    case SessionState::approved:
    case SessionState::waiting:
      return "Your trustee has confirmed you. The answer comes when the waiting period is over.";
    case SessionState::contested:
      return "One of your devices objected. Meet your trustee in person.";
    case SessionState::confirmed:
      return "Your trustee confirmed you in person. The answer comes when the longer wait is over.";
    case SessionState::released:
      return "Your trustee has answered.";
    case SessionState::refused:
      return "Your trustee refused. Ask for a new invitation if that was a mistake.";
    case SessionState::expired:
      return "This took too long. Ask your trustee for a new invitation.";
    case SessionState::closed:
      return "Done.";
  }
  return "";
}

}  // namespace

std::optional<Session> find_session(Host& host, std::string_view id) {
  return load<Session>(host, kSessions, id);
}

std::vector<Session> all_sessions(Host& host) {
  std::vector<Session> sessions;
  for (const std::string& id : host.list(kSessions)) sessions.push_back(*find_session(host, id));
  return sessions;
}

std::string session_name(const Session& session) {
  return crypto::hex(session.id);
}

void save_session(Host& host, const Session& session) {
  save(host, kSessions, session_name(session), session);
}

Result<void> check_step(const Session& session, SessionEvent event) {
  if (next_state(session.state, event)) return {};
  return fail(Errc::wrong_state, "the recovery is in state \"" +
                                     std::string(state_name(session.state)) +
                                     "\", where this is not possible");
}

Result<void> step(Host& host, Session& session, SessionEvent event) {
  CHECK(check_step(session, event));
  session.state = *next_state(session.state, event);
  session.changed = host.now();
  host.audit("trustee.session", {{"session", session_name(session)},
                                 {"event", event_name(event)},
                                 {"state", state_name(session.state)}});
  return {};
}

void push_to_device(Host& host, const Session& session, std::string_view name, JsonObject body) {
  const auto own = Did::parse(session.own_did);
  const auto device = Did::parse(session.device_did);
  if (!own.has_value() || !device.has_value()) return;
  Message message = protocol::new_message(type_uri("recovery", name), host.random(),
                                          protocol::epoch_seconds(host.now()));
  message.from = *own;
  message.to = {*device};
  message.thid = session.thread;
  message.pthid = session.invitation_id;
  message.body = std::move(body);
  static_cast<void>(protocol::send(host, std::move(message), {}));
}

SessionStatus status_of(Host& host, const Session& session) {
  SessionStatus status;
  status.session_id = crypto::to_bytes(session.id);
  status.state = std::string(state_name(session.state));
  if (session.approved && !is_over(session.state) && session.state != SessionState::released) {
    status.remaining_s = seconds_up(time_to_release(host, session));
  }
  status.text = std::string(next_step_words(session.state));
  return status;
}

void push_status(Host& host, const Session& session) {
  push_to_device(host, session, SessionStatus::kName,
                 protocol::encode_body(status_of(host, session)));
}

void notify_owner(Host& host, Session& session) {
  session.last_notice = host.uptime();
  const auto contact = protocol::find_contact(host, session.contact_id);
  if (!contact) return;
  const auto mine = Did::parse(contact->my_did);
  const auto theirs = Did::parse(contact->their_did);
  if (!mine.has_value() || !theirs.has_value()) return;
  SessionNotice notice;
  notice.session_id = crypto::to_bytes(session.id);
  notice.matched_at_s = protocol::epoch_seconds(session.started);
  notice.earliest_release_s =
      protocol::epoch_seconds(host.now()) + seconds_up(time_to_release(host, session));
  Message message = protocol::new_message(type_uri("recovery", SessionNotice::kName), host.random(),
                                          protocol::epoch_seconds(host.now()));
  message.from = *mine;
  message.to = {*theirs};
  message.body = protocol::encode_body(notice);
  const auto sent = protocol::send(host, std::move(message), {});
  host.audit("trustee.owner-notified",
             {{"session", session_name(session)}, {"sent", sent.has_value()}});
}

std::string contact_name(Host& host, const Session& session) {
  const auto contact = protocol::find_contact(host, session.contact_id);
  return contact ? contact->name : "a former contact";
}

void tell_user(Host& host, const Session& session, std::string text) {
  host.notify({"recovery-request", std::move(text), session_name(session), {}});
}

Result<bool> count_wrong(Host& host, Session& session, std::uint32_t& counter) {
  ++counter;
  const bool spent = counter >= limits::kCodeRetypingsMax;
  CHECK(step(host, session, spent ? SessionEvent::spent : SessionEvent::wrong_code));
  if (spent) {
    session.result = "wrong codes";
    tell_user(host, session,
              "A recovery for " + contact_name(host, session) +
                  " was refused: the code was wrong too often.");
  }
  return spent;
}

Result<void> after_codes(Host& host, Session& session) {
  if (!session.user_right || !session.device_right || session.approved) return {};
  const auto trusteeship = find_trusteeship(host, session.contact_id);
  const std::string question = trusteeship ? question_of(*trusteeship) : "";
  if (question.empty()) return approve_session(host, session);
  if (!session.question.empty()) return {};
  CHECK(step(host, session, SessionEvent::ask));
  session.question = question;
  push_to_device(host, session, Challenge::kName,
                 protocol::encode_body(Challenge{crypto::to_bytes(session.id), question}));
  return {};
}

Result<void> approve_session(Host& host, Session& session) {
  const auto trusteeship = find_trusteeship(host, session.contact_id);
  if (!trusteeship) return fail(Errc::not_found, "nothing is held for that contact any more");
  CHECK(step(host, session, SessionEvent::approve));
  session.approved = true;
  session.clock = start_waiting(host.uptime());
  ask_for_times(host);
  session.life =
      elapsed(session.age, host.uptime()) + longest_period(host, session) + Duration{kSessionLife};
  push_to_device(host, session, Locate::kName,
                 protocol::encode_body(locations_of(session, *trusteeship)));
  return {};
}

bool time_runs(const Session& session) {
  return session.approved && !is_over(session.state) && session.state != SessionState::released;
}

void schedule_look(Host& host) {
  const Duration often = host.test_mode() ? Duration{kLookEveryTest} : Duration{kLookEvery};
  std::optional<Duration> next;
  for (const Session& session : all_sessions(host)) {
    Duration pause = is_over(session.state) ? Duration{kLookOver} : Duration{kLookIdle};
    const bool blocked = session.vetoed && !session.reconfirmed;
    if (session.approved && !blocked && !is_over(session.state)) {
      const Duration left = time_to_release(host, session);
      if (left > Duration{0}) pause = std::min(left, often);
    }
    next = std::min(next.value_or(pause), pause);
  }
  if (next) {
    host.set_timer(kSessionModule, kSessionTimer, host.now() + *next);
  } else {
    host.cancel_timer(kSessionModule, kSessionTimer);
  }
}

}  // namespace kith::recovery
