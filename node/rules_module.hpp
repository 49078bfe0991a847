#pragma once

/// Module "rules": the owner's policy documents (rules.hpp).
///
/// Commands (arguments -> reply):
///   policy-load       {documents: [document]} -> {changed, documents}: all there are from now on;
///                     those before are over. Contacts and keys are named as elsewhere, and kept by
///                     their ids. Errors: usage (naming file and line: nothing is changed)
///   policy-load-failed {why} -> {}: documents on the disk that cannot be in force; the owner is
///                     told, once for each reason
///   policy-documents  {} -> {documents: [{name, level, file, rules, contact?, frameworks?, keys?,
///                     in_use}], digest?, since?}
///   policy-explain    {operation, contact?, key?} -> decision_json, with {frozen?, note?}.
///                     `operation`: a command ("keys destroy" as well), a message, a timer, a use
///                     of a key; or a class. Errors: usage, unknown_peer, not_found, conflict
///   policy-operations {} -> {classes: [{class, stops_while_frozen, beyond_rules, commands,
///                     messages, timers}], uses: [text]}
///
/// The audit log gets policy.loaded {documents: [{name, level, digest}]} for each change, so that
/// what was in force at any time can be told.

#include <string>
#include <vector>

#include "protocol/module.hpp"

namespace kith::node {

class RulesModule final : public Module {
 public:
  /// `message_types`: those of all modules; a rule cannot name another.
  explicit RulesModule(std::vector<std::string> message_types)
      : message_types_(std::move(message_types)) {}

  std::string_view name() const override { return "rules"; }
  std::vector<std::string> commands() const override {
    return {"policy-load", "policy-load-failed", "policy-documents", "policy-explain",
            "policy-operations"};
  }
  bool only_reads(std::string_view what) const override {
    return what != "policy-load" && what != "policy-load-failed";
  }
  Result<JsonObject> on_command(Host& host, const Command& command) override;

 private:
  [[nodiscard]] Result<void> check_messages(const class RuleBook& book) const;
  [[nodiscard]] Result<JsonObject> load_documents(Host& host, const JsonObject& args) const;
  [[nodiscard]] Result<JsonObject> explain(Host& host, const JsonObject& args) const;

  std::vector<std::string> message_types_;
};

}  // namespace kith::node
