#include "node/cli/commands.hpp"

namespace kith::node {

using crypto::json_true;

int do_thaw(Session& session, const Output& output) {
  const auto got = session.command("thaw");
  if (const auto* error = std::get_if<ErrorReport>(&got)) return output.error(*error);
  const auto& reply = std::get<JsonObject>(got);
  const bool waits = json_true(reply, "frozen");
  const int code = finish(session, output, reply,
                          waits ? crypto::error_text(Errc::waiting_for_people).exit_code : 0);
  if (waits) {
    output.say("Another device of yours has to agree: there, kith agent agree-thaw DEVICE");
  }
  return code;
}

int do_alerts_test(Session& session, const Invocation& invocation, const Output& output) {
  const auto begun = session.command("alerts-test");
  if (const auto* error = std::get_if<ErrorReport>(&begun)) return output.error(*error);
  const auto polled =
      poll_until(session, "alerts-status", {}, invocation.wait_seconds(kWaitDefault), {},
                 [](const JsonObject& status) { return !json_true(status, "waiting"); });
  if (const auto* error = std::get_if<ErrorReport>(&polled)) return output.error(*error);
  const JsonObject& reply = std::get<Polled>(polled).reply;
  bool all_arrived = true;
  for (const Json& place : reply.at("places").as_array()) {
    all_arrived = all_arrived && crypto::json_text_of(place.as_object(), "state") == "ok";
  }
  return finish(session, output, reply, all_arrived ? 0 : 1);
}

}  // namespace kith::node
