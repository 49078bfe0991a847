#include <iostream>

#include "node/cli/commands.hpp"
#include "node/runtime/rule_files.hpp"

namespace kith::node {
namespace {

using crypto::json_text_of;

/// "forbid    house (domain), house.toml line 7: decides"
std::string rule_line(const JsonObject& rule) {
  std::string effect = json_text_of(rule, "effect");
  effect.resize(12, ' ');
  const std::string reason = json_text_of(rule, "reason");
  return effect + json_text_of(rule, "document") + " (" + json_text_of(rule, "level") + "), " +
         json_text_of(rule, "file") + " line " + crypto::json_text(rule.at("line")) + ": " +
         json_text_of(rule, "part") + (reason.empty() ? "" : " - " + reason);
}

void print_explanation(const JsonObject& reply) {
  std::cout << printable(json_text_of(reply, "words")) << "\n";
  if (reply.contains("frozen")) std::cout << "But: " << json_text_of(reply, "frozen") << "\n";
  if (const Json* const row = reply.if_contains("class"); row != nullptr) {
    std::cout << "Its class is " << json_text_of(reply, "class") << ".\n";
  }
  for (const char* member : {"frameworks", "rules"}) {
    const Json* const list = reply.if_contains(member);
    if (list == nullptr || list->get_array().empty()) continue;
    std::cout << (member[0] == 'f' ? "Frameworks that count here:\n" : "Rules that fit it:\n");
    for (const Json& item : list->get_array()) {
      std::cout << "  "
                << printable(item.is_object() ? rule_line(item.get_object())
                                              : std::string(item.get_string()))
                << "\n";
    }
  }
  std::cout << std::flush;
}

}  // namespace

int do_policy_explain(Session& session, const Invocation& invocation, const Output& output) {
  const auto got = session.command("policy-explain", invocation.args());
  if (const auto* error = std::get_if<ErrorReport>(&got)) return output.error(*error);
  const auto& reply = std::get<JsonObject>(got);
  if (output.json) return finish(session, output, reply);
  print_explanation(reply);
  const auto settled = session.settle();
  return settled.has_value() ? 0 : output.error(settled.error());
}

int do_policy_reload(Session& session, const Invocation& invocation, const Output& output) {
  const auto directory = home_of(invocation);
  if (!directory.has_value()) return output.error(directory.error());
  auto files = read_rule_files(*directory);
  if (!files.has_value()) return output.error(files.error());
  const auto got = session.command("policy-load", std::move(*files));
  if (const auto* error = std::get_if<ErrorReport>(&got)) return output.error(*error);
  return finish(session, output, std::get<JsonObject>(got));
}

}  // namespace kith::node
