#include "node/rule_gate.hpp"

#include "node/automations.hpp"
#include "node/key_view.hpp"
#include "protocol/contact.hpp"
#include "protocol/sender.hpp"

namespace kith::node {
namespace {

using Kind = RuleRequest::Kind;

/// The documents are JSON of this program: within the limits of a frame, not of a message.
crypto::JsonLimits document_limits() {
  crypto::JsonLimits limits;
  limits.bytes_max = limits::kControlFrameBytesMax;
  return limits;
}

Result<RuleBook> read_book(const RuleDocuments& stored) {
  TRY(const Json json, crypto::parse_json(stored.text, document_limits()));
  const auto* array = json.if_array();
  if (array == nullptr) return fail(Errc::malformed, "the policy documents are no list");
  return RuleBook::parse(*array);
}

void add_contact(Host& host, const JsonObject& args, RuleRequest& request) {
  const std::string name = crypto::json_text_of(args, "contact");
  if (name.empty()) return;
  if (const auto contact = protocol::contact_named(host, name); contact.has_value()) {
    request.contact = contact->id;
  }
}

void add_key(Host& host, const JsonObject& args, RuleRequest& request) {
  const std::string name = crypto::json_text_of(args, "key");
  if (name.empty()) return;
  if (const auto key = key_named(host, name); key.has_value()) {
    request.key = key->id;
    request.key_kind = std::string(key_kind_name(key->info.kind));
  }
}

}  // namespace

std::optional<RuleDocuments> rule_documents(Host& host) {
  return load<RuleDocuments>(host, "meta", kRuleDocuments);
}

RuleBook rule_book(Host& host) {
  const auto stored = rule_documents(host);
  if (!stored) return {};
  auto book = read_book(*stored);
  return book.has_value() ? std::move(*book) : RuleBook::unreadable(book.error().detail);
}

RuleRequest command_request(Host& host, std::string_view command, const JsonObject& args) {
  RuleRequest request;
  request.name = std::string(command);
  request.row = operation_of_command(command);
  add_contact(host, args, request);
  add_key(host, args, request);
  return request;
}

RuleRequest message_request(Host& host, const Inbound& inbound, std::string_view type) {
  RuleRequest request;
  request.kind = Kind::message;
  request.name = message_word(type);
  request.row = operation_of_message(type);
  if (const auto contact = protocol::sender_of(host, inbound); contact.has_value()) {
    request.contact = contact->id;
  }
  return request;
}

RuleRequest timer_request(std::string_view module, std::string_view name) {
  RuleRequest request;
  request.kind = Kind::timer;
  request.name = timer_word(module, name);
  request.row = operation_of_timer(module, name);
  return request;
}

RuleRequest use_request(std::string_view use, std::string_view key, std::string_view key_kind) {
  RuleRequest request;
  request.kind = Kind::use;
  request.name = "use:" + std::string(use);
  request.key = std::string(key);
  request.key_kind = std::string(key_kind);
  return request;
}

Result<void> check_rules(Host& host, const RuleBook& book, const Command& command) {
  if (book.empty()) return {};
  const RuleRequest request = command_request(host, command.name, command.args);
  const RuleDecision decision = book.decide(request);
  if (decision.effect == RuleEffect::allow) return {};
  if (decision.effect == RuleEffect::passphrase) {
    if (command.step_up) return {};
    return fail(Errc::step_up_required, decision_in_words(request, decision));
  }
  host.audit("policy.command-refused",
             {{"command", command.name},
              {"rule", rule_place(*decision.by->document, *decision.by->rule)}});
  return decision_error(request, decision);
}

bool forbids_timer(const RuleBook& book, std::string_view module, std::string_view name) {
  if (book.empty()) return false;
  const Automation* const row = automation_of(module, name);
  if (row == nullptr || row->off == Automation::Off::never) return false;
  return book.decide(timer_request(module, name)).effect == RuleEffect::forbid;
}

Result<void> check_rules(const RuleBook& book, const RuleRequest& request) {
  if (book.empty()) return {};
  const RuleDecision decision = book.decide(request);
  if (decision.effect != RuleEffect::forbid) return {};
  return decision_error(request, decision);
}

}  // namespace kith::node
