#include "ledger/previous_agents.hpp"

#include <algorithm>
#include <set>

namespace kith::ledger {

namespace {

/// Keys that a state names for its agents.
std::set<std::string> agent_keys(Kind kind, const Json& state) {
  std::string_view list = "agents";
  std::string_view member = "key";
  if (kind == Kind::did) {
    list = "verificationMethod";
    member = "publicKeyMultibase";
  } else if (kind == Kind::pair) {
    member = "auth";
  }
  std::set<std::string> keys;
  const JsonObject* object = state.if_object();
  const Json* items = object == nullptr ? nullptr : object->if_contains(list);
  if (items == nullptr || !items->is_array()) return keys;
  for (const Json& item : items->get_array()) {
    const Json* key = item.is_object() ? item.get_object().if_contains(member) : nullptr;
    if (key != nullptr && key->is_string()) keys.emplace(key->get_string());
  }
  return keys;
}

}  // namespace

std::vector<PreviousAgent> previous_agents(std::span<const LogRecord> history) {
  const Kind kind = history.front().entry->kind;
  std::vector<PreviousAgent> gone;
  std::set<std::string> present;
  for (const LogRecord& counted : history) {
    if (!counted.entry->content.has_value()) continue;
    std::set<std::string> named = agent_keys(kind, counted.entry->content->state);
    for (const std::string& key : present) {
      if (named.contains(key)) continue;
      gone.push_back(PreviousAgent{key, counted.effective_from, counted.entry->op});
    }
    const auto back = [&](const PreviousAgent& agent) { return named.contains(agent.key); };
    gone.erase(std::remove_if(gone.begin(), gone.end(), back), gone.end());
    present = std::move(named);
  }
  return gone;
}

}  // namespace kith::ledger
