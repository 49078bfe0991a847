#include "node/rules_module.hpp"

#include <algorithm>
#include <map>

#include "crypto/hash.hpp"
#include "node/automations.hpp"
#include "node/key_view.hpp"
#include "node/rule_gate.hpp"
#include "node/rule_limits.hpp"
#include "protocol/contact.hpp"
#include "protocol/freeze.hpp"

namespace kith::node {
namespace {

using Kind = RuleRequest::Kind;

/// Record meta/policy-load-failed: what the owner was told last.
struct LoadFailure {
  std::string why;
  template <class V>
  void visit(V& v) {
    v("why", why);
  }
};
constexpr std::string_view kLoadFailure = "policy-load-failed";

std::string digest_of(const Json& json) {
  return crypto::hex(crypto::sha256(crypto::as_bytes(crypto::canonical_json(json))));
}

bool is_key_kind(const std::string& name) {
  for (int number = 0; number < 256; ++number) {
    const auto kind = static_cast<KeyKind>(number);
    if (is_valid(kind) && key_kind_name(kind) == name) return true;
  }
  return false;
}

Error in_file(const JsonObject& document, const std::string& what) {
  return fail(Errc::usage, crypto::json_text_of(document, "file") + ": " + what);
}

/// Names that people gave become ids: a contact who is called otherwise tomorrow stays the same.
Result<void> name_by_ids(Host& host, JsonObject& document) {
  if (Json* contact = document.if_contains("contact"); contact != nullptr && contact->is_string()) {
    const std::string name(contact->get_string());
    const auto found = protocol::contact_named(host, name);
    if (!found.has_value())
      return in_file(document, "no contact of yours is called `" + name + "`");
    *contact = found->id;
  }
  Json* const keys = document.if_contains("keys");
  if (keys == nullptr || !keys->is_array()) return {};
  for (Json& key : keys->get_array()) {
    if (!key.is_string()) continue;  // The reader says so.
    const std::string name(key.get_string());
    if (is_key_kind(name)) continue;
    const auto found = key_named(host, name);
    if (!found.has_value()) {
      return in_file(document, "no key and no kind of keys is called `" + name + "`");
    }
    key = found->id;
  }
  return {};
}

/// A timer that nobody has ever heard of would be forbidden in vain.
Result<void> check_timers(const RuleBook& book) {
  for (const RuleDocument& document : book.documents()) {
    for (const Rule& rule : document.rules) {
      for (const std::string& word : rule.operations) {
        const std::size_t bar = word.find('|');
        if (bar == std::string::npos || word.ends_with('*')) continue;
        const Automation* const row = automation_called(word);
        if (row != nullptr && row->off != Automation::Off::never) continue;
        return fail(Errc::usage,
                    document.file + ", line " + std::to_string(rule.line) + ": nothing " +
                        (row == nullptr ? "happens by the clock" : "that may be stopped") +
                        " is called `" + word + "`; see `kith auto list`");
      }
    }
  }
  return {};
}

JsonArray texts_of(const std::vector<std::string>& texts) {
  return JsonArray(texts.begin(), texts.end());
}

JsonObject show_documents(Host& host) {
  const RuleBook book = rule_book(host);
  JsonArray rows;
  for (const RuleDocument& document : book.documents()) {
    JsonObject row{{"name", document.name},
                   {"level", std::string(rule_level_name(document.level))},
                   {"file", document.file},
                   {"rules", document.rules.size()},
                   {"in_use", book.in_use(document)}};
    if (document.level == RuleLevel::connection) {
      const auto contact = protocol::find_contact(host, document.contact);
      row["contact"] = contact ? contact->name : document.contact;
    }
    if (document.frameworks) row["frameworks"] = texts_of(*document.frameworks);
    if (document.level == RuleLevel::key) row["keys"] = texts_of(document.keys);
    rows.push_back(std::move(row));
  }
  JsonObject reply{{"documents", std::move(rows)}};
  if (const auto stored = rule_documents(host)) {
    reply["digest"] = stored->digest;
    reply["since"] = protocol::utc_text(stored->at);
  }
  return reply;
}

JsonObject show_operations() {
  struct Names {
    std::vector<std::string> commands, messages, timers;
  };
  std::map<Operation, Names> classes;
  for (const NamedOperation& one : all_operations()) {
    Names& names = classes[one.row];
    (one.kind == OperationKind::command   ? names.commands
     : one.kind == OperationKind::message ? names.messages
                                          : names.timers)
        .push_back(one.name);
  }
  JsonArray rows;
  for (const auto& [row, names] : classes) {
    RuleRequest request;
    request.row = row;
    rows.push_back(JsonObject{{"class", std::string(operation_word(row))},
                              {"stops_while_frozen", !protocol::allowed_while_frozen(row)},
                              {"beyond_rules", is_beyond_rules(request)},
                              {"commands", texts_of(names.commands)},
                              {"messages", texts_of(names.messages)},
                              {"timers", texts_of(names.timers)}});
  }
  return {{"classes", std::move(rows)}, {"uses", texts_of(key_uses())}};
}

Result<JsonObject> note_failure(Host& host, const JsonObject& args) {
  TRY(std::string why, crypto::json_string(args, "why"));
  why.resize(std::min(why.size(), rule_limits::kTextBytesMax));
  const auto before = load<LoadFailure>(host, "meta", kLoadFailure);
  if (before && before->why == why) return JsonObject{};
  save(host, "meta", kLoadFailure, LoadFailure{why});
  host.audit("policy.load-refused", {});
  host.notify({"policy",
               "The policy documents in this home were not taken, those before stay in force: " +
                   why + " See `kith policy reload`.",
               "",
               {}});
  return JsonObject{};
}

/// What a person calls an operation, as a request; `row` of a class.
Result<RuleRequest> request_called(Host& host, std::string word, const JsonObject& args) {
  if (word.starts_with("use:")) {
    if (std::ranges::find(key_uses(), word) == key_uses().end()) {
      return fail(Errc::usage, "keys are not used so; see `kith policy operations`");
    }
    RuleRequest request = command_request(host, word, args);
    request.kind = Kind::use;
    request.row.reset();
    return request;
  }
  if (word.find('/') == std::string::npos && word.find('|') == std::string::npos) {
    std::ranges::replace(word, ' ', '-');
  }
  const auto found = operations_called(word);
  if (found.empty()) {
    return fail(Errc::usage, "no operation is called `" + word + "`; see `kith policy operations`");
  }
  RuleRequest request = command_request(host, word, args);
  request.row = found.front().row;
  if (found.front().kind == OperationKind::message) request.kind = Kind::message;
  if (found.front().kind == OperationKind::timer) request.kind = Kind::timer;
  const bool is_class = word == operation_word(*request.row) && !operation_of_command(word);
  if (is_class) request.kind = Kind::command;
  return request;
}

}  // namespace

/// Errors: usage.
Result<void> RulesModule::check_messages(const RuleBook& book) const {
  for (const RuleDocument& document : book.documents()) {
    for (const Rule& rule : document.rules) {
      for (const std::string& word : rule.operations) {
        if (word.find('/') == std::string::npos || word.ends_with('*')) continue;
        const auto is_it = [&](const std::string& type) { return message_word(type) == word; };
        if (std::ranges::any_of(message_types_, is_it)) continue;
        return fail(Errc::usage, document.file + ", line " + std::to_string(rule.line) +
                                     ": no message is called `" + word + "`");
      }
    }
  }
  return {};
}

Result<JsonObject> RulesModule::load_documents(Host& host, const JsonObject& args) const {
  TRY(const JsonArray* given, crypto::json_array(args, "documents"));
  JsonArray documents = *given;
  const std::string digest = digest_of(documents);
  const auto before = rule_documents(host);
  const bool same = before ? before->digest == digest : documents.empty();
  if (!same) {
    for (Json& document : documents) {
      if (document.is_object()) CHECK(name_by_ids(host, document.get_object()));
    }
    TRY(const RuleBook book, RuleBook::parse(documents));
    CHECK(check_timers(book));
    CHECK(check_messages(book));
    JsonArray receipts;
    for (std::size_t n = 0; n < book.documents().size(); ++n) {
      const RuleDocument& document = book.documents()[n];
      receipts.push_back(JsonObject{{"name", document.name},
                                    {"level", std::string(rule_level_name(document.level))},
                                    {"digest", digest_of((*given)[n])}});
    }
    save(host, "meta", kRuleDocuments,
         RuleDocuments{crypto::canonical_json(documents), digest, host.now()});
    host.audit("policy.loaded", {{"documents", std::move(receipts)}});
  }
  host.erase({"meta", std::string(kLoadFailure)});
  return JsonObject{{"changed", !same}, {"documents", documents.size()}};
}

Result<JsonObject> RulesModule::explain(Host& host, const JsonObject& args) const {
  TRY(const std::string operation, crypto::json_string(args, "operation"));
  if (args.contains("contact")) {
    TRY(const std::string name, crypto::json_string(args, "contact"));
    CHECK(protocol::contact_named(host, name));
  }
  if (args.contains("key")) {
    TRY(const std::string name, crypto::json_string(args, "key"));
    CHECK(key_named(host, name));
  }
  TRY(const RuleRequest request, request_called(host, operation, args));
  const RuleBook book = rule_book(host);
  JsonObject reply = decision_json(request, book.decide(request));
  if (request.row && protocol::stopped(host, *request.row)) {
    reply["frozen"] = "this device is frozen, so it does not happen now in any case";
  }
  return reply;
}

Result<JsonObject> RulesModule::on_command(Host& host, const Command& command) {
  if (command.name == "policy-load") return load_documents(host, command.args);
  if (command.name == "policy-load-failed") return note_failure(host, command.args);
  if (command.name == "policy-explain") return explain(host, command.args);
  if (command.name == "policy-operations") return show_operations();
  return show_documents(host);
}

}  // namespace kith::node
