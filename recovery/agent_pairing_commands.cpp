// What people do to add a device (own_agents.hpp documents the commands).

#include <algorithm>

#include "crypto/assert.hpp"
#include "ledger/connection.hpp"
#include "ledger/identity.hpp"
#include "protocol/invitation.hpp"
#include "protocol/messenger.hpp"
#include "protocol/own_service.hpp"
#include "protocol/resolver.hpp"
#include "protocol/vault.hpp"
#include "recovery/agent_limits.hpp"
#include "recovery/agent_pairing_steps.hpp"
#include "recovery/own_agents.hpp"

namespace kith::recovery {
namespace {

/// One pairing that is under way. Errors: not_found, conflict (several).
Result<Pairing> chosen_pairing(Host& host, const JsonObject& args) {
  TRY(const auto id, crypto::json_optional_string(args, "pairing"));
  std::vector<Pairing> open = list_pairings(host);
  std::erase_if(
      open, [&](const Pairing& one) { return !one.is_open() || (id && one.contact_id != *id); });
  if (open.empty()) {
    return fail(Errc::not_found, "no device is being added: begin with `kith agent add`");
  }
  if (open.size() > 1) {
    return fail(Errc::conflict, "several devices are being added: name one of `kith agent status`");
  }
  return std::move(open.front());
}

JsonObject code_reply(const Pairing& pairing, bool right) {
  return {{"code_ok", right},
          {"tries_left", limits::kCodeRetypingsMax - pairing.wrong_codes},
          {"pairing", pairing.contact_id}};
}

Result<void> take_right_code(Host& host, const Contact& contact, Pairing pairing,
                             const std::optional<SealedKey>& vault, StepUp step_up) {
  if (pairing.adds) {
    TRY(pairing.welcome, make_welcome(host, pairing, *vault));
    host.audit("agent.welcomed", {{"contact", contact.id}});
    return go_on(host, contact, std::move(pairing), PairingStep::welcomed);
  }
  count_as_device(host, contact);
  CHECK(take_welcome(host, pairing, step_up));
  pairing.welcome.clear();
  pairing.session_own.reset();
  host.audit("agent.joined");
  return go_on(host, contact, std::move(pairing), PairingStep::joined);
}

std::string_view state_word(const Pairing& pairing) {
  switch (pairing.step) {
    case PairingStep::connecting:
    case PairingStep::asked:
      return "connecting";
    case PairingStep::coded:
      return "codes";
    case PairingStep::welcomed:
      return pairing.adds ? "waiting" : "codes";
    case PairingStep::joined:
      return "waiting";
    case PairingStep::done:
      return "done";
    case PairingStep::failed:
      return "failed";
  }
  UNREACHABLE();
}

/// The new device must get its mail where the others do: a relationship names one address.
Result<void> check_same_mediator(Host& host, std::string_view url) {
  TRY(const auto parsed, protocol::parse_invitation_url(url));
  if (!parsed.invitation) return {};  // accept_device_invitation says what is wrong.
  TRY(const ServiceEndpoint mine, protocol::own_service(host));
  const auto inviter = protocol::KnownDids(host).resolve(parsed.invitation->from);
  if (!inviter.has_value() || inviter->services.empty()) return {};
  const ServiceEndpoint& theirs = inviter->services.front();
  if (theirs.uri == mine.uri && theirs.routing_keys == mine.routing_keys) return {};
  const std::string address = protocol::web_address(theirs.uri);
  return fail(Errc::wrong_state, "your other device gets its mail at " + address +
                                     ": let this one register there too, with `kith accept " +
                                     address + "`");
}

}  // namespace

Result<JsonObject> add_agent(Host& host, const JsonObject& args) {
  TRY(const auto name, crypto::json_optional_string(args, "name"));
  CHECK(check_may_add(host));
  if (!protocol::vault_lock(host)) {
    return fail(Errc::wrong_state, "this wallet has no passphrase, and so nothing to share safely");
  }
  if (!protocol::mediator_grant(host)) {
    return fail(Errc::wrong_state,
                "two devices need a mediator that keeps mail for both: `kith accept http://HOST`");
  }
  if (policy_agents(host).size() >= agent_limits::kOwnAgentsMax) {
    return fail(Errc::limit_exceeded,
                "your identity has as many devices as it can have: take one away with `kith agent "
                "revoke`");
  }
  protocol::OpenInvitation record;
  record.name = name.value_or("new device");
  record.role = ContactRole::new_device;
  record.expires = host.now() + agent_limits::kInvitationLife;
  TRY(const ledger::MadeInvitation made,
      ledger::make_invitation(host, std::move(record), ledger::kGoalDevice,
                              "Add a device to my identity"));
  host.audit("agent.invited");
  return JsonObject{{"id", made.record.id},
                    {"url", made.url},
                    {"expires", protocol::utc_text(made.record.expires)}};
}

Result<JsonObject> accept_agent(Host& host, const JsonObject& args) {
  TRY(const std::string url, crypto::json_string(args, "url"));
  if (ledger::identity(host) || protocol::vault_lock(host)) {
    return fail(Errc::conflict,
                "this home has an identity of its own. Make a new home for the device: `kith init "
                "--no-identity --mediator http://HOST`");
  }
  CHECK(check_same_mediator(host, url));
  TRY(JsonObject reply, ledger::accept_device_invitation(host, url));
  Pairing pairing;
  pairing.contact_id = std::string(reply.at("contact").get_string());
  pairing.name = std::string(reply.at("name").get_string());
  pairing.started = host.now();
  save_pairing(host, pairing);
  host.set_timer(protocol::kOwnAgentsModule, repeat_timer(pairing.contact_id),
                 host.now() + agent_limits::kPairingLife);
  return reply;
}

Result<JsonObject> type_agent_code(Host& host, const Command& command) {
  TRY(const std::string code, crypto::json_string(command.args, "code"));
  TRY(Pairing pairing, chosen_pairing(host, command.args));
  const auto contact = protocol::find_contact(host, pairing.contact_id);
  if (!contact) return fail(Errc::not_found, "that device is no contact any more");
  const PairingStep due = pairing.adds ? PairingStep::coded : PairingStep::welcomed;
  if (pairing.step > due) {
    return fail(Errc::wrong_state, "the code was typed already: the rest goes on by itself");
  }
  if (pairing.step < due) {
    return fail(Errc::wrong_state,
                pairing.step == PairingStep::coded
                    ? "first type the code that this device shows into the other one"
                    : "there is no code yet: both devices must be running");
  }
  if (!command.step_up) return fail(Errc::step_up_required);
  std::optional<SealedKey> vault;  // A wrong passphrase is no wrong code.
  if (pairing.adds) {
    TRY(vault, protocol::open_vault(host, command.step_up));
    CHECK(check_may_add(host));
  }
  const ShortCodes& codes = pairing.codes;
  if (code_matches(pairing.adds ? codes.shown_by_device : codes.shown_by_trustee, code)) {
    JsonObject reply = code_reply(pairing, true);
    CHECK(take_right_code(host, *contact, std::move(pairing), vault, *command.step_up));
    return reply;
  }
  ++pairing.wrong_codes;
  host.audit("agent.code-wrong");
  JsonObject reply = code_reply(pairing, false);
  if (pairing.wrong_codes < limits::kCodeRetypingsMax) {
    save_pairing(host, pairing);
  } else {
    fail_pairing(host, pairing,
                 "the code was wrong too often. Somebody may be listening in: begin anew with "
                 "`kith agent add`.");
  }
  return reply;
}

Result<JsonObject> cancel_pairing(Host& host, const JsonObject& args) {
  TRY(const Pairing pairing, chosen_pairing(host, args));
  if (pairing.step == PairingStep::joined) {
    return fail(Errc::wrong_state,
                "this device has joined: take it out again on the other one, with `kith agent "
                "revoke`, and delete this home");
  }
  fail_pairing(host, pairing, "it was called off.");
  return JsonObject{};
}

JsonArray describe_pairings(Host& host) {
  JsonArray rows;
  for (const Pairing& pairing : list_pairings(host)) {
    JsonObject row{{"id", pairing.contact_id},
                   {"name", pairing.name},
                   {"adds", pairing.adds},
                   {"state", state_word(pairing)}};
    JsonArray needs;
    if (pairing.adds && pairing.step == PairingStep::coded) needs.emplace_back("code");
    if (pairing.adds && pairing.step == PairingStep::welcomed) {
      row["code_to_read"] = pairing.codes.shown_by_trustee;
    }
    if (!pairing.adds && pairing.step == PairingStep::coded) {
      row["code_to_read"] = pairing.codes.shown_by_device;
    }
    if (!pairing.adds && pairing.step == PairingStep::welcomed) needs.emplace_back("code");
    row["needs"] = std::move(needs);
    if (!pairing.problem.empty()) row["problem"] = pairing.problem;
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace kith::recovery
