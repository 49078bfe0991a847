#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>

#include "node/cli/commands.hpp"
#include "node/cli/qr.hpp"
#include "protocol/invitation.hpp"
#include "protocol/resolver.hpp"

namespace kith::node {
namespace {

using crypto::json_text_of;

/// Starts `command` with the address, and waits for its result.
std::variant<std::string, ErrorReport> changed_url(Session& session, std::string_view command,
                                                   const std::string& url, std::int64_t wait_s) {
  const auto started = session.command(command, {{"url", url}});
  if (const auto* error = std::get_if<ErrorReport>(&started)) return *error;
  const auto polled = poll_until(
      session, std::string(command) + "-status",
      {{"id", json_text_of(std::get<JsonObject>(started), "id")}}, wait_s, {},
      [](const JsonObject& status) { return json_text_of(status, "state") != "waiting"; });
  if (const auto* error = std::get_if<ErrorReport>(&polled)) return *error;
  const JsonObject& reply = std::get<Polled>(polled).reply;
  const std::string state = json_text_of(reply, "state");
  if (state == "waiting") return report_of(fail(Errc::timeout, "nobody answers there"));
  if (state != "done") return report_of(fail(Errc::unreachable, json_text_of(reply, "error")));
  return json_text_of(reply, "url");
}

bool terminal_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    const std::string_view text(value);
    return text.find("UTF-8") != std::string_view::npos ||
           text.find("utf8") != std::string_view::npos;
  }
  return false;
}

Result<void> write_file(const std::string& path, std::string_view content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file) return fail(Errc::io, path);
  return {};
}

/// Files are written before anything is shown, so that a full disk does not go unnoticed.
Result<void> write_qr_files(const Invocation& invocation, const QrCode& code) {
  if (invocation.has("--qr-svg")) CHECK(write_file(invocation.value("--qr-svg"), qr_svg(code)));
  if (invocation.has("--qr-png")) {
    TRY(const Bytes png, qr_png(code));
    CHECK(write_file(invocation.value("--qr-png"), crypto::as_text(png)));
  }
  return {};
}

}  // namespace

std::optional<ErrorReport> lengthen_url(Session& session, JsonObject& args, std::int64_t wait_s) {
  const std::string url = json_text_of(args, "url");
  if (url.find("_oobid=") == std::string::npos) return std::nullopt;
  const auto changed = changed_url(session, "unshorten", url, wait_s);
  if (const auto* error = std::get_if<ErrorReport>(&changed)) return *error;
  args["url"] = std::get<std::string>(changed);
  return std::nullopt;
}

namespace {

/// Why a look-up has no use; empty: it has. `reply`: of did-resolve-status.
std::string why_not(const JsonObject& reply) {
  if (json_text_of(reply, "state") != "done") {
    const Json* why = reply.if_contains("didResolutionMetadata");
    const bool said = why != nullptr && why->is_object();
    return said ? json_text_of(why->get_object(), "message") : "unknown";
  }
  const Json* metadata = reply.if_contains("didDocumentMetadata");
  if (metadata == nullptr || !metadata->is_object()) return "";
  if (metadata->get_object().contains("deactivated")) return "their DID has been deactivated";
  const Json* kith = metadata->get_object().if_contains("kith");
  const bool unconfirmed =
      kith != nullptr && kith->is_object() && kith->get_object().contains("unconfirmedMove");
  return unconfirmed ? "their DID came to this ledger from another one, which could not be asked"
                     : "";
}

/// Invited people read keys and address there, so an invitation works only from then on.
std::variant<bool, ErrorReport> address_is_posted(Session& session, const Output& output,
                                                  std::int64_t wait_s) {
  const auto polled =
      poll_until(session, "did-show", {}, wait_s, output.json ? "" : "Posting your address ...",
                 [](const JsonObject& shown) {
                   const Json* posted = shown.if_contains("posted");
                   return posted != nullptr && posted->is_bool() && posted->get_bool();
                 });
  if (const auto* error = std::get_if<ErrorReport>(&polled)) return *error;
  return std::get<Polled>(polled).done;
}

}  // namespace

std::optional<ErrorReport> look_up_inviter(Session& session, const JsonObject& args,
                                           const std::string& ledger, std::int64_t wait_s) {
  const auto parsed = protocol::parse_invitation_url(json_text_of(args, "url"));
  // `accept` says what is wrong with it.
  if (!parsed.has_value() || !parsed->invitation) return std::nullopt;
  const Did& inviter = parsed->invitation->from;
  if (protocol::is_self_contained(inviter)) return std::nullopt;
  JsonObject asked{{"did", inviter.text()}};
  if (!ledger.empty()) asked["ledger"] = ledger;
  const auto started = session.command("did-resolve", asked);
  if (const auto* error = std::get_if<ErrorReport>(&started)) return *error;
  const auto polled = poll_until(
      session, "did-resolve-status", {{"id", json_text_of(std::get<JsonObject>(started), "id")}},
      wait_s, {},
      [](const JsonObject& status) { return json_text_of(status, "state") != "waiting"; });
  if (const auto* error = std::get_if<ErrorReport>(&polled)) return *error;
  const JsonObject& reply = std::get<Polled>(polled).reply;
  const bool on_ledger = inviter.method() == "kith";
  if (json_text_of(reply, "state") == "waiting") {
    return report_of(fail(Errc::timeout, on_ledger ? "the ledger does not tell who made the "
                                                     "invitation; is it the right one (--ledger)?"
                                                   : "who made the invitation"));
  }
  std::string why = why_not(reply);
  if (why.empty()) return std::nullopt;
  if (on_ledger && json_text_of(reply, "state") != "done") {
    why += "; if they use another ledger than the one asked, name it with --ledger";
  }
  return report_of(fail(Errc::unreachable, "who made the invitation: " + why));
}

int do_invite(Session& session, const Invocation& invocation, const Output& output) {
  const auto made = session.command(invocation.spec->agent_command, invocation.args());
  if (const auto* error = std::get_if<ErrorReport>(&made)) return output.error(*error);
  JsonObject reply = std::get<JsonObject>(made);
  std::string url = json_text_of(reply, "url");
  if (invocation.has("--public")) {
    const auto posted = address_is_posted(session, output, invocation.wait_seconds(kWaitDefault));
    if (const auto* error = std::get_if<ErrorReport>(&posted)) return output.error(*error);
    reply["posted"] = std::get<bool>(posted);
    if (!std::get<bool>(posted)) {
      output.say(
          "The ledger does not show your address yet. Hand the invitation out when `kith did "
          "show` says that it is posted.");
    }
  }
  if (invocation.has("--short")) {
    const auto changed =
        changed_url(session, "shorten", url, invocation.wait_seconds(kWaitDefault));
    if (const auto* error = std::get_if<ErrorReport>(&changed)) return output.error(*error);
    url = std::get<std::string>(changed);
    reply["short_url"] = url;
  }
  const bool shown = invocation.has("--qr");
  if (!shown && !invocation.has("--qr-svg") && !invocation.has("--qr-png")) {
    return finish(session, output, reply);
  }
  const auto code = make_qr(url);
  if (!code.has_value()) return output.error(code.error());
  const auto written = write_qr_files(invocation, *code);
  if (!written.has_value()) return output.error(written.error());
  if (shown && output.json) reply["qr"] = qr_text(*code, {true, false});
  const int exit_code = finish(session, output, reply);
  if (exit_code == 0 && shown && !output.json) {
    std::cout << qr_text(*code, {terminal_is_utf8(), ::isatty(STDOUT_FILENO) == 1}) << std::flush;
  }
  return exit_code;
}

}  // namespace kith::node
