/// The judge of proposals against the reader, and the words against the rules.

#include "ledger/proposal_check.hpp"

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "ledger/proposal_words.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

using ledger::AgentNames;
using ledger::Place;
using ledger::Policy;
using ledger::ProposalGround;
namespace auth = ledger::auth;

/// A policy of three administrators of which two must agree.
struct CheckLab : LogLab {
  explicit CheckLab(std::vector<ledger::AuthBits> auths = {auth::kOwnerAll, auth::kOwnerAll,
                                                           auth::kOwnerAll, auth::kProve},
                    std::uint32_t admin = 2)
      : LogLab(Kind::policy) {
    LogContent content = first_content();
    Policy state = policy_state(std::move(auths));
    state.rules["admin"] = admin;
    content.state = ledger::policy_json(state);
    start_with(content);
  }
  Policy policy() const { return must(ledger::parse_policy(view().current.state)); }
  Entry change(const std::function<void(Policy&)>& how) const {
    Policy after = policy();
    how(after);
    return must(ledger::make_update(view(), ledger::policy_json(after), time));
  }
  Entry change_set() const {
    return change([](Policy& policy) { policy.set = "other"; });
  }
  std::string agent(std::size_t i) const { return crypto::multikey(agents[i].public_key); }
  Entry by(Entry entry, std::vector<std::size_t> who) {
    for (const std::size_t i : who) sign(entry, {agent(i)});
    return entry;
  }
  Result<void> judge(const Entry& entry) const {
    const LogView now = view();
    return ledger::check_proposal({now, now, blobs, {time, false}}, entry);
  }
  /// With everybody's signature that counts, does the reader take it?
  bool taken_with_all(Entry entry) {
    const LogView now = view();
    const auto counting = ledger::counting_keys({now, now, blobs, {time, false}}, entry);
    entry.sigs.clear();
    sign(entry, counting);
    return !rule_against(entry).has_value();
  }
};

TEST(ProposalCheck, TakesWhatTheReaderTakesOnceAllHaveSigned) {
  CheckLab lab;
  const std::vector<Entry> entries = {
      lab.change_set(),
      lab.change([](Policy& policy) { policy.rules["admin"] = 3; }),
      lab.change([](Policy& policy) { policy.rules["grant"] = 3; }),
      lab.change([](Policy& policy) { policy.agents.pop_back(); }),
      lab.change([](Policy& policy) { policy.agents[3].auth = 0; }),
      lab.change([](Policy& policy) { std::swap(policy.agents[0], policy.agents[1]); }),
  };
  for (const Entry& entry : entries) {
    EXPECT_TRUE(lab.judge(entry).has_value()) << lab.judge(entry).error().detail;
    EXPECT_TRUE(lab.taken_with_all(entry));
  }
}

TEST(ProposalCheck, RefusesWhatTheReaderRefusesWhoeverSigns) {
  CheckLab lab;
  lab.post(lab.by(lab.change_set(), {0, 1}));
  const Entry good = lab.change([](Policy& policy) { policy.set = "third"; });
  std::vector<Entry> bad(9, good);
  bad[0].n = 1;
  bad[1].n = 3;
  bad[2].prev = lab.view().history[0].hash;
  bad[3].content->rec.contest += std::chrono::seconds{1};
  bad[4].content->next.kd[0] = ledger::key_digest("z6Mkother");
  bad[5].content->ledgers.push_back("L2");
  bad[6].content->keys = lab.fresh_keys().keys;
  bad[7] = lab.change([](Policy& policy) { policy.agents[0].auth |= 1U << 12U; });
  bad[8].content->state.as_object()["rules"].as_object()["admin"] = 4;
  for (std::size_t i = 0; i < bad.size(); ++i) {
    EXPECT_FALSE(lab.judge(bad[i]).has_value()) << i;
    EXPECT_FALSE(lab.taken_with_all(bad[i])) << i;
  }
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(lab.judge(bad[i]).error(), Errc::conflict) << i;
  EXPECT_TRUE(lab.judge(good).has_value());
}

TEST(ProposalCheck, RefusesWhatOnlyTheReaderKnowsToBeWrong) {
  CheckLab lab;
  lab.ledger = "L1";
  for (auto& blob : lab.blobs) blob.ledger = lab.ledger;
  lab.post(lab.move("L1", "L2"));
  const LogView now = lab.view();
  const auto judge_at = [&](const std::string& ledger) {
    const Entry entry = must(ledger::make_update(now, ledger::policy_json([&] {
                                                   Policy policy = lab.policy();
                                                   policy.set = "moved";
                                                   return policy;
                                                 }()),
                                                 lab.time));
    return ledger::check_proposal({now, now, lab.blobs, {lab.time, false, ledger}}, entry);
  };
  // It follows the head, and the log goes on on another ledger than the one that it is meant for.
  ASSERT_FALSE(judge_at("L1").has_value());
  EXPECT_EQ(judge_at("L1").error(), Errc::invalid_entry);
  EXPECT_TRUE(judge_at("L2").has_value()) << judge_at("L2").error().detail;
}

TEST(ProposalCheck, RefusesWhileTheLogIsContestedOrOver) {
  CheckLab lab;
  const Entry entry = lab.change_set();
  const auto blobs = lab.blobs;
  lab.post(lab.recover(0));
  EXPECT_EQ(lab.judge(entry).error(), Errc::wrong_state);
  lab.blobs = blobs;
  EXPECT_TRUE(lab.judge(entry).has_value());
  lab.post(lab.deactivate());
  EXPECT_EQ(lab.judge(entry).error(), Errc::wrong_state);
}

TEST(ProposalCheck, RefusesAnEntryThatSignaturesWouldMakeTooLong) {
  CheckLab lab(std::vector<ledger::AuthBits>(60, auth::kOwnerAll), 40);
  const auto with_labels = [&](std::size_t bytes) {
    return lab.change([&](Policy& policy) {
      for (auto& agent : policy.agents) agent.label = std::string(bytes, 'x');
    });
  };
  std::size_t bytes = 10;
  ASSERT_TRUE(lab.judge(with_labels(bytes)).has_value());
  while (bytes < 100 && lab.judge(with_labels(bytes)).has_value()) ++bytes;
  const Entry full = with_labels(bytes);
  EXPECT_LE(ledger::entry_blob(full).size(), limits::kEntryBytesMax);
  const auto judged = lab.judge(full);
  ASSERT_FALSE(judged.has_value());
  EXPECT_EQ(judged.error(), Errc::limit_exceeded);
}

TEST(ProposalCheck, SaysWhereAnEntryStands) {
  CheckLab lab;
  const Entry first = lab.by(lab.change_set(), {0, 1});
  EXPECT_EQ(ledger::place_of(lab.view(), first), Place::next);
  Entry apart = first;
  apart.prev = ledger::key_digest("x");
  EXPECT_EQ(ledger::place_of(lab.view(), apart), Place::apart);
  lab.post(first);
  EXPECT_EQ(ledger::place_of(lab.view(), first), Place::present);
  EXPECT_EQ(ledger::place_of(lab.view(), apart), Place::passed);
  const Entry second = lab.change([](Policy& policy) { policy.set = "third"; });
  lab.blobs.pop_back();
  EXPECT_EQ(ledger::place_of(lab.view(), second), Place::ahead);
}

TEST(ProposalCheck, CountsWhoHasASay) {
  CheckLab lab;
  const LogView now = lab.view();
  const ProposalGround ground{now, now, lab.blobs, {lab.time, false}};
  const Entry entry = lab.change_set();
  EXPECT_TRUE(ledger::has_say(ground, entry, lab.agent(0)));
  EXPECT_FALSE(ledger::has_say(ground, entry, lab.agent(3)));
  const Entry own = lab.change([](Policy& policy) { policy.agents[3].auth = 0; });
  EXPECT_TRUE(ledger::has_say(ground, own, lab.agent(3)));
  EXPECT_TRUE(ledger::has_quorum(ground, lab.by(own, {3})).has_value());
  EXPECT_FALSE(ledger::has_quorum(ground, lab.by(entry, {0})).has_value());
  EXPECT_TRUE(ledger::has_quorum(ground, lab.by(entry, {0, 2})).has_value());
  const auto needs = ledger::needs_of(ground, lab.by(entry, {0}));
  ASSERT_EQ(needs.size(), 1U);
  EXPECT_EQ(needs[0].rule, "admin");
  EXPECT_EQ(needs[0].needed, 2U);
  EXPECT_EQ(needs[0].have, 1U);
  EXPECT_TRUE(ledger::can_do_without(ground, entry, {lab.agent(0)}));
  EXPECT_FALSE(ledger::can_do_without(ground, entry, {lab.agent(0), lab.agent(1)}));
  EXPECT_EQ(lab.judge(lab.by(entry, {3})).error(), Errc::refused);
}

// --- Words

std::vector<std::string> told(const Policy& before, const Policy& after) {
  return ledger::policy_words(before, after, {}).changes;
}

TEST(ProposalWords, NameEveryChangeThatTheRulesSee) {
  CheckLab lab;
  const Policy before = lab.policy();
  const std::string commitment = crypto::multibase(Bytes(32, 7));
  const std::vector<std::function<void(Policy&)>> changes = {
      [](Policy& policy) { policy.set = "s"; },
      [](Policy& policy) { policy.rules["grant"] = 2; },
      [](Policy& policy) { policy.rules["extra"] = 2; },
      [](Policy& policy) { policy.agents[0].auth &= ~auth::kProve; },
      [](Policy& policy) { policy.agents[3].auth |= auth::kAdminAuthz; },
      [](Policy& policy) { policy.agents[3].label = "tv"; },
      [&](Policy& policy) { policy.agents[3].commitment = commitment; },
      [](Policy& policy) { policy.agents.pop_back(); },
      [&](Policy& policy) {
        policy.agents.push_back(
            {crypto::multikey(lab.fresh(KeyPurpose::agent).public_key), 0, {}, {}});
      },
      [](Policy& policy) { std::swap(policy.agents[0], policy.agents[3]); },
  };
  Policy all = before;
  for (const auto& change : changes) {
    Policy after = before;
    change(after);
    ASSERT_FALSE(must(ledger::policy_changes(before, after)).empty());
    EXPECT_EQ(told(before, after).size(), 1U);
    EXPECT_EQ(told(after, before).size(), 1U);
    change(all);
  }
  EXPECT_EQ(told(before, all).size(), 7U);  // Agent 3 lost its place, and what it was given.
  EXPECT_TRUE(told(before, before).empty());
}

TEST(ProposalWords, HideNothingBehindAnother) {
  CheckLab lab;
  const Policy before = lab.policy();
  Policy after = before;
  std::swap(after.agents[0], after.agents[1]);
  after.set = "s";
  EXPECT_EQ(told(before, after).size(), 2U);
}

TEST(ProposalWords, WarnOfRulesThatNobodyCanMeet) {
  CheckLab lab;
  const Policy before = lab.policy();
  Policy after = before;
  after.rules["grant"] = 5;
  const auto words = ledger::policy_words(before, after, {});
  ASSERT_EQ(words.warnings.size(), 1U);
  EXPECT_EQ(words.warnings[0],
            "Afterwards nobody can meet the rule \"grant\": it asks for 5, and 3 agents count.");
  EXPECT_TRUE(ledger::policy_words(after, after, {}).warnings.empty());
}

TEST(ProposalWords, CannotBeForgedByTextsInTheEntry) {
  EXPECT_EQ(ledger::quoted("a\". Removes nothing.\n\x1b[1A"), "\"a'. Removes nothing.??[1A\"");
  EXPECT_EQ(ledger::quoted("\u202etxt\u2069 \u200bx"), "\"?txt? ?x\"");
  EXPECT_EQ(ledger::shown_text("abcdef", 3), "abc...");
  EXPECT_EQ(ledger::shown_text("ab\u00e9f", 3), "ab...");
  EXPECT_EQ(ledger::shown_text("abc", 3), "abc");
}

TEST(ProposalWords, TellDocuments) {
  const auto words = [](std::string_view before, std::string_view after) {
    return ledger::document_words(must(crypto::parse_json(before)), must(crypto::parse_json(after)))
        .changes;
  };
  const std::string service = R"({"id":"#s","serviceEndpoint":"https://a/"})";
  const std::string other = R"({"id":"#s","serviceEndpoint":"https://b/"})";
  EXPECT_EQ(words(R"({"service":[]})", R"({"service":[)" + service + "]}").size(), 1U);
  EXPECT_EQ(words(R"({"service":[)" + service + "]}", R"({"service":[)" + other + "]}")[0],
            "Changes in service: \"{'id':'#s','serviceEndpoint':'https://b/'}\".");
  EXPECT_EQ(words(R"({"service":[)" + service + "]}", "{}")[0].substr(0, 21),
            "Removes from service:");
  EXPECT_EQ(words(R"({"authentication":["#a","#b"]})", R"({"authentication":["#b"]})")[0],
            "Removes from authentication: \"#a\".");
  EXPECT_EQ(words(R"({"authentication":["#a","#b"]})", R"({"authentication":["#b","#a"]})").size(),
            1U);
  EXPECT_EQ(words(R"({"authentication":["#a"]})", R"({"authentication":["#a","#a"]})").size(), 1U);
  EXPECT_EQ(words(R"({"id":"x","n":1})", R"({"id":"x","n":2})")[0], "Sets n to \"2\".");
  EXPECT_TRUE(words(R"({"id":"x"})", R"({"id":"x"})").empty());
}

}  // namespace
}  // namespace kith::test
