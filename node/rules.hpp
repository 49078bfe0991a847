#pragma once

/// Policy documents: what the owner lets this node do, as rules that a machine holds to. This is
/// the pure half: documents and a request in, a decision out, with the rule that made it.
///
/// Four levels, each more specific than the one before:
///   framework   what a community agreed on; counts where a domain or connection document names it
///   domain      this device's owner, in everything
///   connection  towards one contact; may stand under other frameworks than the domain
///   key         keys of some kinds, or single ones
///
/// Which rule decides:
///  1. Of each level, the rule that names the operation most exactly: its name, before its class,
///     before "*". Among equals the strictest.
///  2. Of the levels, the most specific one that says anything.
///  3. But nothing loosens what a framework forbids, nor any rule with `final`: the strictest of
///     these stands, whatever is said below.
///  4. Where nobody says anything, it is allowed.
///
/// What protects the owner (objecting, warning, freezing, thawing) and what only reads is beyond
/// all rules, and "*" does not mean it. Loading documents cannot be forbidden, or nobody could ever
/// take a rule back.
///
/// As JSON, where `line` is the rule's in its file:
///   {"file","level","name","contact"?,"frameworks"?:[],"keys"?:[],
///    "rules":[{"line","operations":[],"effect":"allow|passphrase|forbid","reason"?,"final"?}]}

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/json.hpp"
#include "crypto/result.hpp"
#include "node/operations.hpp"

namespace kith::node {

using crypto::Json;
using crypto::JsonArray;
using crypto::JsonObject;

enum class RuleLevel : std::uint8_t { framework, domain, connection, key };
[[nodiscard]] std::string_view rule_level_name(RuleLevel level);

/// The stricter, the larger.
enum class RuleEffect : std::uint8_t { allow, passphrase, forbid };
[[nodiscard]] std::string_view rule_effect_name(RuleEffect effect);

struct Rule {
  std::int64_t line = 0;
  std::vector<std::string> operations;
  RuleEffect effect = RuleEffect::allow;
  std::string reason;
  bool is_final = false;  ///< No more specific level loosens it.
};

struct RuleDocument {
  std::string file;
  RuleLevel level = RuleLevel::domain;
  std::string name;
  std::string contact;  ///< Of a connection document: the contact's id.
  std::optional<std::vector<std::string>> frameworks;
  std::vector<std::string> keys;  ///< Of a key document: kinds and ids.
  std::vector<Rule> rules;
};

struct RuleRequest {
  enum class Kind : std::uint8_t { command, message, timer, use };
  Kind kind = Kind::command;
  /// "keys-destroy", "trustee/1.0/share-prepare", "recovery|backup", "use:sign".
  std::string name;
  std::optional<Operation> row;  ///< Of operations.hpp; a use of a key has none.
  std::string contact = {};      ///< Id; empty: none.
  std::string key = {};          ///< Id; empty: none.
  std::string key_kind = {};
};

struct RuleDecision {
  /// A rule that fits the request.
  struct Considered {
    const RuleDocument* document = nullptr;
    const Rule* rule = nullptr;
    enum class Part : std::uint8_t {
      decides,
      agrees,      ///< It is no stricter than what decides, and of no other level or name.
      less_exact,  ///< A rule of its own level says it more exactly or more strictly.
      overridden,  ///< A more specific level loosens or tightens it.
      held_back,   ///< It would loosen what may not be loosened.
    } part = Part::agrees;
  };
  RuleEffect effect = RuleEffect::allow;
  std::optional<Considered> by;  ///< Nothing: no rule fits.
  std::vector<std::string> frameworks;
  std::vector<Considered> considered;
};

class RuleBook {
 public:
  /// Errors: usage, naming file, line and what is wrong; limit_exceeded, malformed.
  [[nodiscard]] static Result<RuleBook> parse(const JsonArray& documents);
  /// In place of documents that cannot be read any more: everything that a rule could forbid is.
  [[nodiscard]] static RuleBook unreadable(std::string why);

  /// Refers to this book.
  [[nodiscard]] RuleDecision decide(const RuleRequest& request) const;
  [[nodiscard]] bool empty() const { return documents_.empty(); }
  /// Whether any rule speaks of uses of keys.
  [[nodiscard]] bool speaks_of_uses() const { return speaks_of_uses_; }
  [[nodiscard]] const std::vector<RuleDocument>& documents() const { return documents_; }
  /// Whether some document says that it counts.
  [[nodiscard]] bool in_use(const RuleDocument& document) const;

 private:
  std::vector<RuleDocument> documents_;
  bool speaks_of_uses_ = false;
};

/// Beyond all rules: what protects the owner, and what only reads.
[[nodiscard]] bool is_beyond_rules(const RuleRequest& request);
/// The operations on keys, as rules name them: "use:sign".
[[nodiscard]] const std::vector<std::string>& key_uses();

/// "house (domain), house.toml line 7"
[[nodiscard]] std::string rule_place(const RuleDocument& document, const Rule& rule);
/// One sentence on what is decided and why.
[[nodiscard]] std::string decision_in_words(const RuleRequest& request,
                                            const RuleDecision& decision);
[[nodiscard]] JsonObject decision_json(const RuleRequest& request, const RuleDecision& decision);
/// What is said to whoever wanted it. Of a forbidding decision.
[[nodiscard]] Error decision_error(const RuleRequest& request, const RuleDecision& decision);

}  // namespace kith::node
