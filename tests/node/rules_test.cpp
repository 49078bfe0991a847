// Policy documents, as a pure function: which rule decides, and what no rule can do.

#include "node/rules.hpp"

#include <gtest/gtest.h>

#include "crypto/random.hpp"
#include "node/rule_limits.hpp"

namespace kith::node {
namespace {

JsonObject rule(std::initializer_list<const char*> operations, const char* effect,
                std::int64_t line = 1, bool is_final = false) {
  JsonArray words;
  for (const char* word : operations) words.emplace_back(word);
  JsonObject json{{"line", line}, {"operations", std::move(words)}, {"effect", effect}};
  if (is_final) json["final"] = true;
  return json;
}

JsonObject document(const char* level, const char* name, JsonArray rules, JsonObject more = {}) {
  JsonObject json{{"file", std::string(name) + ".toml"},
                  {"level", level},
                  {"name", name},
                  {"rules", std::move(rules)}};
  for (auto& member : more) json[member.key()] = member.value();
  return json;
}

RuleBook book(JsonArray documents) {
  auto parsed = RuleBook::parse(documents);
  EXPECT_TRUE(parsed.has_value()) << parsed.error().detail;
  return parsed.has_value() ? std::move(*parsed) : RuleBook();
}

RuleRequest request(const char* command, const char* contact = "", const char* key = "",
                    const char* kind = "") {
  RuleRequest made;
  made.name = command;
  made.row = operation_of_command(command);
  made.contact = contact;
  made.key = key;
  made.key_kind = kind;
  return made;
}

RuleEffect effect(const RuleBook& rules, const RuleRequest& wanted) {
  return rules.decide(wanted).effect;
}

std::string why_refused(JsonArray documents) {
  const auto parsed = RuleBook::parse(documents);
  return parsed.has_value() ? std::string() : parsed.error().detail;
}

const JsonObject kOfBob{{"contact", "bob"}};
const JsonObject kOfLogKeys{{"keys", JsonArray{"log-active"}}};

TEST(Rules, WithoutARuleItIsAllowed) {
  EXPECT_EQ(effect(RuleBook(), request("did-rotate")), RuleEffect::allow);
  EXPECT_FALSE(RuleBook().decide(request("did-rotate")).by);
}

TEST(Rules, TheMostSpecificLevelDecides) {
  const RuleBook rules = book(
      {document("framework", "club", {rule({"send"}, "passphrase")}),
       document("domain", "house", {rule({"send"}, "forbid")}, {{"frameworks", JsonArray{"club"}}}),
       document("connection", "to-bob", {rule({"send"}, "allow", 7)}, kOfBob),
       document("key", "careful", {rule({"send"}, "passphrase")}, kOfLogKeys)});
  EXPECT_EQ(effect(rules, request("send")), RuleEffect::forbid);
  EXPECT_EQ(effect(rules, request("send", "carol")), RuleEffect::forbid);
  EXPECT_EQ(effect(rules, request("send", "bob")), RuleEffect::allow);
  EXPECT_EQ(effect(rules, request("send", "bob", "k1", "log-active")), RuleEffect::passphrase);
  EXPECT_EQ(effect(rules, request("send", "bob", "k1", "share")), RuleEffect::allow);
  const RuleDecision decision = rules.decide(request("send", "bob"));
  EXPECT_EQ(decision.by->document->name, "to-bob");
  EXPECT_EQ(decision.by->rule->line, 7);
  EXPECT_EQ(decision.considered.size(), 3U);
}

TEST(Rules, WhatAFrameworkForbidsNobodyBelowLoosens) {
  for (const char* level : {"domain", "connection", "key"}) {
    const JsonObject scope = level == std::string("connection") ? kOfBob
                             : level == std::string("key")      ? kOfLogKeys
                                                                : JsonObject();
    const auto made = [&](const char* above) {
      return book({document("framework", "club", {rule({"rotate"}, above)}),
                   document("domain", "house", {}, {{"frameworks", JsonArray{"club"}}}),
                   document(level, "below", {rule({"did-rotate"}, "allow")}, scope)});
    };
    const RuleRequest wanted = request("did-rotate", "bob", "k", "log-active");
    EXPECT_EQ(effect(made("forbid"), wanted), RuleEffect::forbid) << level;
    // What it does not forbid may be loosened.
    EXPECT_EQ(effect(made("passphrase"), wanted), RuleEffect::allow) << level;
  }
}

TEST(Rules, AFinalRuleIsTightenedAndNotLoosened) {
  const auto made = [](bool is_final, const char* below) {
    return book({document("domain", "house", {rule({"did-rotate"}, "passphrase", 3, is_final)}),
                 document("connection", "to-bob", {rule({"did-rotate"}, below)}, kOfBob)});
  };
  const RuleRequest wanted = request("did-rotate", "bob");
  EXPECT_EQ(effect(made(true, "allow"), wanted), RuleEffect::passphrase);
  EXPECT_EQ(effect(made(false, "allow"), wanted), RuleEffect::allow);
  EXPECT_EQ(effect(made(true, "forbid"), wanted), RuleEffect::forbid);
  const RuleBook held = made(true, "allow");
  const RuleDecision decision = held.decide(wanted);
  EXPECT_EQ(decision.considered.front().part, RuleDecision::Considered::Part::held_back);
  EXPECT_EQ(decision.by->rule->line, 3);
}

TEST(Rules, FrameworksStandSideBySide) {
  const RuleBook rules = book(
      {document("framework", "club", {rule({"ping"}, "forbid")}),
       document("framework", "firm", {rule({"send"}, "forbid")}),
       document("framework", "unused", {rule({"*"}, "forbid")}),
       document("domain", "house", {}, {{"frameworks", JsonArray{"club"}}}),
       document("connection", "to-bob", {},
                {{"contact", "bob"}, {"frameworks", JsonArray{"firm"}}}),
       document("connection", "to-eve", {}, {{"contact", "eve"}, {"frameworks", JsonArray{}}})});
  // The same two questions, under three sets of frameworks.
  EXPECT_EQ(effect(rules, request("ping")), RuleEffect::forbid);
  EXPECT_EQ(effect(rules, request("send")), RuleEffect::allow);
  EXPECT_EQ(effect(rules, request("ping", "bob")), RuleEffect::allow);
  EXPECT_EQ(effect(rules, request("send", "bob")), RuleEffect::forbid);
  EXPECT_EQ(effect(rules, request("ping", "eve")), RuleEffect::allow);
  EXPECT_EQ(effect(rules, request("send", "eve")), RuleEffect::allow);
  EXPECT_FALSE(rules.in_use(rules.documents()[2]));
  EXPECT_TRUE(rules.in_use(rules.documents()[1]));
}

TEST(Rules, WithinALevelTheMoreExactOneDecidesAndThenTheStricter) {
  const RuleBook rules = book({document("domain", "one",
                                        {rule({"*"}, "forbid"), rule({"rotate"}, "passphrase"),
                                         rule({"did-rotate"}, "allow")}),
                               document("domain", "two", {rule({"keys-rotate"}, "allow")}),
                               document("domain", "three", {rule({"keys-rotate"}, "passphrase")})});
  EXPECT_EQ(effect(rules, request("send")), RuleEffect::forbid);
  EXPECT_EQ(effect(rules, request("keys-destroy")), RuleEffect::passphrase);
  EXPECT_EQ(effect(rules, request("did-rotate")), RuleEffect::allow);
  EXPECT_EQ(effect(rules, request("keys-rotate")), RuleEffect::passphrase);
}

TEST(Rules, NothingForbidsWhatProtectsOrOnlyReads) {
  const RuleBook strict = book({document("framework", "club", {rule({"*"}, "forbid", 1, true)}),
                                document("domain", "house", {rule({"*"}, "forbid", 1, true)},
                                         {{"frameworks", JsonArray{"club"}}})});
  std::size_t free = 0, forbidden = 0;
  for (const NamedOperation& one : all_operations()) {
    if (one.kind != OperationKind::command) continue;
    const bool is_free = one.row == Operation::look || one.row == Operation::object ||
                         one.row == Operation::warn || one.row == Operation::thaw ||
                         one.name == "policy-load";
    EXPECT_EQ(effect(strict, request(one.name.c_str())) == RuleEffect::allow, is_free) << one.name;
    (is_free ? free : forbidden) += 1;
    if (is_free) {
      EXPECT_NE(why_refused({document("domain", "d", {rule({one.name.c_str()}, "forbid")})}), "")
          << one.name;
    }
  }
  EXPECT_GT(free, 20U);
  EXPECT_GT(forbidden, 20U);
  for (const char* name : {"recovery-veto", "did-veto", "freeze", "thaw", "status"}) {
    EXPECT_EQ(effect(RuleBook::unreadable("?"), request(name)), RuleEffect::allow) << name;
  }
  EXPECT_EQ(effect(RuleBook::unreadable("?"), request("did-rotate")), RuleEffect::forbid);
  EXPECT_EQ(effect(RuleBook::unreadable("?"), request("policy-load")), RuleEffect::allow);
}

TEST(Rules, ThePassphraseIsAskedForByCommandsAlone) {
  const RuleBook rules = book({document("domain", "house", {rule({"rotate"}, "passphrase")})});
  EXPECT_EQ(effect(rules, request("did-rotate")), RuleEffect::passphrase);
  RuleRequest timer;
  timer.kind = RuleRequest::Kind::timer;
  timer.name = "rotation|look";
  timer.row = operation_of_timer("rotation", "look");
  EXPECT_EQ(*timer.row, Operation::rotate);
  EXPECT_EQ(effect(rules, timer), RuleEffect::allow);
  EXPECT_NE(why_refused({document("domain", "d", {rule({"use:sign"}, "passphrase")})}), "");
  EXPECT_NE(why_refused({document("domain", "d", {rule({"keys|look"}, "passphrase")})}), "");
}

TEST(Rules, UsesOfKeysAreMeantOnlyWhereTheyAreNamed) {
  RuleRequest use;
  use.kind = RuleRequest::Kind::use;
  use.name = "use:sign";
  use.key_kind = "log-active";
  const RuleBook everything = book({document("domain", "house", {rule({"*"}, "forbid")})});
  EXPECT_EQ(effect(everything, use), RuleEffect::allow);
  EXPECT_FALSE(everything.speaks_of_uses());
  const RuleBook of_keys = book({document("key", "k", {rule({"*"}, "forbid")}, kOfLogKeys)});
  EXPECT_EQ(effect(of_keys, use), RuleEffect::forbid);
  EXPECT_TRUE(of_keys.speaks_of_uses());
  use.key_kind = "share";
  EXPECT_EQ(effect(of_keys, use), RuleEffect::allow);
  EXPECT_EQ(effect(book({document("domain", "h", {rule({"use:*"}, "forbid")})}), use),
            RuleEffect::forbid);
}

TEST(Rules, ABadDocumentIsRefusedWithFileAndLine) {
  const auto domain = [](JsonObject one) { return document("domain", "house", {std::move(one)}); };
  EXPECT_EQ(
      why_refused({domain(rule({"did-rotat"}, "forbid", 12))}),
      "house.toml, line 12: no operation is called `did-rotat`; see `kith policy operations`");
  EXPECT_NE(why_refused({domain(rule({"did-rotate"}, "forbidden", 4))}).find("line 4"),
            std::string::npos);
  EXPECT_NE(why_refused({domain(rule({}, "forbid", 5))}).find("line 5"), std::string::npos);
  EXPECT_NE(why_refused({document("house", "x", {})}).find("level"), std::string::npos);
  EXPECT_NE(why_refused({document("domain", "", {})}), "");
  EXPECT_NE(why_refused({document("connection", "x", {})}).find("contact"), std::string::npos);
  EXPECT_NE(why_refused({document("domain", "x", {}, kOfBob)}).find("contact"), std::string::npos);
  EXPECT_NE(why_refused({document("key", "x", {})}).find("keys"), std::string::npos);
  EXPECT_NE(why_refused({document("domain", "x", {}, {{"frameworks", JsonArray{"none"}}})})
                .find("no framework `none`"),
            std::string::npos);
  EXPECT_NE(why_refused({document("framework", "x", {}, {{"frameworks", JsonArray{}}})}), "");
  EXPECT_NE(why_refused({document("domain", "x", {}), document("domain", "x", {})}), "");
  EXPECT_NE(why_refused({document("domain", "x", {}, {{"colour", "red"}})}), "");
  JsonObject odd = rule({"send"}, "forbid", 8);
  odd["colour"] = "red";
  EXPECT_NE(why_refused({domain(odd)}).find("line 8"), std::string::npos);
  EXPECT_EQ(why_refused({domain(rule({"did-rotate"}, "forbid"))}), "");
}

TEST(Rules, TheirNumberIsLimited) {
  JsonArray documents, rules, words;
  for (std::size_t n = 0; n <= rule_limits::kFilesMax; ++n) {
    documents.push_back(document("domain", ("d" + std::to_string(n)).c_str(), {}));
  }
  EXPECT_EQ(RuleBook::parse(documents).error(), Errc::limit_exceeded);
  documents.pop_back();
  EXPECT_TRUE(RuleBook::parse(documents).has_value());
  for (std::size_t n = 0; n <= rule_limits::kRulesMax; ++n) {
    rules.push_back(rule({"send"}, "allow"));
  }
  EXPECT_NE(why_refused({document("domain", "d", rules)}), "");
  rules.pop_back();
  EXPECT_EQ(why_refused({document("domain", "d", rules)}), "");
  for (std::size_t n = 0; n <= rule_limits::kItemsMax; ++n) words.emplace_back("send");
  JsonObject many = rule({"send"}, "allow");
  many["operations"] = words;
  EXPECT_NE(why_refused({document("domain", "d", {many})}), "");
  JsonObject wordy = rule({"send"}, "allow");
  wordy["reason"] = std::string(rule_limits::kTextBytesMax + 1, 'x');
  EXPECT_NE(why_refused({document("domain", "d", {wordy})}), "");
}

/// Whatever stands below: a prohibition of a framework stands, and so does a final rule.
TEST(Rules, RandomDocumentsBelowNeverLoosenWhatIsFixed) {
  crypto::SeededRandom random(20261123, "rules");
  const std::vector<const char*> words{"*", "rotate", "did-rotate", "talk", "send"};
  const std::vector<const char*> effects{"allow", "passphrase", "forbid"};
  const auto any = [&](const auto& all) { return all[random.below(all.size())]; };
  std::size_t loosened = 0;
  for (int round = 0; round < 2000; ++round) {
    const bool by_final = random.below(2) == 0;
    const char* const fixed = by_final ? any(effects) : "forbid";
    JsonArray documents{document("framework", "club", {rule({any(words)}, fixed, 1, by_final)}),
                        document("domain", "house", {}, {{"frameworks", JsonArray{"club"}}})};
    const RuleRequest wanted = request("did-rotate", "bob", "k", "log-active");
    const RuleBook alone = book(documents);
    const std::uint64_t more = random.below(6);
    for (std::uint64_t n = 0; n < more; ++n) {
      const std::uint64_t level = random.below(3);
      const std::string name = "d" + std::to_string(n);
      documents.push_back(document(level == 0   ? "domain"
                                   : level == 1 ? "connection"
                                                : "key",
                                   name.c_str(), {rule({any(words)}, any(effects))},
                                   level == 0   ? JsonObject()
                                   : level == 1 ? kOfBob
                                                : kOfLogKeys));
    }
    const RuleBook all = book(documents);
    ASSERT_GE(effect(all, wanted), effect(alone, wanted)) << crypto::json_text(Json(documents));
    if (effect(all, wanted) > effect(alone, wanted)) ++loosened;
  }
  EXPECT_GT(loosened, 100U) << "nothing was tried";
}

TEST(Rules, SayInWordsWhatDecidesAndWhy) {
  JsonObject careful = rule({"keys-destroy"}, "forbid", 9);
  careful["reason"] = "Ask Ann first";
  const RuleBook rules = book({document("domain", "house", {careful})});
  const RuleRequest wanted = request("keys-destroy");
  EXPECT_EQ(decision_in_words(wanted, rules.decide(wanted)),
            "keys-destroy is forbidden by house (domain), house.toml line 9: Ask Ann first.");
  const RuleRequest other = request("send");
  EXPECT_EQ(decision_in_words(other, rules.decide(other)),
            "send is allowed: no policy document speaks of it.");
  const RuleRequest veto = request("recovery-veto");
  EXPECT_NE(decision_in_words(veto, rules.decide(veto)).find("protects you"), std::string::npos);
  const JsonObject json = decision_json(wanted, rules.decide(wanted));
  EXPECT_EQ(json.at("decision"), Json("forbid"));
  EXPECT_EQ(json.at("rules").as_array().at(0).as_object().at("line"), Json(9));
}

}  // namespace
}  // namespace kith::node
