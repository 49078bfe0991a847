#include "node/rules.hpp"

#include <algorithm>
#include <array>

namespace kith::node {
namespace {

using Kind = RuleRequest::Kind;
using Considered = RuleDecision::Considered;
using Part = Considered::Part;

constexpr std::string_view kAll = "*";
constexpr std::string_view kUse = "use:";
constexpr std::string_view kAllUses = "use:*";
constexpr std::string_view kLoadDocuments = "policy-load";

/// How exactly a word of a rule names the request; 0: not at all.
int exactness(std::string_view word, RuleLevel level, const RuleRequest& request) {
  if (word == request.name) return 3;
  if (request.kind == Kind::use) {
    if (word == kAllUses) return 2;
    return word == kAll && level == RuleLevel::key ? 1 : 0;
  }
  if (request.kind == Kind::message || request.kind == Kind::timer) {
    // All of a protocol or module.
    const char end = request.kind == Kind::message ? '/' : '|';
    if (request.name.substr(0, request.name.find(end)) + end + "*" == word) return 2;
  }
  if (request.row && word == operation_word(*request.row)) return 2;
  return word == kAll ? 1 : 0;
}

int exactness(const Rule& rule, RuleLevel level, const RuleRequest& request) {
  if (rule.effect == RuleEffect::passphrase && request.kind != Kind::command) return 0;
  if (rule.effect == RuleEffect::forbid && request.name == kLoadDocuments) return 0;
  int most = 0;
  for (const std::string& word : rule.operations) {
    most = std::max(most, exactness(word, level, request));
  }
  return most;
}

bool speaks_of_this(const RuleDocument& document, const RuleRequest& request,
                    const std::vector<std::string>& frameworks) {
  const auto has = [](const std::vector<std::string>& all, const std::string& one) {
    return !one.empty() && std::ranges::find(all, one) != all.end();
  };
  switch (document.level) {
    case RuleLevel::framework:
      return has(frameworks, document.name);
    case RuleLevel::domain:
      return true;
    case RuleLevel::connection:
      return !request.contact.empty() && request.contact == document.contact;
    case RuleLevel::key:
      return has(document.keys, request.key) || has(document.keys, request.key_kind);
  }
  return false;
}

void add_once(std::vector<std::string>& all, const std::vector<std::string>& more) {
  for (const std::string& name : more) {
    if (std::ranges::find(all, name) == all.end()) all.push_back(name);
  }
}

/// Those of the connection where it names any, else those of the domain.
std::vector<std::string> frameworks_for(const std::vector<RuleDocument>& documents,
                                        const RuleRequest& request) {
  std::vector<std::string> own, domain;
  bool chosen = false;
  for (const RuleDocument& document : documents) {
    if (!document.frameworks) continue;
    if (document.level == RuleLevel::domain) add_once(domain, *document.frameworks);
    if (document.level == RuleLevel::connection && speaks_of_this(document, request, {})) {
      chosen = true;
      add_once(own, *document.frameworks);
    }
  }
  return chosen ? own : domain;
}

bool is_floor(const Considered& one) {
  return one.rule->is_final ||
         (one.document->level == RuleLevel::framework && one.rule->effect == RuleEffect::forbid);
}

struct Candidate {
  Considered what;
  int exact = 0;
};

/// Whether `a` is the one of its level that counts, rather than `b`.
bool counts_before(const Candidate& a, const Candidate& b) {
  if (a.what.document->level != b.what.document->level) {
    return a.what.document->level > b.what.document->level;
  }
  if (a.exact != b.exact) return a.exact > b.exact;
  return a.what.rule->effect > b.what.rule->effect;
}

Part part_of(const Candidate& one, const Candidate& first, const Candidate& winner) {
  if (one.what.rule == winner.what.rule) return Part::decides;
  if (one.what.document->level != first.what.document->level) return Part::overridden;
  const bool is_first = one.what.rule == first.what.rule;
  if (winner.what.rule != first.what.rule && (is_first || one.exact == first.exact)) {
    return Part::held_back;
  }
  const bool same = one.exact == winner.exact && one.what.rule->effect == winner.what.rule->effect;
  return same ? Part::agrees : Part::less_exact;
}

}  // namespace

const std::vector<std::string>& key_uses() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> names;
    for (const char* name :
         {"sign", "sign_hash", "activate_next", "wrap_cek", "unwrap_cek", "open_box",
          "take_over_vault", "seal_capsule", "accept_share", "partial", "prove_share"}) {
      names.push_back(std::string(kUse) + name);
    }
    return names;
  }();
  return all;
}

bool is_beyond_rules(const RuleRequest& request) {
  if (request.kind == Kind::use || !request.row) return false;
  return *request.row == Operation::look || *request.row == Operation::object ||
         *request.row == Operation::warn || *request.row == Operation::thaw;
}

RuleDecision RuleBook::decide(const RuleRequest& request) const {
  RuleDecision decision;
  decision.frameworks = frameworks_for(documents_, request);
  if (is_beyond_rules(request)) return decision;
  std::vector<Candidate> candidates;
  for (const RuleDocument& document : documents_) {
    if (!speaks_of_this(document, request, decision.frameworks)) continue;
    for (const Rule& rule : document.rules) {
      const int exact = exactness(rule, document.level, request);
      if (exact > 0) candidates.push_back({{&document, &rule, Part::agrees}, exact});
    }
  }
  if (candidates.empty()) return decision;
  std::ranges::stable_sort(candidates, counts_before);
  const Candidate& first = candidates.front();
  const Candidate* winner = &first;
  for (const Candidate& one : candidates) {
    if (is_floor(one.what) && one.what.rule->effect > winner->what.rule->effect) winner = &one;
  }
  for (const Candidate& one : candidates) {
    decision.considered.push_back(one.what);
    decision.considered.back().part = part_of(one, first, *winner);
  }
  decision.effect = winner->what.rule->effect;
  decision.by = winner->what;
  decision.by->part = Part::decides;
  return decision;
}

bool RuleBook::in_use(const RuleDocument& document) const {
  if (document.level != RuleLevel::framework) return true;
  return std::ranges::any_of(documents_, [&](const RuleDocument& other) {
    return other.frameworks &&
           std::ranges::find(*other.frameworks, document.name) != other.frameworks->end();
  });
}

RuleBook RuleBook::unreadable(std::string why) {
  RuleDocument document;
  document.file = "the documents in force";
  document.name = "unreadable documents";
  Rule rule;
  rule.operations = {std::string(kAll)};
  rule.effect = RuleEffect::forbid;
  rule.reason = std::move(why) + "; mend them, then `kith policy reload`";
  rule.is_final = true;
  document.rules.push_back(std::move(rule));
  RuleBook book;
  book.documents_.push_back(std::move(document));
  return book;
}

}  // namespace kith::node
