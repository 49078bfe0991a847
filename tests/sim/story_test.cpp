// The checkers on the end of a whole story, and on faults planted into it.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "ledger/descriptor.hpp"
#include "ledger/identity.hpp"
#include "sim/checkers.hpp"

namespace kith::sim {
namespace {

constexpr std::chrono::hours kLimit{24 * 20};

/// Four people, two of three needed; one loses everything and comes back. Played once.
class Story {
 public:
  Story() : town(TownPlan{}), crowd(town, plan(), no_faults()) {
    crowd.start();
    set_up = town.world.run_until([this] { return crowd.all_set_up(); }, kLimit);
    town.world.run_for(std::chrono::hours{6});
    crowd.lose();
    recovered = town.world.run_until([this] { return crowd.all_recovered(); }, kLimit);
    town.world.run_for(std::chrono::hours{24});
  }

  static CrowdPlan plan() {
    CrowdPlan plan;
    plan.people = 4;
    plan.trustees = 3;
    plan.threshold = 2;
    plan.every = 4;
    return plan;
  }

  Town town;
  Crowd crowd;
  bool set_up = false;
  bool recovered = false;
};

class StoryTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { story_ = std::make_unique<Story>(); }
  static void TearDownTestSuite() { story_.reset(); }

  void SetUp() override {
    ASSERT_TRUE(story_->set_up && story_->recovered) << story_->crowd.describe();
    people_ = story_->crowd.people();
    for (Person& person : people_) {
      if (person.loses) back_ = &person;
    }
    ASSERT_NE(back_, nullptr);
  }
  [[nodiscard]] Town& town() const { return story_->town; }
  [[nodiscard]] std::size_t threshold() const { return story_->crowd.plan().threshold; }

  static std::unique_ptr<Story> story_;
  std::vector<Person> people_;  ///< A copy to spoil.
  Person* back_ = nullptr;      ///< Who lost everything.
};

std::unique_ptr<Story> StoryTest::story_;

TEST_F(StoryTest, PassesEveryChecker) {
  EXPECT_EQ(check_recovered(people_), Findings{});
  EXPECT_EQ(check_holders(people_, threshold()), Findings{});
  EXPECT_EQ(check_policies(town(), people_), Findings{});
  EXPECT_EQ(check_moves(town(), people_), Findings{});
  EXPECT_EQ(check_texts(story_->crowd), Findings{});
}

TEST_F(StoryTest, IsRefusedWhenSomebodyHasNotComeBack) {
  back_->stage = Stage::finishing;
  EXPECT_EQ(check_recovered(people_), Findings{back_->name + " has not recovered"});
}

TEST_F(StoryTest, IsRefusedWhenSomebodyComesBackAsSomebodyElse) {
  const Findings expected{back_->name + " came back as somebody else"};
  const std::string did = std::exchange(back_->did, people_.front().did);
  EXPECT_EQ(check_recovered(people_), expected);
  back_->did = did;
  back_->policy = people_.front().policy;
  EXPECT_EQ(check_recovered(people_), expected);
}

TEST_F(StoryTest, IsRefusedWhenTheLostMachineStillCounts) {
  // As if the agent that the policy names now were the lost one.
  const auto shown = town().ask(*back_->node, "policy-show");
  ASSERT_TRUE(shown.has_value());
  const auto& agents = shown->at("agents").as_array();
  ASSERT_EQ(agents.size(), 1U);
  back_->old_agent = std::string(agents.front().at("key").as_string());
  EXPECT_EQ(check_policies(town(), people_),
            Findings{back_->name + ": the lost machine still counts"});
}

TEST_F(StoryTest, IsRefusedWhenSomebodyHasNotMoved) {
  const auto stays = std::ranges::find(people_, false, &Person::loses);
  stays->moves = true;
  EXPECT_EQ(check_moves(town(), people_), Findings{stays->name + " has not moved"});
}

TEST_F(StoryTest, IsRefusedWhenANodeTakesItselfToLiveElsewhere) {
  const auto own = back_->node->look([](Host& host) { return *ledger::identity(host); });
  const auto set = [&](const ledger::Identity& identity) {
    ASSERT_TRUE(back_->node->store()
                    .commit({{{"meta", "identity"}, protocol::encode_record(identity)}})
                    .has_value());
  };
  ledger::Identity elsewhere = own;
  elsewhere.ledger_id = ledger::ledger_id(town().second_ledger().ledger().descriptor());
  set(elsewhere);
  EXPECT_EQ(check_moves(town(), people_),
            Findings(2, back_->name + " lives where the logs do not"));
  set(own);
  EXPECT_EQ(check_moves(town(), people_), Findings{});
}

TEST_F(StoryTest, IsRefusedWhenTheLedgerHasNoPolicy) {
  back_->policy = "did:kith:nobody";
  EXPECT_EQ(check_policies(town(), people_).size(), 1U);
}

TEST_F(StoryTest, IsRefusedWhenTooFewHoldTheirPart) {
  // Trustees' disks are exchanged for an empty one, until fewer than the threshold are left.
  // Others stand worse than the owner, who has lost what it held for them; they are not asked.
  SimNode& empty = town().add("nobody");
  const Person owner = *back_;
  const auto about_owner = [&] {
    Findings findings = check_holders(people_, threshold());
    std::erase_if(findings, [&](const std::string& f) { return f.find(owner.name) != 0; });
    return findings;
  };
  const std::size_t spare = owner.trustees.size() - threshold();
  for (std::size_t k = 0; k < spare; ++k) people_[owner.trustees[k]].node = &empty;
  EXPECT_EQ(about_owner(), Findings{});
  people_[owner.trustees[spare]].node = &empty;
  EXPECT_EQ(about_owner(), Findings{owner.name + " has only 1 holders"});
}

TEST_F(StoryTest, IsRefusedWhenASecretLiesOnTheLedger) {
  CanarySearch harmless;
  harmless.add("the root key", back_->node->root_key());
  EXPECT_EQ(check_ledger(town().first_ledger().ledger(), harmless), Findings{});
  // What certainly lies there stands in for a secret.
  const auto first = town().first_ledger().ledger().follow(0, 1);
  ASSERT_TRUE(first.has_value());
  ASSERT_EQ(first->entries.size(), 1U);
  const Bytes& blob = first->entries.front().blob;
  CanarySearch planted;
  planted.add("the secret", ByteView(blob).first(32));
  EXPECT_FALSE(check_ledger(town().first_ledger().ledger(), planted).empty());
}

}  // namespace
}  // namespace kith::sim
