#include "recovery/device.hpp"

#include "ledger/identity.hpp"
#include "protocol/own_service.hpp"
#include "recovery/device_open.hpp"
#include "recovery/finish.hpp"

namespace kith::recovery {
namespace {

/// Record meta/recover: that a recovery was begun here, and what its user said.
struct RecoverJob {
  Time started{};
  UserChoice choice;
  template <class V>
  void visit(V& v) {
    v("started", started), v("choice", choice);
  }
};

std::optional<RecoverJob> recover_job(Host& host) {
  return load<RecoverJob>(host, "meta", "recover");
}

Result<JsonObject> start(Host& host) {
  if (!recover_job(host)) {
    if (ledger::identity(host)) {
      return fail(Errc::wrong_state, "this wallet has an identity: recover into a new home");
    }
    CHECK(protocol::own_service(host));
    save(host, "meta", "recover", RecoverJob{host.now(), {}});
    host.audit("recover.started");
  }
  return JsonObject{{"state", "collecting"}};
}

Result<JsonObject> add(Host& host, const JsonObject& args) {
  if (finish_job(host)) return fail(Errc::wrong_state, "this recovery is finishing already");
  CHECK(start(host));  // Pasting an invitation is start enough.
  return add_trustee(host, args);
}

JsonArray describe_candidates(const std::vector<Candidate>& candidates) {
  JsonArray rows;
  for (const Candidate& candidate : candidates) {
    JsonArray words;
    for (const std::string& word : candidate.words) words.emplace_back(boost::json::string(word));
    rows.push_back(JsonObject{{"policy", candidate.policy_address},
                              {"words", std::move(words)},
                              {"vouching", candidate.vouching},
                              {"contradicting", candidate.contradicting}});
  }
  return rows;
}

std::string_view step_name(GenuineStep step) {
  switch (step) {
    case GenuineStep::finish:
      return "finish";
    case GenuineStep::show:
      return "show";
    case GenuineStep::ask_user:
      return "choose";
    case GenuineStep::wait:
      return "wait";
  }
  return "";
}

std::string_view state_name(Host& host, const OpeningSummary& summary) {
  if (const auto job = finish_job(host)) {
    if (job->step == FinishStep::done) return "recovered";
    return job->waits && job->step == FinishStep::identity ? "waiting-period" : "finishing";
  }
  if (summary.opened) return "opened";
  return recover_job(host) ? "collecting" : "none";
}

void hint(JsonArray& hints, const std::string& text) {
  hints.emplace_back(boost::json::string(text));
}

void session_hints(Host& host, JsonArray& hints) {
  std::size_t open = 0;
  for (const DeviceSession& session : device_sessions(host)) {
    const bool over = session.step == DeviceStep::refused || session.step == DeviceStep::closed;
    if (over) continue;
    ++open;
    if (session.step == DeviceStep::requested) {
      hint(hints, session.label + "'s device has not answered yet: it must be switched on.");
    } else if (session.step == DeviceStep::coded) {
      hint(hints, "Call " + session.label +
                      ", or meet: read your code to them, then type theirs "
                      "with `kith recover code`.");
    } else if (!session.question.empty() && session.answer.empty() &&
               session.trustee_state == "asked") {
      hint(hints, "Answer " + session.label + "'s question with `kith recover answer`.");
    } else if (session.step == DeviceStep::typed) {
      hint(hints, "Wait until " + session.label + " has typed your code and approved.");
    } else if (session.trustee_state == "contested") {
      hint(hints, "A device of yours objected at " + session.label + ". Meet them in person.");
    } else if (session.step == DeviceStep::located && session.remaining_s > 0) {
      hint(hints, session.label + " waits the time that you chose at setup; about " +
                      std::to_string((session.remaining_s + 3599) / 3600) + " hours are left.");
    }
  }
  if (open == 0) {
    hint(hints,
         "Call a trustee of yours, and ask for the address that `kith trustee invite` "
         "gives them. Then: kith recover add-trustee ADDRESS");
  }
}

/// The ledger that the identity was moved to since the backup: its owner should know of that.
void tell_of_move(Host& host, JsonObject& reply) {
  const auto read = log_read(host, opening_summary(host).did);
  const auto there = read ? moved_to(*read) : std::nullopt;
  if (there) reply["moved_to"] = there->url.empty() ? there->id : there->url;
}

void move_hint(Host& host, JsonArray& hints) {
  JsonObject told;
  tell_of_move(host, told);
  if (told.empty()) return;
  hint(hints, "Your identity was moved to " + crypto::json_text_of(told, "moved_to") +
                  " since this backup was made. If that was not you, add --undo-move.");
}

void location_hints(Host& host, JsonArray& hints) {
  for (const LocationFetch& fetch : location_fetches(host)) {
    if (fetch.problem.empty()) continue;
    const std::string place = location_address(fetch);
    hint(hints, fetch.complete()
                    ? "Do not rely on " + place + " for backups: " + fetch.problem + "."
                    : place + " does not give your backup out yet (" + fetch.problem +
                          "). Kith keeps trying.");
  }
}

JsonArray hints_for(Host& host, const OpeningSummary& summary) {
  JsonArray hints;
  if (const auto job = finish_job(host)) {
    if (job->step == FinishStep::done) {
      hint(hints, "You have your identity back. Look after it: kith recovery status");
      if (needs_mediator(host, *job)) {
        hint(hints, "Nobody keeps your mail: kith accept http://ADDRESS");
      }
    } else {
      hint(hints, job->problem.empty() ? "Kith is finishing; leave it switched on."
                                       : "Now: " + job->problem + ".");
    }
    return hints;
  }
  if (!recover_job(host)) {
    hint(hints, "Begin with `kith recover start`.");
    return hints;
  }
  session_hints(host, hints);
  location_hints(host, hints);
  if (summary.opened) {
    if (summary.stale()) {
      hint(hints,
           "Your trustees know of another, newer backup than the one that is open. Ask more "
           "trustees first: what this backup does not know is lost.");
    }
    const auto decision = judge(host, recover_job(host)->choice);
    if (decision.step == GenuineStep::wait) {
      hint(hints, std::string(wait_text(decision.reason)));
    } else {
      hint(hints,
           "Compare the four words with those that you noted at setup, then take your "
           "identity back with `kith recover finish`.");
      move_hint(host, hints);
    }
  } else if (summary.good_answers > 0) {
    hint(hints, std::to_string(summary.good_answers) +
                    (summary.good_answers == 1 ? " good answer is" : " good answers are") +
                    " here, and that is not enough yet: ask another trustee.");
  }
  if (summary.sheet_suspect) {
    hint(hints,
         "The answers do not fit what the backup's place says. Another place is tried; "
         "nobody is to blame yet.");
  }
  return hints;
}

JsonArray describe_locations(Host& host) {
  JsonArray rows;
  for (const LocationFetch& fetch : location_fetches(host)) {
    if (!fetch.started) continue;  // Another token of the same place is enough so far.
    JsonObject row{{"state", fetch.complete() ? "complete" : "fetching"},
                   {"address", location_address(fetch)}};
    if (!fetch.problem.empty()) row["problem"] = fetch.problem;
    rows.push_back(std::move(row));
  }
  return rows;
}

JsonObject recover_status(Host& host) {
  const OpeningSummary summary = opening_summary(host);
  JsonObject reply{{"state", state_name(host, summary)},
                   {"sessions", describe_device_sessions(host)},
                   {"locations", describe_locations(host)},
                   {"good_answers", summary.good_answers}};
  JsonArray blamed;
  for (const BlamedTrustee& one : summary.blamed) {
    blamed.push_back(
        JsonObject{{"id", one.session}, {"trustee", one.trustee}, {"reason", one.reason}});
  }
  reply["blamed"] = std::move(blamed);
  if (!summary.problem.empty()) reply["problem"] = summary.problem;
  if (summary.opened) {
    reply["name"] = summary.identity_name;
    reply["backup"] = JsonObject{{"counter", summary.counter},
                                 {"created", protocol::utc_text(summary.created)},
                                 {"newest_known", summary.newest_known},
                                 {"stale", summary.stale()}};
  }
  const auto job = finish_job(host);
  const auto began = recover_job(host);
  reply["candidates"] = JsonArray{};
  reply["can_finish"] = false;
  if (summary.opened && began && !job) {
    const auto decision = judge(host, began->choice);
    reply["candidates"] = describe_candidates(decision.candidates);
    reply["can_finish"] = decision.step != GenuineStep::wait;
    if (decision.step == GenuineStep::wait) reply["waiting_for"] = wait_text(decision.reason);
    tell_of_move(host, reply);
  }
  JsonArray notes;
  if (job) {
    reply["steps"] = describe_steps(host, *job);
    for (const std::string& note : job->notes) notes.emplace_back(boost::json::string(note));
  } else {
    reply["steps"] = JsonArray{};
  }
  reply["notes"] = std::move(notes);
  reply["hints"] = hints_for(host, summary);
  return reply;
}

Result<JsonObject> finish(Host& host, const Command& command) {
  if (!command.step_up) return fail(Errc::step_up_required);
  if (const auto job = finish_job(host)) {
    if (job->step == FinishStep::done) return JsonObject{{"state", "recovered"}};
    CHECK(sign_again(host, command, *job));
    return JsonObject{{"state", "finishing"}};
  }
  auto began = recover_job(host);
  if (!began) return fail(Errc::wrong_state, "begin with `kith recover start`");
  TRY(const auto chosen, crypto::json_optional_string(command.args, "choose"));
  if (const Json* few = command.args.if_contains("confirm_few")) {
    if (!few->is_bool()) return fail(Errc::usage, "confirm_few is true or false");
    began->choice.accepts_few = few->get_bool();
  }
  if (const Json* undo = command.args.if_contains("undo_move")) {
    if (!undo->is_bool()) return fail(Errc::usage, "undo_move is true or false");
    began->choice.undo_move = undo->get_bool();
  }
  // The address stands in the status beside its words and counts: choosing it shows it was seen.
  if (chosen) began->choice.chosen = began->choice.shown = *chosen;
  if (!opening_summary(host).opened) {
    return fail(Errc::not_enough, "the backup is not open yet: see `kith recover status`");
  }
  const GenuineDecision decision = judge(host, began->choice);
  JsonObject reply{{"step", step_name(decision.step)},
                   {"candidates", describe_candidates(decision.candidates)}};
  if (decision.step == GenuineStep::wait) {
    return fail(Errc::waiting_for_people, std::string(wait_text(decision.reason)));
  }
  if (decision.step == GenuineStep::show) {
    began->choice.shown = decision.candidates.front().policy_address;
  }
  tell_of_move(host, reply);
  if (decision.step != GenuineStep::finish) {
    save(host, "meta", "recover", *began);
    reply["state"] = "opened";
    return reply;
  }
  TRY(OpenedSet set, open_again(host));
  CHECK(begin_finish(host, command, std::move(set), decision.candidates.front().policy_address,
                     began->choice.undo_move));
  save(host, "meta", "recover", *began);
  reply["state"] = "finishing";
  return reply;
}

}  // namespace

std::vector<std::string> Device::message_types() const {
  return {type_uri("recovery", CodeStep::kNonce), type_uri("recovery", SessionStatus::kName),
          type_uri("recovery", Challenge::kName), type_uri("recovery", Locate::kName),
          type_uri("recovery", PartialReply::kName)};
}

std::vector<std::string> Device::commands() const {
  return {"recover-start",  "recover-add-trustee", "recover-code", "recover-answer",
          "recover-status", "recover-finish",      "recover-hints"};
}

bool Device::only_reads(std::string_view what) const {
  return what == "recover-status" || what == "recover-hints";
}

Result<void> Device::on_message(Host& host, const Inbound& inbound) {
  TRY(const bool news, on_session_message(host, inbound));
  if (!news || finish_job(host)) return {};
  fetch_from_locations(host);
  evaluate(host);
  return {};
}

Result<JsonObject> Device::on_command(Host& host, const Command& command) {
  if (command.name == "recover-start") return start(host);
  if (command.name == "recover-add-trustee") return add(host, command.args);
  if (command.name == "recover-code") return type_code(host, command.args);
  if (command.name == "recover-answer") return answer_challenge(host, command.args);
  if (command.name == "recover-finish") return finish(host, command);
  if (command.name == "recover-hints") {
    return JsonObject{{"hints", hints_for(host, opening_summary(host))}};
  }
  return recover_status(host);
}

void Device::on_timer(Host& host, std::string_view timer) {
  if (timer == kTimerFinish) advance_finish(host);
  if (finish_job(host)) return;
  if (timer.starts_with(kFetchTimer)) continue_fetch(host, timer.substr(kFetchTimer.size()));
  if (timer == kTimerSessions) repeat_sessions(host);
  if (timer == kTimerLogs) read_wanted_logs(host);
}

void Device::on_effect(Host& host, const protocol::Effect& effect, const Result<Bytes>& outcome) {
  if (effect.kind == protocol::EffectKind::ledger_read) on_log_read(host, effect, outcome);
}

void Device::on_problem(Host& host, const Inbound& inbound, const protocol::ProblemReport& report) {
  on_session_problem(host, inbound, report);
}

void Device::on_start(Host& host) {
  const auto job = finish_job(host);
  if (job && job->step != FinishStep::done) {
    host.set_timer(kDeviceModule, kTimerFinish, host.now());
  }
}

}  // namespace kith::recovery
