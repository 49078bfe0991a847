#include "ledger/proposal_words.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "crypto/limits.hpp"

namespace kith::ledger {
namespace {

/// "PROVE, ADMIN"; bits without a name by their number.
std::string names_of(AuthBits bits) {
  std::string names;
  const auto add = [&names](const std::string& name) {
    names += (names.empty() ? "" : ", ") + name;
  };
  for (const AuthName& name : auth_names()) {
    if ((bits & name.bit) != 0) add(std::string(name.name));
  }
  if ((bits & ~auth::kKnown) != 0) {
    add("authorizations without a known name (" + std::to_string(bits & ~auth::kKnown) + ")");
  }
  return names.empty() ? "nothing" : names;
}

class PolicyTeller {
 public:
  PolicyTeller(const Policy& before, const Policy& after, const AgentNames& names)
      : before_(before), after_(after), names_(names) {}

  ProposalWords run() {
    for (const PolicyAgent& agent : after_.agents) tell_agent(agent);
    for (const PolicyAgent& agent : before_.agents) {
      if (find_agent(after_, agent.key) != nullptr) continue;
      say("Removes " + who(agent.key) + ", which may do: " + names_of(agent.auth) + ".");
    }
    tell_rules();
    tell_set();
    if (shared_order(before_, after_) != shared_order(after_, before_)) {
      say("Changes the order of the agents.");
    }
    warn();
    return std::move(words_);
  }

 private:
  void say(std::string sentence) { words_.changes.push_back(std::move(sentence)); }
  void warn_that(std::string sentence) { words_.warnings.push_back(std::move(sentence)); }

  [[nodiscard]] std::string who(const std::string& key) const {
    const auto name = names_.find(key);
    return "agent " + key + (name == names_.end() ? "" : " (" + name->second + ")");
  }

  void tell_agent(const PolicyAgent& agent) {
    const PolicyAgent* old = find_agent(before_, agent.key);
    if (old == nullptr) {
      say("Adds " + who(agent.key) + ", which may do: " + names_of(agent.auth) + ".");
    } else {
      const AuthBits gained = agent.auth & ~old->auth;
      const AuthBits lost = old->auth & ~agent.auth;
      if (gained != 0) say("Gives " + who(agent.key) + ": " + names_of(gained) + ".");
      if (lost != 0) say("Takes from " + who(agent.key) + ": " + names_of(lost) + ".");
    }
    const auto label = old == nullptr ? std::nullopt : old->label;
    if (agent.label && agent.label != label) {
      say("Labels " + who(agent.key) + " " + quoted(*agent.label) + ", for everybody to see.");
    } else if (!agent.label && label) {
      say("Takes its label " + quoted(*label) + " from " + who(agent.key) + ".");
    }
    const auto commitment = old == nullptr ? std::nullopt : old->commitment;
    if (agent.commitment == commitment) return;
    say((agent.commitment ? "Sets the commitment by which it proves its membership, of "
                          : "Takes the commitment by which it proves its membership from ") +
        who(agent.key) + ".");
  }

  void tell_rules() {
    auto names = before_.rules;
    names.insert(after_.rules.begin(), after_.rules.end());
    for (const auto& [name, unused] : names) {
      static_cast<void>(unused);
      const auto old = before_.rules.find(name);
      const auto now = after_.rules.find(name);
      const std::string rule = "the rule " + quoted(name);
      if (old == before_.rules.end()) {
        say("Adds " + rule + ": " + std::to_string(now->second) + " must agree.");
      } else if (now == after_.rules.end()) {
        say("Removes " + rule + ".");
      } else if (old->second != now->second) {
        say("Changes " + rule + ": " + std::to_string(now->second) + " must agree, until now " +
            std::to_string(old->second) + ".");
      }
    }
  }

  void tell_set() {
    if (before_.set == after_.set) return;
    if (!after_.set)
      return say("Forgets the recovery set: nobody could check a backup against it.");
    say("Names another recovery set: " + quoted(*after_.set) + ".");
  }

  [[nodiscard]] static std::uint32_t holders(const Policy& policy, AuthBits bits) {
    return static_cast<std::uint32_t>(std::ranges::count_if(
        policy.agents, [bits](const PolicyAgent& agent) { return (agent.auth & bits) != 0; }));
  }

  void warn() {
    for (const auto action : {PolicyAction::grant, PolicyAction::revoke, PolicyAction::admin}) {
      const std::string name(action_name(action));
      const auto now = after_.rules.find(name);
      const auto old = before_.rules.find(name);
      if (now == after_.rules.end() || old == before_.rules.end()) continue;
      const std::uint32_t count = holders(after_, counting_bits(action));
      const std::uint32_t count_before = holders(before_, counting_bits(action));
      if (count >= now->second) continue;
      if (count == count_before && now->second == old->second) continue;
      warn_that("Afterwards nobody can meet the rule " + quoted(name) + ": it asks for " +
                std::to_string(now->second) + ", and " + std::to_string(count) +
                (count == 1 ? " agent counts." : " agents count."));
    }
    const auto admin = after_.rules.find("admin");
    if (admin == after_.rules.end()) return;
    const std::uint32_t admins = holders(after_, auth::kAdmin);
    const bool differs = admins != holders(before_, auth::kAdmin) || before_.rules != after_.rules;
    if (differs && admins == admin->second) {
      warn_that("Afterwards every one of the " + std::to_string(admins) +
                " administrators must agree: if one is lost, only a recovery helps.");
    }
    for (const auto& [key, name] : names_) {
      const PolicyAgent* old = find_agent(before_, key);
      const PolicyAgent* now = find_agent(after_, key);
      const AuthBits lost = old == nullptr ? 0 : old->auth & ~(now == nullptr ? 0 : now->auth);
      if ((lost & auth::kAdmin) != 0) warn_that("Afterwards " + name + " is no administrator.");
    }
  }

  const Policy& before_;
  const Policy& after_;
  const AgentNames& names_;
  ProposalWords words_;
};

// --- DID documents

std::string text_of_item(const Json& item) {
  return item.is_string() ? std::string(item.get_string()) : crypto::json_text(item);
}

std::optional<std::string> id_of(const Json& item) {
  if (item.is_string()) return std::string(item.get_string());
  if (!item.is_object()) return std::nullopt;
  const Json* id = item.get_object().if_contains("id");
  if (id == nullptr || !id->is_string()) return std::nullopt;
  return std::string(id->get_string());
}

const Json* item_named(const JsonArray& items, const std::string& id) {
  for (const Json& item : items) {
    if (id_of(item) == id) return &item;
  }
  return nullptr;
}

bool is_list_of_named(const Json* value) {
  return value != nullptr && value->is_array() &&
         std::ranges::all_of(value->get_array(),
                             [](const Json& item) { return id_of(item).has_value(); });
}

void compare_lists(const std::string& member, const JsonArray& before, const JsonArray& after,
                   std::vector<std::string>& changes) {
  const std::size_t said = changes.size();
  for (const Json& item : after) {
    const Json* old = item_named(before, *id_of(item));
    if (old != nullptr && *old == item) continue;
    changes.push_back((old == nullptr ? "Adds to " : "Changes in ") + member + ": " +
                      quoted(text_of_item(item)) + ".");
  }
  for (const Json& item : before) {
    if (item_named(after, *id_of(item)) != nullptr) continue;
    changes.push_back("Removes from " + member + ": " + quoted(text_of_item(item)) + ".");
  }
  if (changes.size() > said) return;
  changes.push_back("Puts " + member + " in another order: " + quoted(crypto::json_text(after)) +
                    ".");
}

void compare_member(const std::string& member, const Json* before, const Json* after,
                    std::vector<std::string>& changes) {
  static const JsonArray kNone;
  const bool lists = (before == nullptr || is_list_of_named(before)) &&
                     (after == nullptr || is_list_of_named(after));
  if (lists) {
    return compare_lists(member, before == nullptr ? kNone : before->get_array(),
                         after == nullptr ? kNone : after->get_array(), changes);
  }
  changes.push_back(after == nullptr
                        ? "Removes " + member + "."
                        : "Sets " + member + " to " + quoted(crypto::json_text(*after)) + ".");
}

}  // namespace

std::string shown_text(std::string_view text, std::size_t max) {
  // U+200B to U+200F, U+2028 to U+202E and U+2066 to U+2069: what is not seen, or turns round what
  // stands beside it.
  static constexpr auto kSly = std::to_array<std::string_view>({
      "\u200b",
      "\u200c",
      "\u200d",
      "\u200e",
      "\u200f",
      "\u2028",
      "\u2029",
      "\u202a",
      "\u202b",
      "\u202c",
      "\u202d",
      "\u202e",
      "\u2066",
      "\u2067",
      "\u2068",
      "\u2069",
      "\ufeff",
      "\u061c",
  });
  std::string shown;
  while (!text.empty() && shown.size() < max) {
    const auto sly = std::ranges::find_if(
        kSly, [text](std::string_view character) { return text.starts_with(character); });
    if (sly != kSly.end()) {
      shown += '?';
      text.remove_prefix(sly->size());
      continue;
    }
    const auto byte = static_cast<unsigned char>(text.front());
    shown += byte < 0x20 || byte == 0x7f ? '?' : text.front();
    text.remove_prefix(1);
  }
  if (text.empty()) return shown;
  // Not through the middle of a character.
  while (!shown.empty() && (static_cast<unsigned char>(shown.back()) & 0xc0U) == 0x80U) {
    shown.pop_back();
  }
  if (!shown.empty() && static_cast<unsigned char>(shown.back()) >= 0xc0U) shown.pop_back();
  return shown + "...";
}

std::string quoted(std::string_view text) {
  std::string shown = shown_text(text, limits::kEntryBytesMax);
  std::ranges::replace(shown, '"', '\'');  // So that it ends where it ends.
  return "\"" + shown + "\"";
}

ProposalWords policy_words(const Policy& before, const Policy& after, const AgentNames& names) {
  return PolicyTeller(before, after, names).run();
}

ProposalWords document_words(const Json& before, const Json& after) {
  ProposalWords words;
  if (!before.is_object() || !after.is_object()) {
    words.changes.emplace_back("Replaces the whole document.");
    return words;
  }
  for (const auto& member : after.get_object()) {
    const Json* old = before.get_object().if_contains(member.key());
    if (old != nullptr && *old == member.value()) continue;
    compare_member(std::string(member.key()), old, &member.value(), words.changes);
  }
  for (const auto& member : before.get_object()) {
    if (after.get_object().contains(member.key())) continue;
    compare_member(std::string(member.key()), &member.value(), nullptr, words.changes);
  }
  return words;
}

ProposalWords words_of(Kind kind, const Json& before, const Json& after, const AgentNames& names) {
  if (kind != Kind::policy) return document_words(before, after);
  const auto old_policy = parse_policy(before);
  const auto new_policy = parse_policy(after);
  if (!old_policy.has_value() || !new_policy.has_value()) {
    return {{"Replaces the policy by something that cannot be read."}, {}};
  }
  return policy_words(*old_policy, *new_policy, names);
}

}  // namespace kith::ledger
