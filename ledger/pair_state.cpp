#include "ledger/pair_state.hpp"

#include <algorithm>

#include "crypto/assert.hpp"
#include "crypto/key.hpp"
#include "crypto/limits.hpp"
#include "ledger/entry.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {

namespace {

constexpr std::size_t kUriCharsMax = 2048;

std::string_view pair_status_name(PairStatus status) {
  switch (status) {
    case PairStatus::active:
      return "active";
    case PairStatus::disabled:
      return "disabled";
    case PairStatus::decry:
      return "decry";
  }
  UNREACHABLE();
}

Result<PairStatus> parse_status(std::string_view text) {
  for (const PairStatus status : {PairStatus::active, PairStatus::disabled, PairStatus::decry}) {
    if (pair_status_name(status) == text) return status;
  }
  return fail(Errc::malformed, "an unknown status of a relationship");
}

Result<PairAgent> parse_pair_agent(const Json& json) {
  TRY(const JsonObject* object, crypto::as_object(json, "agent"));
  CHECK(only_members(*object, {"auth", "agree"}, "agent"));
  PairAgent agent;
  TRY(agent.auth, crypto::json_string(*object, "auth"));
  TRY(agent.agree, crypto::json_string(*object, "agree"));
  return agent;
}

Result<PairService> parse_service(const Json& json) {
  TRY(const JsonObject* object, crypto::as_object(json, "service"));
  CHECK(only_members(*object, {"uri", "routing_keys"}, "service"));
  PairService service;
  TRY(service.uri, crypto::json_string(*object, "uri"));
  TRY(service.routing_keys, string_list(*object, "routing_keys", limits::kRoutingKeysMax));
  return service;
}

Result<void> check_agree_key(std::string_view text) {
  TRY(const PublicKey key, crypto::from_multikey(text));
  if (key.type != KeyType::x25519 || crypto::multikey(key) != text) {
    return fail(Errc::malformed, "agree is not an X25519 Multikey");
  }
  return {};
}

Result<void> check_agents(const std::vector<PairAgent>& agents) {
  if (agents.empty()) return fail(Errc::malformed, "a pair state without agents");
  if (agents.size() > limits::kRecipientsMax) return fail(Errc::limit_exceeded, "too many agents");
  std::vector<std::string> keys;
  for (const PairAgent& agent : agents) {
    const auto auth = signing_key(agent.auth);
    if (!auth.has_value()) return auth.error();
    CHECK(check_agree_key(agent.agree));
    keys.push_back(agent.auth);
    keys.push_back(agent.agree);
  }
  if (!all_distinct(std::move(keys))) return fail(Errc::malformed, "one key is named twice");
  return {};
}

Result<void> check_service(const PairService& service) {
  CHECK(plain_text(service.uri, "uri", kUriCharsMax));
  if (service.routing_keys.size() > limits::kRoutingKeysMax) {
    return fail(Errc::limit_exceeded, "too many routing keys");
  }
  for (const std::string& key : service.routing_keys) {
    CHECK(plain_text(key, "routing key", limits::kDidCharsMax));
    if (!key.starts_with("did:")) return fail(Errc::malformed, "a routing key is not a DID");
  }
  return {};
}

bool names_auth(const PairState& state, std::string_view auth) {
  return std::any_of(state.agents.begin(), state.agents.end(),
                     [&](const PairAgent& agent) { return agent.auth == auth; });
}

bool has_agent(const std::vector<PairAgent>& agents, const PairAgent& agent) {
  return std::find(agents.begin(), agents.end(), agent) != agents.end();
}

/// Takes an agent's replacement of its own keys back: what is left of the difference asks for more.
/// Where agents leave, places are others than before, and nobody replaces anything.
PairState undo_own_replacements(const PairState& before, PairState after,
                                const std::vector<std::string>& signers) {
  if (before.agents.size() != after.agents.size()) return after;
  for (std::size_t i = 0; i < before.agents.size(); ++i) {
    const PairAgent& was = before.agents[i];
    PairAgent& is = after.agents[i];
    const bool takes_no_other_place = is.auth == was.auth || !names_auth(before, is.auth);
    const bool stays_elsewhere = is.auth != was.auth && names_auth(after, was.auth);
    if (contains(signers, was.auth) && takes_no_other_place && !stays_elsewhere) is = was;
  }
  return after;
}

}  // namespace

Result<void> check_pair_state(const PairState& state) {
  CHECK(check_agents(state.agents));
  if (state.services.size() > kPairServicesMax) {
    return fail(Errc::limit_exceeded, "too many services");
  }
  for (const PairService& service : state.services) CHECK(check_service(service));
  if (state.revoke < 1 || state.revoke > state.agents.size()) {
    return fail(Errc::malformed, "revoke asks for more agents than there are");
  }
  return {};
}

Result<PairState> parse_pair_state(const Json& json) {
  TRY(const JsonObject* object, crypto::as_object(json, "pair state"));
  CHECK(only_members(*object, {"agents", "service", "revoke", "status"}, "pair state"));
  PairState state;
  TRY(const JsonArray* agents, crypto::json_array(*object, "agents"));
  if (agents->size() > limits::kRecipientsMax) {
    return fail(Errc::limit_exceeded, "too many agents");
  }
  for (const Json& item : *agents) {
    TRY(PairAgent agent, parse_pair_agent(item));
    state.agents.push_back(std::move(agent));
  }
  TRY(const JsonArray* services, crypto::json_array(*object, "service"));
  if (services->size() > kPairServicesMax) return fail(Errc::limit_exceeded, "too many services");
  for (const Json& item : *services) {
    TRY(PairService service, parse_service(item));
    state.services.push_back(std::move(service));
  }
  TRY(const std::int64_t revoke,
      ranged_int(*object, "revoke", 1, static_cast<std::int64_t>(limits::kRecipientsMax)));
  state.revoke = static_cast<std::uint32_t>(revoke);
  TRY(const std::string status, crypto::json_string(*object, "status"));
  TRY(state.status, parse_status(status));
  CHECK(check_pair_state(state));
  return state;
}

Json pair_state_json(const PairState& state) {
  JsonArray agents;
  for (const PairAgent& agent : state.agents) {
    JsonObject one;
    one["auth"] = agent.auth;
    one["agree"] = agent.agree;
    agents.emplace_back(std::move(one));
  }
  JsonArray services;
  for (const PairService& service : state.services) {
    JsonObject one;
    one["uri"] = service.uri;
    one["routing_keys"] = json_strings(service.routing_keys);
    services.emplace_back(std::move(one));
  }
  JsonObject object;
  object["agents"] = std::move(agents);
  object["service"] = std::move(services);
  object["revoke"] = static_cast<std::int64_t>(state.revoke);
  object["status"] = pair_status_name(state.status);
  return object;
}

Result<void> check_pair_update(const PairState& before, const PairState& after,
                               const std::vector<std::string>& signers, bool active_quorum) {
  const PairState rest = undo_own_replacements(before, after, signers);
  bool others_removed = false;
  std::vector<PairAgent> staying;
  for (const PairAgent& agent : before.agents) {
    if (has_agent(rest.agents, agent)) {
      staying.push_back(agent);
    } else if (!contains(signers, agent.auth)) {
      others_removed = true;
    }
  }
  if (others_removed) {
    const auto agreed =
        std::count_if(before.agents.begin(), before.agents.end(),
                      [&](const PairAgent& agent) { return contains(signers, agent.auth); });
    if (static_cast<std::uint64_t>(agreed) < before.revoke) {
      return fail(Errc::refused, "too few agents agreed to remove one");
    }
  }
  const bool only_gives_up = rest.agents == staying && rest.services == before.services &&
                             rest.revoke == before.revoke && rest.status == before.status &&
                             after != before;
  if (!only_gives_up && !active_quorum) {
    return fail(Errc::refused, "the change needs the active keys of the log");
  }
  return {};
}

}  // namespace kith::ledger
