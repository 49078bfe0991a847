// The commands about DIDs that do more than ask the agent.

#include "ledger/did_lint.hpp"
#include "ledger/log_file.hpp"
#include "node/cli/commands.hpp"
#include "node/cli/read_input.hpp"
#include "node/runtime/system_clock.hpp"
#include "protocol/time.hpp"

namespace kith::node {
namespace {

using crypto::json_text_of;
using crypto::json_true;

/// The result alone, in the form of DID Resolution 1.0 (W3C): of a DID URL that of dereferencing.
JsonObject resolution_result(JsonObject status) {
  JsonObject result;
  const bool url = status.contains("url");
  const auto take = [&](std::string_view member) {
    Json* value = status.if_contains(member);
    result[member] = value == nullptr ? Json() : std::move(*value);
  };
  if (url) {
    take("dereferencingMetadata");
    take("content");
    take("contentMetadata");
    return result;
  }
  result["@context"] = "https://w3id.org/did-resolution/v1";
  take("didDocument");
  take("didResolutionMetadata");
  take("didDocumentMetadata");
  return result;
}

int exit_code_of_lint(const JsonObject& report) {
  return json_true(report, "ok") ? 0 : crypto::error_text(Errc::refused).exit_code;
}

Result<JsonObject> verify(const Invocation& invocation) {
  ledger::ReaderOptions options{ledger::anchor_time_ms(read_clocks().wall_ms),
                                invocation.has("--test")};
  if (invocation.has("--time")) {
    const auto at = protocol::from_utc_text(invocation.value("--time"));
    if (!at.has_value()) return fail(Errc::usage, "--time: " + at.error().detail);
    options.now = ledger::anchor_time_ms(protocol::epoch_ms(*at));
  }
  TRY(const std::string file, read_input(invocation.value("FILE"), ledger::kLogFileBytesMax));
  return ledger::judge_log_file(file, options);
}

Result<JsonObject> lint(const Invocation& invocation) {
  TRY(const std::string file, read_input(invocation.value("FILE")));
  return ledger::lint_file(file);
}

}  // namespace

int do_did_resolve(Session& session, const Invocation& invocation, const Output& output) {
  const auto started = session.command("did-resolve", invocation.args());
  if (const auto* error = std::get_if<ErrorReport>(&started)) return output.error(*error);
  const auto polled = poll_until(
      session, "did-resolve-status", {{"id", json_text_of(std::get<JsonObject>(started), "id")}},
      invocation.wait_seconds(kWaitDefault), output.json ? "" : "Asking the ledger ...",
      [](const JsonObject& status) { return json_text_of(status, "state") != "waiting"; });
  if (const auto* error = std::get_if<ErrorReport>(&polled)) return output.error(*error);
  const auto& result = std::get<Polled>(polled);
  if (!result.done) return output.error(report_of(fail(Errc::timeout, "the ledger is silent")));
  const bool failed = json_text_of(result.reply, "state") == "failed";
  const int code = failed ? crypto::error_text(Errc::not_found).exit_code : 0;
  if (!invocation.has("--resolution")) return finish(session, output, result.reply, code);
  return finish(session, Output{true}, resolution_result(result.reply), code);
}

int do_did_lint(Session& session, const Output& output) {
  const auto got = session.command("did-lint");
  if (const auto* error = std::get_if<ErrorReport>(&got)) return output.error(*error);
  const auto& report = std::get<JsonObject>(got);
  return finish(session, output, report, exit_code_of_lint(report));
}

int run_did_lint(const Invocation& invocation, const Output& output) {
  const auto report = lint(invocation);
  if (!report.has_value()) return output.error(report.error());
  output.print(*report);
  return exit_code_of_lint(*report);
}

int run_did_verify(const Invocation& invocation, const Output& output) {
  const auto judged = verify(invocation);
  if (!judged.has_value()) return output.error(judged.error());
  output.print(*judged);
  return 0;
}

}  // namespace kith::node
