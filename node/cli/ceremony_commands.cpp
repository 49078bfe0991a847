#include "crypto/hash.hpp"
#include "node/ceremony.hpp"
#include "node/cli/commands.hpp"
#include "node/cli/read_input.hpp"
#include "node/cli/terminal.hpp"
#include "node/rule_limits.hpp"
#include "node/runtime/ceremony_script.hpp"
#include "node/runtime/system_clock.hpp"
#include "node/storage/new_file.hpp"

namespace kith::node {
namespace {

std::string time_text_now() {
  return protocol::utc_text(protocol::from_epoch_ms(read_clocks().wall_ms));
}

/// Errors: refused: whoever did it does not confirm it.
Result<void> confirm_by_hand(const Invocation& invocation, const std::string& what) {
  if (invocation.yes) return {};
  if (!is_terminal()) return fail(Errc::usage, "a person confirms each step; or say --yes");
  if (ask_yes(what + "\nIs it done?", false)) return {};
  return fail(Errc::refused, "not confirmed: " + what);
}

/// The step as it goes on the transcript; with `error` when it failed.
JsonObject take_step(Session& session, const CeremonyStep& step, const Output& output) {
  JsonObject record{{"kind", step.command.empty() ? "say" : "command"},
                    {"text", step.command.empty() ? step.say : step.command}};
  if (step.command.empty()) {
    const auto done = confirm_by_hand(session.invocation(), step.say);
    if (!done.has_value()) record["error"] = report_of(done.error()).code;
  } else {
    if (!step.args.empty()) record["text"] = step.command + " " + crypto::json_text(step.args);
    output.say("Doing " + step.command + " ...");
    const auto got = session.command(step.command, step.args);
    if (const auto* error = std::get_if<ErrorReport>(&got)) {
      record["error"] = error->code;
    } else {
      record["result"] = ceremony_digest(std::get<JsonObject>(got));
    }
  }
  record["at"] = time_text_now();
  return record;
}

JsonObject begin_transcript(const CeremonyScript& script, const Invocation& invocation) {
  JsonObject transcript{{"format", "kith-ceremony/1"}, {"name", script.name},
                        {"script", script.digest},     {"witnesses", JsonArray{}},
                        {"began", time_text_now()},    {"steps", JsonArray{}}};
  const JsonObject args = invocation.args();
  if (const Json* names = args.if_contains("witnesses"); names != nullptr && names->is_array()) {
    transcript["witnesses"] = *names;
  }
  return transcript;
}

Result<CeremonyScript> read_script(const std::string& path) {
  TRY(const std::string text, read_file(path, rule_limits::kFileBytesMax));
  return parse_ceremony_script(text, path);
}

Result<void> write_transcript(NewFile& file, const JsonObject& transcript) {
  CHECK(file.add(crypto::as_bytes(crypto::json_text(transcript) + "\n")));
  return file.finish();
}

Result<JsonObject> verify_file(const Invocation& invocation) {
  TRY(const std::string text,
      read_input(invocation.value("FILE"), rule_limits::kTranscriptBytesMax));
  crypto::JsonLimits limits;
  limits.bytes_max = rule_limits::kTranscriptBytesMax;
  TRY(const Json json, crypto::parse_json(text, limits));
  TRY(const JsonObject* transcript, crypto::as_object(json, "transcript"));
  CHECK(verify_ceremony(*transcript));
  const std::string agent = crypto::json_text_of(*transcript, "agent");
  if (invocation.has("--key") && invocation.value("--key") != agent) {
    return fail(Errc::bad_signature, "another key signed it: " + agent);
  }
  if (invocation.has("--script")) {
    TRY(const CeremonyScript script, read_script(invocation.value("--script")));
    if (script.digest != crypto::json_text_of(*transcript, "script")) {
      return fail(Errc::bad_proof, "it was another script");
    }
    if (script.steps.size() != transcript->at("steps").as_array().size() &&
        crypto::json_text_of(*transcript, "outcome") == "done") {
      return fail(Errc::bad_proof, "steps of the script were left out");
    }
  }
  JsonObject reply{{"name", transcript->at("name")},
                   {"outcome", transcript->at("outcome")},
                   {"began", transcript->at("began")},
                   {"ended", transcript->at("ended")},
                   {"steps", transcript->at("steps").as_array().size()},
                   {"witnesses", transcript->at("witnesses")},
                   {"agent", agent}};
  return reply;
}

}  // namespace

int do_ceremony_run(Session& session, const Invocation& invocation, const Output& output) {
  const auto script = read_script(invocation.value("FILE"));
  if (!script.has_value()) return output.error(script.error());
  // Before the first step: what was done must not be without its transcript.
  auto file = NewFile::begin(invocation.value("--out"));
  if (!file.has_value()) return output.error(file.error());
  JsonObject transcript = begin_transcript(*script, invocation);
  bool failed = false;
  for (const CeremonyStep& step : script->steps) {
    JsonObject record = take_step(session, step, output);
    failed = record.contains("error");
    add_ceremony_step(transcript, std::move(record));
    if (failed) break;
  }
  transcript["ended"] = time_text_now();
  transcript["outcome"] = failed ? "failed" : "done";
  const auto signed_one = session.command("ceremony-sign", {{"transcript", transcript}});
  if (const auto* error = std::get_if<ErrorReport>(&signed_one)) return output.error(*error);
  const JsonObject& result = std::get<JsonObject>(signed_one).at("transcript").as_object();
  const auto written = write_transcript(*file, result);
  if (!written.has_value()) return output.error(written.error());
  const std::int64_t steps = static_cast<std::int64_t>(result.at("steps").as_array().size());
  return finish(session, output,
                {{"outcome", result.at("outcome")},
                 {"steps", steps},
                 {"transcript", invocation.value("--out")}},
                failed ? crypto::error_text(Errc::refused).exit_code : 0);
}

int run_ceremony_verify(const Invocation& invocation, const Output& output) {
  const auto verified = verify_file(invocation);
  if (!verified.has_value()) return output.error(verified.error());
  output.print(*verified);
  return 0;
}

}  // namespace kith::node
