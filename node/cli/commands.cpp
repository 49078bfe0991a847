#include "node/cli/commands.hpp"

#include <functional>
#include <iostream>

#include "node/cli/key_tables.hpp"
#include "node/cli/next_steps.hpp"
#include "node/cli/terminal.hpp"
#include "node/operations.hpp"
#include "node/runtime/fetch.hpp"
#include "node/runtime/system_clock.hpp"

namespace kith::node {
namespace {

using crypto::json_text_of;
using crypto::json_true;

constexpr std::chrono::milliseconds kPollEvery{150};

bool is_text(const JsonObject& object, std::string_view member, std::string_view wanted) {
  const Json* value = object.if_contains(member);
  return value != nullptr && value->is_string() && value->get_string() == wanted;
}

/// A plain address of a mediator, not an invitation.
bool is_base_url(std::string_view url) {
  return (url.starts_with("http://") || url.starts_with("https://")) &&
         url.find("oob=") == std::string_view::npos && url.find("oobid=") == std::string_view::npos;
}

Result<std::string> mediator_invitation(std::string base, const std::string& home) {
  while (base.ends_with('/')) base.pop_back();
  TRY(const Bytes body, fetch_url(base + "/invitation", home));
  TRY(const Json json, crypto::parse_json(crypto::as_text(body)));
  TRY(const JsonObject* object, crypto::as_object(json, "invitation"));
  return crypto::json_string(*object, "url");
}

bool contact_is_ready(const JsonObject& contacts, const std::string& id) {
  const Json* list = contacts.if_contains("contacts");
  if (list == nullptr || !list->is_array()) return false;
  for (const Json& item : list->get_array()) {
    if (!item.is_object() || !is_text(item.get_object(), "id", id)) continue;
    return is_text(item.get_object(), "state", "connected");
  }
  return false;
}

ErrorReport waited_in_vain(Errc code, const std::string& what) {
  return report_of(fail(code, what));
}

int do_ping(Session& session, const Invocation& invocation, const Output& output) {
  const auto started = session.command("ping", invocation.args());
  if (const auto* error = std::get_if<ErrorReport>(&started)) return output.error(*error);
  const JsonObject& ping = std::get<JsonObject>(started);
  static_cast<void>(session.command("nudge"));
  const auto polled = poll_until(
      session, "ping-status", {{"id", json_text_of(ping, "id")}},
      invocation.wait_seconds(kWaitDefault), output.json ? "" : "Waiting for an answer ...",
      [](const JsonObject& status) { return json_true(status, "answered"); });
  if (const auto* error = std::get_if<ErrorReport>(&polled)) return output.error(*error);
  const auto& result = std::get<Polled>(polled);
  if (!result.done && invocation.wait_seconds(kWaitDefault) > 0) {
    return output.error(waited_in_vain(Errc::timeout, "the ping is under way and may arrive yet"));
  }
  return finish(session, output, result.reply);
}

int do_accept(Session& session, const Invocation& invocation, const Output& output) {
  const std::int64_t wait_s = invocation.wait_seconds(kWaitDefault);
  auto accepted = accept_invitation(session, invocation.args(), wait_s);
  if (const auto* error = std::get_if<ErrorReport>(&accepted)) return output.error(*error);
  auto& result = std::get<AcceptResult>(accepted);
  if (result.connected) result.reply["state"] = "connected";
  const int code =
      result.connected || wait_s == 0 ? 0 : crypto::error_text(Errc::waiting_for_people).exit_code;
  const int finished = finish(session, output, result.reply, code);
  if (!result.connected) output.say("The other side has not answered yet; Kith keeps trying.");
  return finished;
}

int do_status(Session& session, const Invocation& invocation, const Output& output) {
  const auto got = session.command("status");
  if (const auto* error = std::get_if<ErrorReport>(&got)) return output.error(*error);
  JsonObject status = std::get<JsonObject>(got);
  status["running"] = session.is_running_node();
  if (crypto::json_true(status, "locked")) {
    status["next"] =
        JsonArray{Json("kith unlock   gives the node its keys back; mail waits until then")};
    output.print(status);
    return 0;
  }
  status["locked"] = false;
  const auto notices = session.command("notices");
  if (const auto* reply = std::get_if<JsonObject>(&notices)) {
    status["notices"] = reply->at("notices");
    if (invocation.has("--clear")) {
      const auto cleared = session.command("notices-clear");
      if (const auto* error = std::get_if<ErrorReport>(&cleared)) return output.error(*error);
    }
  }
  const auto answer = [&session](std::string_view command) {
    auto reply = session.command(command);
    return std::holds_alternative<JsonObject>(reply) ? std::get<JsonObject>(std::move(reply))
                                                     : JsonObject();
  };
  const Situation situation{status, answer("identity-status"), answer("recovery-status"),
                            answer("recover-status")};
  if (!situation.identity.empty()) status["identity"] = situation.identity;
  JsonArray next;
  for (const std::string& step : next_steps(situation)) next.push_back(Json(step));
  status["next"] = std::move(next);
  output.print(status);
  return 0;
}

int do_features(Session& session, const Invocation& invocation, const Output& output) {
  JsonObject args = invocation.args();
  if (invocation.has("--type") || invocation.has("--match")) {
    const std::string type = invocation.value("--type"), match = invocation.value("--match");
    args["queries"] = JsonArray{JsonObject{{"type", type.empty() ? "protocol" : type},
                                           {"match", match.empty() ? "*" : match}}};
  }
  const auto started = session.command("features-ask", args);
  if (const auto* error = std::get_if<ErrorReport>(&started)) return output.error(*error);
  static_cast<void>(session.command("nudge"));
  const auto polled = poll_until(
      session, "features-status", {{"id", json_text_of(std::get<JsonObject>(started), "id")}},
      invocation.wait_seconds(kWaitDefault), output.json ? "" : "Waiting for an answer ...",
      [](const JsonObject& status) { return json_true(status, "answered"); });
  if (const auto* error = std::get_if<ErrorReport>(&polled)) return output.error(*error);
  const auto& result = std::get<Polled>(polled);
  if (!result.done && invocation.wait_seconds(kWaitDefault) > 0) {
    return output.error(waited_in_vain(Errc::timeout, "the question is under way"));
  }
  return finish(session, output, result.reply);
}

int do_mailbox(Session& session, const Invocation& invocation, const Output& output) {
  const auto asked = session.command("mailbox-ask");
  if (const auto* error = std::get_if<ErrorReport>(&asked)) return output.error(*error);
  const auto polled =
      poll_until(session, "mailbox", {}, invocation.wait_seconds(kWaitDefault),
                 output.json ? "" : "Asking your mediator ...",
                 [](const JsonObject& status) { return json_true(status, "answered"); });
  if (const auto* error = std::get_if<ErrorReport>(&polled)) return output.error(*error);
  const auto& result = std::get<Polled>(polled);
  if (!result.done && invocation.wait_seconds(kWaitDefault) > 0) {
    return output.error(waited_in_vain(Errc::timeout, "your mediator is silent"));
  }
  return finish(session, output, result.reply);
}

int do_keys_list(Session& session, const Invocation& invocation, const Output& output) {
  const auto got = session.command("keys-list", invocation.args());
  if (const auto* error = std::get_if<ErrorReport>(&got)) return output.error(*error);
  const auto settled = session.settle();
  if (!settled.has_value()) return output.error(settled.error());
  print_key_list(std::get<JsonObject>(got), output);
  return 0;
}

int do_plain(Session& session, const Invocation& invocation, const Output& output) {
  JsonObject args = invocation.args();
  if (invocation.spec->agent_command == "recover-add-trustee") {
    if (const auto error = lengthen_url(session, args, kWaitDefault)) return output.error(*error);
  }
  const auto got = session.command(invocation.spec->agent_command, args);
  if (const auto* error = std::get_if<ErrorReport>(&got)) return output.error(*error);
  const auto& reply = std::get<JsonObject>(got);
  // A wrong code is counted, so it is an answer of the agent and not an error.
  const Json* code_ok = reply.if_contains("code_ok");
  const bool wrong = code_ok != nullptr && code_ok->is_bool() && !code_ok->get_bool();
  return finish(session, output, reply,
                wrong ? crypto::error_text(Errc::code_mismatch).exit_code : 0);
}

int do_special(Session& session, const Invocation& invocation, const Output& output) {
  switch (invocation.spec->special) {
    case Special::status:
      return do_status(session, invocation, output);
    case Special::audit_export:
      return do_audit_export(session, invocation, output);
    case Special::ceremony_run:
      return do_ceremony_run(session, invocation, output);
    case Special::policy_explain:
      return do_policy_explain(session, invocation, output);
    case Special::policy_reload:
      return do_policy_reload(session, invocation, output);
    case Special::alerts_test:
      return do_alerts_test(session, invocation, output);
    case Special::thaw:
      return do_thaw(session, output);
    case Special::invite:
      return do_invite(session, invocation, output);
    case Special::features_ask:
      return do_features(session, invocation, output);
    case Special::mailbox:
      return do_mailbox(session, invocation, output);
    case Special::accept:
      return do_accept(session, invocation, output);
    case Special::ping:
      return do_ping(session, invocation, output);
    case Special::did_resolve:
      return do_did_resolve(session, invocation, output);
    case Special::did_lint:
      return do_did_lint(session, output);
    case Special::audit_anchor:
      return do_audit_anchor(session, invocation, output);
    case Special::audit_verify:
      return do_audit_verify(session, invocation, output);
    case Special::recovery_setup:
      return do_recovery_setup(session, invocation, output);
    case Special::ledger_deploy:
      return do_ledger_deploy(session, invocation, output);
    case Special::ledger_status:
      return do_ledger_status(session, output);
    case Special::ledger_witness:
      return do_ledger_witness(session, invocation, output);
    case Special::ledger_move:
      return do_ledger_move(session, invocation, output);
    case Special::ledger_file:
      return do_ledger_file(session, invocation, output);
    case Special::keys_list:
      return do_keys_list(session, invocation, output);
    case Special::did_take:
      return do_did_take(session, invocation, output);
    default:
      return do_plain(session, invocation, output);
  }
}

/// What the agent is not asked for is stopped here. Errors: refused.
Result<void> check_not_frozen(Session& session, const CommandSpec& spec) {
  if (!spec.agent_command.empty()) return {};
  const auto row = operation_of_program(spec.path);
  if (row && protocol::allowed_while_frozen(*row)) return {};
  const auto got = session.command("freeze-status");
  const auto* status = std::get_if<JsonObject>(&got);
  if (status != nullptr && json_true(*status, "frozen")) return protocol::frozen_error();
  return {};
}

/// Whether to go on; for commands that cannot be taken back.
Result<bool> agreed(const Invocation& invocation, const Output& output) {
  const std::string question(invocation.spec->question);
  if (invocation.dry_run) {
    output.print({{"dry_run", true},
                  {"command", std::string(invocation.spec->agent_command)},
                  {"args", invocation.args()}});
    return false;
  }
  if (question.empty() || invocation.yes) return true;
  if (!is_terminal()) return fail(Errc::usage, "this asks first; say --yes to go on without");
  return ask_yes(question, false);
}

}  // namespace

int finish(Session& session, const Output& output, const JsonObject& reply, int exit_code) {
  output.print(reply);
  const auto settled = session.settle();
  return settled.has_value() ? exit_code : output.error(settled.error());
}

std::variant<Polled, ErrorReport> poll_until(Session& session, std::string_view command,
                                             const JsonObject& args, std::int64_t wait_s,
                                             const std::string& progress,
                                             const std::function<bool(const JsonObject&)>& done) {
  const std::int64_t deadline_ms = read_clocks().steady_ms + wait_s * 1000;
  bool said = progress.empty();
  while (true) {
    const auto got = session.command(command, args);
    if (const auto* error = std::get_if<ErrorReport>(&got)) return *error;
    const auto& reply = std::get<JsonObject>(got);
    if (done(reply)) return Polled{reply, true};
    if (read_clocks().steady_ms >= deadline_ms) return Polled{reply, false};
    if (!std::exchange(said, true)) say_progress(progress);
    const auto waited = session.wait(kPollEvery);
    if (!waited.has_value()) return report_of(waited.error());
  }
}

std::variant<AcceptResult, ErrorReport> accept_invitation(Session& session, JsonObject args,
                                                          std::int64_t wait_s) {
  if (const auto error = lengthen_url(session, args, kWaitDefault)) return *error;
  const std::string url = json_text_of(args, "url");
  bool is_mediator = is_text(args, "role", "mediator");
  if (is_base_url(url)) {
    const auto status = session.command("status");
    if (const auto* error = std::get_if<ErrorReport>(&status)) return *error;
    if (is_private_url(url) && !json_true(std::get<JsonObject>(status), "private_network")) {
      return report_of(fail(Errc::refused,
                            "this address belongs to this machine or its network; allow that with "
                            "--private-network of `kith init` or `kith run`"));
    }
    const auto home = home_of(session.invocation());
    if (!home.has_value()) return report_of(home.error());
    auto invitation = mediator_invitation(url, *home);
    if (!invitation.has_value()) return report_of(invitation.error());
    args["url"] = *invitation;
    args["role"] = "mediator";
    is_mediator = true;
  }
  const std::string ledger = json_text_of(args, "ledger");
  args.erase("ledger");
  if (const auto error = look_up_inviter(session, args, ledger, kWaitDefault)) return *error;
  const auto accepted = session.command("accept", args);
  if (const auto* error = std::get_if<ErrorReport>(&accepted)) return *error;
  AcceptResult result{std::get<JsonObject>(accepted), false};
  static_cast<void>(session.command("nudge"));
  const std::string id = json_text_of(result.reply, "contact");
  const auto polled = poll_until(session, "contacts", {}, wait_s, {}, [&](const JsonObject& reply) {
    return contact_is_ready(reply, id);
  });
  if (const auto* error = std::get_if<ErrorReport>(&polled)) return *error;
  result.connected = std::get<Polled>(polled).done;
  if (!result.connected || !is_mediator) return result;
  const auto granted = poll_until(session, "status", {}, wait_s, {}, [](const JsonObject& reply) {
    return reply.contains("mediator");
  });
  if (const auto* error = std::get_if<ErrorReport>(&granted)) return *error;
  result.connected = std::get<Polled>(granted).done;
  return result;
}

int run_command(const Invocation& invocation, const Output& output) {
  const CommandSpec& spec = *invocation.spec;
  if (spec.special == Special::init) return run_init(invocation, output);
  if (spec.special == Special::run || spec.special == Special::ledger_serve) {
    return run_node(invocation, output);
  }
  if (spec.special == Special::lock) return run_lock(invocation, output);
  if (spec.special == Special::unlock) return run_unlock(invocation, output);
  if (spec.special == Special::passphrase) return run_passphrase(invocation, output);
  if (spec.special == Special::doctor) return run_doctor(invocation, output);
  if (spec.special == Special::algorithms || spec.special == Special::key_types) {
    spec.special == Special::algorithms ? print_algorithms(output) : print_key_types(output);
    return 0;
  }
  if (spec.special == Special::version) return run_version(output);
  if (spec.special == Special::message_pack || spec.special == Special::message_unpack) {
    return run_message(invocation, output);
  }
  if (spec.special >= Special::slip39_split && spec.special <= Special::shamir_combine) {
    return run_shares(invocation, output);
  }
  if (spec.special == Special::recovery_plan) return run_recovery_plan(invocation, output);
  if (spec.special == Special::ledger_verify) return run_ledger_verify(invocation, output);
  if (spec.special == Special::did_verify) return run_did_verify(invocation, output);
  if (spec.special == Special::ceremony_verify) return run_ceremony_verify(invocation, output);
  if (spec.special == Special::audit_verify && invocation.has("FILE")) {
    return run_audit_verify(invocation, output);
  }
  if (spec.special == Special::did_lint && invocation.has("FILE")) {
    return run_did_lint(invocation, output);
  }
  if (spec.special == Special::portable_export) return run_export(invocation, output);
  if (spec.special == Special::portable_import) return run_import(invocation, output);
  if (spec.special == Special::home_erase) return run_home_erase(invocation, output);
  const auto go_on = agreed(invocation, output);
  if (!go_on.has_value()) return output.error(go_on.error());
  if (!*go_on) return 0;
  if (spec.special == Special::home_keep) return run_home_keep(invocation, output);
  auto session = Session::open(invocation);
  if (!session.has_value()) return output.error(session.error());
  const auto moves = check_not_frozen(*session, spec);
  if (!moves.has_value()) return output.error(moves.error());
  return do_special(*session, invocation, output);
}

int run_cli(const std::vector<std::string>& words) {
  auto parsed = parse_command_line(words);
  if (!parsed.has_value()) return Output{wants_json(words)}.error(parsed.error());
  if (const auto* help = std::get_if<HelpText>(&*parsed)) {
    std::cout << help->text << std::flush;
    return 0;
  }
  const auto& invocation = std::get<Invocation>(*parsed);
  return run_command(invocation, Output{invocation.json});
}

}  // namespace kith::node
