#pragma once

/// Where the owner's policy documents (rules.hpp) meet what happens: requests are made of commands,
/// messages, timers and uses of keys, and the documents in force are kept as a record.

#include <optional>
#include <string>
#include <string_view>

#include "node/rules.hpp"
#include "protocol/module.hpp"

namespace kith::node {

/// Record meta/policy-documents: what is in force. Belongs to one device: no backup holds it.
struct RuleDocuments {
  std::string text;    ///< Canonical JSON, contacts and keys by their ids.
  std::string digest;  ///< SHA-256 in hex of the documents as they were given.
  Time at{};
  template <class V>
  void visit(V& v) {
    v("text", text), v("digest", digest), v("at", at);
  }
};
inline constexpr std::string_view kRuleDocuments = "policy-documents";

[[nodiscard]] std::optional<RuleDocuments> rule_documents(Host& host);
/// Documents that this version does not understand any more stop what rules could stop.
[[nodiscard]] RuleBook rule_book(Host& host);

[[nodiscard]] RuleRequest command_request(Host& host, std::string_view command,
                                          const JsonObject& args);
[[nodiscard]] RuleRequest message_request(Host& host, const Inbound& inbound,
                                          std::string_view type);
[[nodiscard]] RuleRequest timer_request(std::string_view module, std::string_view name);
/// `use`: "sign".
[[nodiscard]] RuleRequest use_request(std::string_view use, std::string_view key,
                                      std::string_view key_kind);

/// Of a command. Errors: refused (audited), step_up_required.
[[nodiscard]] Result<void> check_rules(Host& host, const RuleBook& book, const Command& command);
/// Whether a rule forbids a timer of which the owner may decide (automations.hpp).
[[nodiscard]] bool forbids_timer(const RuleBook& book, std::string_view module,
                                 std::string_view name);
/// Of the others. Errors: refused.
[[nodiscard]] Result<void> check_rules(const RuleBook& book, const RuleRequest& request);

}  // namespace kith::node
