#include "node/cli/next_steps.hpp"

#include <cstdint>
#include <string_view>

namespace kith::node {
namespace {

using crypto::Json;

std::string_view text(const JsonObject& object, std::string_view member) {
  const Json* value = object.if_contains(member);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                : std::string_view();
}

bool flag(const JsonObject& object, std::string_view member) {
  const Json* value = object.if_contains(member);
  return value != nullptr && value->is_bool() && value->get_bool();
}

/// Connected contacts but for the mediator, which is one.
std::int64_t people(const JsonObject& status) {
  const Json* value = status.if_contains("connected");
  const std::int64_t all = value != nullptr && value->is_int64() ? value->get_int64() : 0;
  return status.contains("mediator") ? all - 1 : all;
}

}  // namespace

std::vector<std::string> next_steps(const Situation& situation) {
  const auto& [status, identity, recovery, recover] = situation;
  std::vector<std::string> steps;
  if (!flag(status, "running"))
    steps.emplace_back("Start Kith, so that others reach you: kith run");
  const std::string_view coming_back = text(recover, "state");
  if (!coming_back.empty() && coming_back != "none" && coming_back != "recovered") {
    steps.emplace_back("Go on with getting your identity back: kith recover status");
    return steps;
  }
  // A mediator or ledger host has no person behind it.
  const std::string_view published = text(identity, "state");
  if (published.empty() || published == "none") return steps;
  if (published != "posted") {
    steps.emplace_back("See that your identity reaches its ledger: kith ledger status");
  }
  if (!status.contains("mediator") && !status.contains("public_url")) {
    steps.emplace_back("Find a mediator that keeps your mail: kith accept http://MEDIATOR");
  } else if (people(status) <= 0) {
    steps.emplace_back("Invite people you know: kith invite --name NAME");
  } else if (text(recovery, "state") == "none") {
    steps.emplace_back(
        "Choose who helps you after a loss: kith recovery setup --threshold N --trustees A,B,C");
  } else if (!text(recovery, "state").empty() && text(recovery, "state") != "ready") {
    steps.emplace_back("See who of your trustees is missing: kith recovery status");
  }
  return steps;
}

}  // namespace kith::node
