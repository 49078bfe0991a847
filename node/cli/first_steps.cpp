#include "node/cli/first_steps.hpp"

#include <algorithm>

#include "node/cli/commands.hpp"
#include "node/cli/terminal.hpp"

namespace kith::node {
namespace {

std::optional<ErrorReport> failed(const ControlReply& reply) {
  if (const auto* error = std::get_if<ErrorReport>(&reply)) return *error;
  return std::nullopt;
}

/// A mediator was accepted before; its connection may still be under way.
bool has_mediator(const JsonObject& contacts) {
  return std::ranges::any_of(contacts.at("contacts").get_array(), [](const Json& contact) {
    return contact.get_object().at("role") == "mediator";
  });
}

}  // namespace

std::optional<ErrorReport> FirstSteps::run(const Wishes& wishes, JsonObject& summary) {
  if (!wishes.name.empty()) {
    if (auto error = failed(session_.command("profile-set", {{"name", wishes.name}}))) {
      return error;
    }
    summary["name"] = wishes.name;
  }
  // The identity first: it makes the vault, which keeps the next keys of the logs that follow.
  if (wishes.with_identity) {
    if (auto error = make_identity(wishes)) return error;
  }
  if (!wishes.mediator.empty()) {
    if (auto error = connect(wishes.mediator, summary)) return error;
  }
  if (!wishes.with_identity) return std::nullopt;
  return wait_for_identity(summary);
}

void FirstSteps::progress(const std::string& text) const {
  if (!output_.json) say_progress(text);
}

std::int64_t FirstSteps::wait_s() const {
  return invocation_.wait_seconds(kWaitDefault);
}

std::optional<ErrorReport> FirstSteps::make_identity(const Wishes& wishes) {
  const auto status = session_.command("identity-status");
  if (auto error = failed(status)) return error;
  const Json state = std::get<JsonObject>(status).at("state");
  if (state == "posting" || state == "posted") return std::nullopt;
  progress("Making your identity ...");
  const std::string ledger =
      wishes.ledger.empty() ? session_.runtime()->default_ledger_url() : wishes.ledger;
  // Only the wallet itself and its backup show the identity's name; it may not be empty.
  const std::string name = wishes.name.empty() ? "Me" : wishes.name;
  return failed(session_.command("identity-create", {{"name", name}, {"ledger", ledger}}));
}

std::optional<ErrorReport> FirstSteps::connect(const std::string& mediator, JsonObject& summary) {
  progress("Connecting to the mediator ...");
  const auto contacts = session_.command("contacts");
  if (auto error = failed(contacts)) return error;
  bool connected = false;
  if (has_mediator(std::get<JsonObject>(contacts))) {
    const auto polled =
        poll_until(session_, "status", {}, wait_s(), {},
                   [](const JsonObject& status) { return status.contains("mediator"); });
    if (const auto* error = std::get_if<ErrorReport>(&polled)) return *error;
    connected = std::get<Polled>(polled).done;
  } else {
    auto accepted = accept_invitation(
        session_, {{"url", mediator}, {"name", "mediator"}, {"role", "mediator"}}, wait_s());
    if (const auto* error = std::get_if<ErrorReport>(&accepted)) return *error;
    connected = std::get<AcceptResult>(accepted).connected;
  }
  summary["mediator"] = connected ? "connected" : "waiting";
  return std::nullopt;
}

std::optional<ErrorReport> FirstSteps::wait_for_identity(JsonObject& summary) {
  const auto polled =
      poll_until(session_, "identity-status", {}, wait_s(), {},
                 [](const JsonObject& status) { return status.at("state") == "posted"; });
  if (const auto* error = std::get_if<ErrorReport>(&polled)) return *error;
  summary["identity"] = std::get<Polled>(polled).reply;
  return std::nullopt;
}

}  // namespace kith::node
