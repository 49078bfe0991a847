#include <optional>

#include "ledger/descriptor.hpp"
#include "node/cli/commands.hpp"
#include "node/cli/next_steps.hpp"
#include "node/cli/read_input.hpp"

namespace kith::node {
namespace {

/// More than the job inside waits (ledger/evm/limits.hpp).
constexpr std::chrono::milliseconds kDeployWait{120'000};
constexpr std::int64_t kMoveWait = 60;

}  // namespace

int do_ledger_status(Session& session, const Output& output) {
  JsonObject reply;
  std::optional<ErrorReport> failed;
  const auto ask = [&](const char* command) {
    auto got = session.command(command);
    if (auto* error = std::get_if<ErrorReport>(&got)) {
      if (!failed) failed = *error;
      return JsonObject();
    }
    return std::get<JsonObject>(std::move(got));
  };
  const auto add = [&reply](const JsonObject& answer) {
    for (const auto& [key, value] : answer) reply[key] = value;
  };
  const JsonObject host = ask("ledger-host");
  const JsonObject copy = ask("ledger-replica");
  const JsonObject status = ask("identity-status");
  const std::string state = crypto::json_text_of(status, "state");
  const bool has_identity = !state.empty() && state != "none" && state != "waiting-for-ledger";
  if (has_identity) {
    const JsonObject shown = ask("identity-show");
    for (const char* member : {"ledger", "ledger_id"}) {
      if (const Json* value = shown.if_contains(member)) reply[member] = *value;
    }
  }
  add(status);
  add(ask("ledger-seen"));
  const JsonObject move = has_identity ? ask("ledger-move-status") : JsonObject();
  if (move.contains("state") && move.at("state") != "none") reply["move"] = move;
  if (!host.empty()) reply["host"] = host;
  if (!copy.empty()) reply["replica"] = copy;
  if (!failed && !has_identity) {
    JsonArray next;
    for (const std::string& step :
         ledger_steps({state, host, copy, ask("recover-status"), session.is_running_node()})) {
      next.push_back(Json(step));
    }
    reply["next"] = std::move(next);
  }
  if (failed) return output.error(*failed);
  return finish(session, output, reply);
}

int do_ledger_deploy(Session& session, const Invocation& invocation, const Output& output) {
  if (session.is_running_node()) {
    return output.error(fail(Errc::home_locked, "the account pays for one thing at a time"));
  }
  const auto made = session.runtime()->deploy_ledger(invocation.value("CHAIN"), kDeployWait);
  if (!made.has_value()) return output.error(made.error());
  const int code = finish(session, output, *made);
  output.say("Others name it as it is shown, and with the same ?confirmations, if any.");
  return code;
}

int do_ledger_move(Session& session, const Invocation& invocation, const Output& output) {
  const auto before = session.command("identity-show");
  if (const auto* error = std::get_if<ErrorReport>(&before)) return output.error(*error);
  const auto started = session.command("ledger-move", invocation.args());
  if (const auto* error = std::get_if<ErrorReport>(&started)) return output.error(*error);
  const std::int64_t wait_s = invocation.wait_seconds(kMoveWait);
  const auto polled =
      poll_until(session, "ledger-move-status", {}, wait_s,
                 output.json ? "" : "Moving your identity ...", [](const JsonObject& move) {
                   return move.at("state") == "none" || move.at("state") == "refused";
                 });
  if (const auto* error = std::get_if<ErrorReport>(&polled)) return output.error(*error);
  const auto& [move, done] = std::get<Polled>(polled);
  if (move.at("state") == "refused") {
    return output.error(report_of(fail(Errc::refused, crypto::json_text_of(move, "error"))));
  }
  const auto after = session.command("identity-show");
  if (const auto* error = std::get_if<ErrorReport>(&after)) return output.error(*error);
  JsonObject reply = std::get<JsonObject>(after);
  if (!done) reply["move"] = move;
  const int code = finish(session, output, reply);
  if (!done) output.say("It goes on by itself while Kith runs; `kith ledger status` shows it.");
  if (ledger::is_home_ledger(crypto::json_text_of(std::get<JsonObject>(before), "ledger"))) {
    output.say(
        "Nobody but this device can ask the ledger that you leave. Others see your identity on the "
        "new one, marked as moved without confirmation.");
  }
  return code;
}

/// --add and --remove, then what there is.
int do_ledger_witness(Session& session, const Invocation& invocation, const Output& output) {
  if (invocation.has("--add")) {
    std::string ledger = invocation.value("--add");
    if (ledger.find('+') == std::string::npos) {
      auto file = read_input(ledger);
      if (!file.has_value()) return output.error(file.error());
      ledger = std::move(*file);
    }
    const auto added = session.command("witness-watch", {{"ledger", ledger}});
    if (const auto* error = std::get_if<ErrorReport>(&added)) return output.error(*error);
    if (!std::get<JsonObject>(added).at("named").get_bool()) {
      output.say("The ledger does not name this witness: what it signs counts for nobody there.");
    }
  }
  if (invocation.has("--remove")) {
    const auto removed =
        session.command("witness-unwatch", {{"origin", invocation.value("--remove")}});
    if (const auto* error = std::get_if<ErrorReport>(&removed)) return output.error(*error);
  }
  const auto shown = session.command("witness-show");
  if (const auto* error = std::get_if<ErrorReport>(&shown)) return output.error(*error);
  const int code = finish(session, output, std::get<JsonObject>(shown));
  if (!std::get<JsonObject>(shown).contains("address")) {
    output.say("Nobody can ask it yet: run it with `kith run --witness --listen ADDRESS:PORT`.");
  }
  return code;
}

int do_did_take(Session& session, const Invocation& invocation, const Output& output) {
  auto file = read_input(invocation.value("FILE"), limits::kControlFrameBytesMax);
  if (!file.has_value()) return output.error(file.error());
  const auto taken = session.command("did-take", {{"file", std::move(*file)}});
  if (const auto* error = std::get_if<ErrorReport>(&taken)) return output.error(*error);
  return finish(session, output, std::get<JsonObject>(taken));
}

/// One JSON document with and without --json: it is for others.
int do_ledger_file(Session& session, const Invocation& invocation, const Output& output) {
  const auto got = session.command(invocation.spec->agent_command, invocation.args());
  if (const auto* error = std::get_if<ErrorReport>(&got)) return output.error(*error);
  return finish(session, Output{true}, std::get<JsonObject>(got));
}

}  // namespace kith::node
