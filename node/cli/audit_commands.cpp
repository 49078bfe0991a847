// The commands about the audit log that do more than ask the agent.

#include "ledger/ledger_report.hpp"
#include "node/cli/commands.hpp"
#include "node/runtime/system_clock.hpp"

namespace kith::node {
namespace {

using crypto::json_text_of;
using crypto::json_true;

/// A ledger that answers does so at once; nobody should wait long to check a file.
constexpr std::int64_t kLookWaitDefault = 10;

/// Adds the ledger's receipt for the entry, and what it says; where the ledger gave none (it signs
/// nothing, or is the home's own), nothing.
void add_receipt(Session& session, JsonObject& reply) {
  const auto got = session.command("ledger-receipt");
  const auto* file = std::get_if<JsonObject>(&got);
  if (file == nullptr) return;
  const auto judged = ledger::judge_file(crypto::json_text(*file), {},
                                         ledger::anchor_time_ms(read_clocks().wall_ms));
  if (!judged.has_value() || json_text_of(*judged, "entry") != json_text_of(reply, "entry")) return;
  for (const std::string_view member : {"position", "time", "checkpoint"}) {
    if (const Json* value = judged->if_contains(member)) reply[member] = *value;
  }
  reply["receipt"] = *file;
}

}  // namespace

int do_audit_anchor(Session& session, const Invocation& invocation, const Output& output) {
  const auto made = session.command(invocation.spec->agent_command);
  if (const auto* error = std::get_if<ErrorReport>(&made)) return output.error(*error);
  JsonObject reply = std::get<JsonObject>(made);
  const auto polled =
      poll_until(session, "did-show", {}, invocation.wait_seconds(kWaitDefault),
                 output.json ? "" : "Waiting for the ledger ...",
                 [](const JsonObject& shown) { return json_true(shown, "posted"); });
  if (const auto* error = std::get_if<ErrorReport>(&polled)) return output.error(*error);
  const bool posted = std::get<Polled>(polled).done;
  reply["posted"] = posted;
  if (posted) {
    if (json_text_of(reply, "ledger").starts_with("leveldb:")) {
      output.say(
          "This ledger lies in the home itself: who puts an old copy of the home back, puts an old "
          "ledger back with it. `kith ledger move` takes your identity to another one.");
    }
    add_receipt(session, reply);
    return finish(session, output, reply);
  }
  output.say(
      "The ledger does not show it yet. `kith run` keeps trying, and `kith audit verify` says when "
      "it is there.");
  output.print(reply);
  return 0;
}

int do_audit_verify(Session& session, const Invocation& invocation, const Output& output) {
  const std::int64_t wait_s = invocation.wait_seconds(kLookWaitDefault);
  bool has_ledger = false;
  bool answered = false;
  if (wait_s > 0) {
    const auto looked = session.command("audit-look");
    if (const auto* error = std::get_if<ErrorReport>(&looked)) return output.error(*error);
    has_ledger = json_true(std::get<JsonObject>(looked), "identity");
  }
  if (has_ledger) {
    const auto polled =
        poll_until(session, "audit-looked", {}, wait_s, {},
                   [](const JsonObject& status) { return !json_true(status, "asking"); });
    if (const auto* error = std::get_if<ErrorReport>(&polled)) return output.error(*error);
    const auto& [looked, done] = std::get<Polled>(polled);
    answered = done && !json_true(looked, "failed");
  }
  auto args = audit_verify_arguments(invocation);
  if (!args.has_value()) return output.error(args.error());
  const auto verified = session.command(invocation.spec->agent_command, std::move(*args));
  if (const auto* error = std::get_if<ErrorReport>(&verified)) return output.error(*error);
  JsonObject reply = std::get<JsonObject>(verified);
  if (!reply.contains("anchor")) return finish(session, output, reply);
  reply["ledger_asked"] = answered;
  if (answered) return finish(session, output, reply);
  output.say("The ledger was not asked or does not answer: compared with what it showed before.");
  output.print(reply);
  return 0;
}

}  // namespace kith::node
