#include "node/rules.hpp"

namespace kith::node {
namespace {

using Part = RuleDecision::Considered::Part;

std::string_view part_in_words(Part part) {
  switch (part) {
    case Part::decides:
      return "decides";
    case Part::agrees:
      return "says the same";
    case Part::less_exact:
      return "set aside: at its level another rule is more exact, or as exact and stricter";
    case Part::overridden:
      return "set aside: another level decides";
    case Part::held_back:
      return "set aside: it would loosen what may not be loosened";
  }
  return {};
}

std::string effect_in_words(RuleEffect effect) {
  switch (effect) {
    case RuleEffect::allow:
      return "is allowed";
    case RuleEffect::passphrase:
      return "needs the passphrase each time";
    case RuleEffect::forbid:
      return "is forbidden";
  }
  return {};
}

}  // namespace

std::string rule_place(const RuleDocument& document, const Rule& rule) {
  std::string place =
      document.name + " (" + std::string(rule_level_name(document.level)) + "), " + document.file;
  return rule.line > 0 ? place + " line " + std::to_string(rule.line) : place;
}

std::string decision_in_words(const RuleRequest& request, const RuleDecision& decision) {
  std::string words = request.name + " " + effect_in_words(decision.effect);
  if (is_beyond_rules(request)) {
    return words + ": it only reads, or protects you, and no document can change that.";
  }
  if (!decision.by) return words + ": no policy document speaks of it.";
  words += " by " + rule_place(*decision.by->document, *decision.by->rule);
  if (!decision.by->rule->reason.empty()) words += ": " + decision.by->rule->reason;
  return words + (words.ends_with('.') ? "" : ".");
}

JsonObject decision_json(const RuleRequest& request, const RuleDecision& decision) {
  JsonObject json{{"operation", request.name},
                  {"decision", std::string(rule_effect_name(decision.effect))},
                  {"words", decision_in_words(request, decision)}};
  if (request.row) json["class"] = std::string(operation_word(*request.row));
  if (!decision.frameworks.empty()) {
    json["frameworks"] = JsonArray(decision.frameworks.begin(), decision.frameworks.end());
  }
  JsonArray rules;
  for (const auto& one : decision.considered) {
    JsonObject row{{"document", one.document->name},
                   {"level", std::string(rule_level_name(one.document->level))},
                   {"file", one.document->file},
                   {"line", one.rule->line},
                   {"effect", std::string(rule_effect_name(one.rule->effect))},
                   {"part", std::string(part_in_words(one.part))}};
    if (one.rule->is_final) row["final"] = true;
    if (!one.rule->reason.empty()) row["reason"] = one.rule->reason;
    rules.push_back(std::move(row));
  }
  json["rules"] = std::move(rules);
  return json;
}

Error decision_error(const RuleRequest& request, const RuleDecision& decision) {
  return fail(Errc::refused, decision_in_words(request, decision) + " `kith policy explain " +
                                 request.name + "` says which rules there are");
}

}  // namespace kith::node
