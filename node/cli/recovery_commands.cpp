#include <optional>

#include "node/cli/commands.hpp"
#include "node/cli/read_input.hpp"
#include "node/cli/terminal.hpp"

namespace kith::node {
namespace {

/// The arguments of a setup; whoever would let one trustee be enough is asked again. nullopt: no.
/// Errors: those of read_file.
Result<std::optional<JsonObject>> setup_arguments(const Invocation& invocation) {
  JsonObject args = invocation.args();
  if (invocation.has("--plan")) {
    TRY(args["plan"], read_file(invocation.value("--plan"), limits::kTextBytesMax));
  }
  const bool one = invocation.has("--threshold") && invocation.number("--threshold") == 1 &&
                   !invocation.has("--one-is-enough");
  if (!one || !is_terminal() || invocation.json) return args;  // The agent refuses.
  const std::string question =
      "With a threshold of 1, each of them alone could open your backup, read everything in it "
      "and\ntake your identity over, without a word of the others; and so could whoever gets hold "
      "of one\nof their devices. With 2, a single one could do none of that. Is one enough "
      "nevertheless?";
  if (!ask_yes(question, false)) return std::optional<JsonObject>();
  args["one_is_enough"] = true;
  return args;
}

}  // namespace

int do_recovery_setup(Session& session, const Invocation& invocation, const Output& output) {
  const auto given = setup_arguments(invocation);
  if (given.has_error()) return output.error(given.error());
  if (!*given) return 0;
  const auto started = session.command("recovery-setup", **given);
  if (const auto* error = std::get_if<ErrorReport>(&started)) return output.error(*error);
  const std::int64_t wait_s = invocation.wait_seconds(0);
  const auto polled =
      poll_until(session, "recovery-status", {}, wait_s,
                 output.json || wait_s == 0 ? "" : "Waiting for your trustees to agree ...",
                 [](const JsonObject& status) { return status.contains("drilled"); });
  if (const auto* error = std::get_if<ErrorReport>(&polled)) return output.error(*error);
  const auto& result = std::get<Polled>(polled);
  const int code =
      result.done || wait_s == 0 ? 0 : crypto::error_text(Errc::waiting_for_people).exit_code;
  const int finished = finish(session, output, result.reply, code);
  if (!result.done) {
    output.say("Your trustees have to agree first; `kith recovery status` says who is missing.");
  }
  return finished;
}

}  // namespace kith::node
