#include "node/cli/next_steps.hpp"

#include <cstdint>
#include <string_view>

namespace kith::node {
namespace {

using crypto::Json;
using crypto::json_text_of;

/// Connected contacts but for the mediator, which is one.
std::int64_t people(const JsonObject& status) {
  const Json* value = status.if_contains("connected");
  const std::int64_t all = value != nullptr && value->is_int64() ? value->get_int64() : 0;
  return status.contains("mediator") ? all - 1 : all;
}

/// A lost identity is being brought back on this device.
bool comes_back(const JsonObject& recover) {
  const std::string state = json_text_of(recover, "state");
  return !state.empty() && state != "none" && state != "recovered";
}
constexpr const char* kGoOn = "Go on with getting your identity back: kith recover status";

}  // namespace

std::vector<std::string> next_steps(const Situation& situation) {
  const auto& [status, identity, recovery, recover] = situation;
  std::vector<std::string> steps;
  if (!crypto::json_true(status, "running"))
    steps.emplace_back("Start Kith, so that others reach you: kith run");
  if (status.contains("frozen")) {
    steps.emplace_back("Let this device act again, when you know that all is well: kith thaw");
    return steps;
  }
  if (comes_back(recover)) {
    steps.emplace_back(kGoOn);
    return steps;
  }
  if (const Json* due = status.if_contains("keys_overdue");
      due != nullptr && due->is_int64() && due->get_int64() > 0) {
    steps.emplace_back("Replace keys that are due: kith keys at-risk");
  }
  // A mediator or ledger host has no person behind it.
  const std::string published = json_text_of(identity, "state");
  if (published.empty() || published == "none") return steps;
  if (published != "posted") {
    steps.emplace_back("See that your identity reaches its ledger: kith ledger status");
  }
  if (!status.contains("mediator") && !status.contains("public_url")) {
    steps.emplace_back("Find a mediator that keeps your mail: kith accept http://MEDIATOR");
  } else if (people(status) <= 0) {
    steps.emplace_back("Invite people you know: kith invite --name NAME");
  } else if (json_text_of(recovery, "state") == "none") {
    steps.emplace_back(
        "Choose who helps you after a loss: kith recovery setup --threshold N --trustees A,B,C");
  } else if (!json_text_of(recovery, "state").empty() &&
             json_text_of(recovery, "state") != "ready") {
    steps.emplace_back(recovery.contains("drilled")
                           ? "See what your recovery still lacks: kith recovery status"
                           : "See who of your trustees is missing: kith recovery status");
  }
  return steps;
}

std::vector<std::string> ledger_steps(const LedgerSituation& situation) {
  const auto& [identity, host, copy, recover, running] = situation;
  if (comes_back(recover)) return {kGoOn};
  if (identity == "waiting-for-ledger") {
    if (running) return {"Your identity is made when its ledger answers; Kith keeps asking"};
    return {"Your identity is made when its ledger answers; let Kith ask: kith run"};
  }
  if (copy.contains("replica_of")) {
    if (crypto::json_true(copy, "following")) return {};
    return {"Go on with the copy: kith ledger serve --listen ADDRESS:PORT --replica-of " +
            json_text_of(copy, "replica_of")};
  }
  if (crypto::json_true(host, "served")) return {};
  std::vector<std::string> steps{
      "Serve this home's ledger to others: kith ledger serve --listen ADDRESS:PORT"};
  if (host.empty()) {
    steps.emplace_back("Or make an identity, in a home of its own: kith init --home DIR");
  }
  return steps;
}

}  // namespace kith::node
