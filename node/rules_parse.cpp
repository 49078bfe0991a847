#include <algorithm>
#include <array>
#include <set>

#include "node/rule_limits.hpp"
#include "node/rules.hpp"

namespace kith::node {
namespace {

using Kind = RuleRequest::Kind;

constexpr std::array<std::string_view, 4> kLevels{"framework", "domain", "connection", "key"};
constexpr std::array<std::string_view, 3> kEffects{"allow", "passphrase", "forbid"};

template <std::size_t N>
std::optional<std::size_t> place_in(const std::array<std::string_view, N>& names,
                                    std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names.begin());
}

/// Reads one document; every error names its file.
class DocumentReader {
 public:
  explicit DocumentReader(const JsonObject& json) : json_(json) {}

  Result<RuleDocument> read() {
    TRY(document_.file, text("file"));
    CHECK(only_known(json_, {"file", "level", "name", "contact", "frameworks", "keys", "rules"}));
    TRY(const std::string level, text("level"));
    const auto place = place_in(kLevels, level);
    if (!place) return wrong("`level` is one of: framework, domain, connection, key");
    document_.level = static_cast<RuleLevel>(*place);
    TRY(document_.name, text("name"));
    if (document_.name.empty()) return wrong("`name` is empty");
    CHECK(read_scope());
    TRY(const JsonArray* rules, crypto::json_array(json_, "rules"));
    if (rules->size() > rule_limits::kRulesMax) return wrong("it has more than 200 rules");
    for (const Json& rule : *rules) CHECK(read_rule(rule));
    return std::move(document_);
  }

 private:
  [[nodiscard]] Error wrong(const std::string& what, std::int64_t line = 0) const {
    return fail(Errc::usage, document_.file +
                                 (line > 0 ? ", line " + std::to_string(line) : std::string()) +
                                 ": " + what);
  }

  Result<void> only_known(const JsonObject& object, std::initializer_list<const char*> names,
                          std::int64_t line = 0) const {
    for (const auto& member : object) {
      const std::string key(member.key());
      if (std::ranges::find(names, key) == names.end()) return wrong("no `" + key + "` here", line);
    }
    return {};
  }

  Result<std::string> checked(std::string text, std::int64_t line = 0) const {
    const bool has_control = std::ranges::any_of(
        text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (has_control || text.size() > rule_limits::kTextBytesMax) {
      return wrong("a text has at most 400 bytes, without control characters", line);
    }
    return text;
  }
  Result<std::string> text(std::string_view member) const {
    TRY(std::string value, crypto::json_string(json_, member));
    return checked(std::move(value));
  }

  Result<std::vector<std::string>> texts(const Json& value, std::int64_t line = 0) const {
    const auto* array = value.if_array();
    if (array == nullptr || array->size() > rule_limits::kItemsMax) {
      return wrong("a list has at most 200 texts", line);
    }
    std::vector<std::string> all;
    for (const Json& item : *array) {
      if (!item.is_string()) return wrong("a list holds texts", line);
      TRY(std::string one, checked(std::string(item.get_string()), line));
      all.push_back(std::move(one));
    }
    return all;
  }

  /// What the document speaks of, and only what its level may.
  Result<void> read_scope() {
    const bool connection = document_.level == RuleLevel::connection;
    const bool key = document_.level == RuleLevel::key;
    if (connection != json_.contains("contact")) {
      return wrong(connection ? "a connection document names its `contact`"
                              : "`contact` belongs to connection documents");
    }
    if (connection) {
      TRY(document_.contact, text("contact"));
    }
    if (key != json_.contains("keys")) {
      return wrong(key ? "a key document names its `keys`" : "`keys` belongs to key documents");
    }
    if (key) {
      TRY(document_.keys, texts(json_.at("keys")));
    }
    if (!json_.contains("frameworks")) return {};
    if (!connection && document_.level != RuleLevel::domain) {
      return wrong("`frameworks` belongs to domain and connection documents");
    }
    TRY(document_.frameworks, texts(json_.at("frameworks")));
    return {};
  }

  Result<void> read_rule(const Json& json) {
    TRY(const JsonObject* object, crypto::as_object(json, "rule"));
    Rule rule;
    TRY(rule.line, crypto::json_int(*object, "line"));
    CHECK(only_known(*object, {"line", "operations", "effect", "reason", "final"}, rule.line));
    const auto effect = place_in(kEffects, crypto::json_text_of(*object, "effect"));
    if (!effect) return wrong("`effect` is one of: allow, passphrase, forbid", rule.line);
    rule.effect = static_cast<RuleEffect>(*effect);
    rule.is_final = crypto::json_true(*object, "final");
    TRY(rule.reason, checked(crypto::json_text_of(*object, "reason"), rule.line));
    const Json* operations = object->if_contains("operations");
    if (operations == nullptr) return wrong("a rule names its `operations`", rule.line);
    TRY(rule.operations, texts(*operations, rule.line));
    if (rule.operations.empty()) return wrong("a rule names its `operations`", rule.line);
    for (const std::string& word : rule.operations) CHECK(check_word(word, rule));
    document_.rules.push_back(std::move(rule));
    return {};
  }

  /// Errors: usage: nobody knows the word, or no rule can speak of it.
  Result<void> check_word(const std::string& word, const Rule& rule) const {
    if (word == "*") return {};
    if (word == "use:*" || std::ranges::find(key_uses(), word) != key_uses().end()) {
      if (rule.effect != RuleEffect::passphrase) return {};
      return wrong("uses of keys are allowed or forbidden: nobody is there to be asked", rule.line);
    }
    const auto found = operations_called(word);
    if (found.empty()) {
      return wrong("no operation is called `" + word + "`; see `kith policy operations`",
                   rule.line);
    }
    for (const NamedOperation& one : found) {
      RuleRequest request;
      request.row = one.row;
      if (is_beyond_rules(request)) {
        return wrong("`" + word + "` is beyond all rules: it only reads, or protects you",
                     rule.line);
      }
      if (rule.effect == RuleEffect::passphrase && word == one.name &&
          one.kind != OperationKind::command) {
        return wrong("`" + word + "` is no command: nobody is there to be asked", rule.line);
      }
      if (rule.effect == RuleEffect::forbid && word == "policy-load") {
        return wrong("who forbids `policy-load` could never take a rule back", rule.line);
      }
    }
    return {};
  }

  const JsonObject& json_;
  RuleDocument document_;
};

/// What only all documents together show.
Result<void> check_together(const std::vector<RuleDocument>& documents) {
  std::set<std::string> names, frameworks;
  for (const RuleDocument& document : documents) {
    if (!names.insert(document.name).second) {
      return fail(Errc::usage,
                  document.file + ": another document is called `" + document.name + "`, too");
    }
    if (document.level == RuleLevel::framework) frameworks.insert(document.name);
  }
  for (const RuleDocument& document : documents) {
    for (const std::string& name : document.frameworks.value_or(std::vector<std::string>())) {
      if (frameworks.contains(name)) continue;
      return fail(Errc::usage, document.file + ": there is no framework `" + name + "`");
    }
  }
  return {};
}

bool mentions_uses(const RuleDocument& document) {
  return std::ranges::any_of(document.rules, [&](const Rule& rule) {
    return std::ranges::any_of(rule.operations, [&](const std::string& word) {
      return word.starts_with("use:") || (word == "*" && document.level == RuleLevel::key);
    });
  });
}

}  // namespace

std::string_view rule_level_name(RuleLevel level) {
  return kLevels.at(static_cast<std::size_t>(level));
}

std::string_view rule_effect_name(RuleEffect effect) {
  return kEffects.at(static_cast<std::size_t>(effect));
}

Result<RuleBook> RuleBook::parse(const JsonArray& documents) {
  if (documents.size() > rule_limits::kFilesMax) {
    return fail(Errc::limit_exceeded, "more than 64 policy documents");
  }
  RuleBook book;
  for (const Json& json : documents) {
    TRY(const JsonObject* object, crypto::as_object(json, "policy document"));
    TRY(RuleDocument document, DocumentReader(*object).read());
    if (mentions_uses(document)) book.speaks_of_uses_ = true;
    book.documents_.push_back(std::move(document));
  }
  CHECK(check_together(book.documents_));
  return book;
}

}  // namespace kith::node
