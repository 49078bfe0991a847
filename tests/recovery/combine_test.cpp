#include "recovery/combine.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/recovery/recovery_fixture.hpp"

namespace kith::recovery::testing {
namespace {

enum class Bad {
  silent,
  bad_proof,
  stale_version,
  other_dealing,
  wrong_x_path,
  malformed,
  replayed,
  duplicate_only,  ///< Not bad: the honest answer twice.
};
constexpr Bad kAllBad[] = {Bad::silent,        Bad::bad_proof,     Bad::stale_version,
                           Bad::other_dealing, Bad::wrong_x_path,  Bad::malformed,
                           Bad::replayed,      Bad::duplicate_only};

/// Sets, sessions and every kind of answer, made once: proofs are the slow part.
class Table {
 public:
  explicit Table(const Plan& plan)
      : plan_(plan), dealt_(deal_set(world_, plan)), other_(deal_set(world_, plan)) {
    targets_.push_back(capsule_core(dealt_.set.capsule).value());
    for (std::size_t i = 0; i < dealt_.accepted.size(); ++i) {
      sessions_.push_back(open_session(world_, targets_));
      const DeviceSession elsewhere = open_session(world_, targets_);
      const AcceptedLeaf& leaf = *dealt_.accepted[i];
      honest_.push_back(encode_answer(answer_of(world_, leaf, sessions_[i])));
      replayed_.push_back(encode_answer(answer_of(world_, leaf, elsewhere)));

      LeafAnswer wrong = answer_of(world_, leaf, sessions_[i]);
      wrong.proofs[0][5] ^= 1;
      bad_proof_.push_back(encode_answer(wrong));

      // An older version of the same record: another share, duly proved.
      AcceptedLeaf old = leaf;
      old.record.version -= 1;
      old.share = other_.accepted[i]->share;
      old.record.share_point = other_.accepted[i]->record.share_point;
      stale_.push_back(encode_answer(answer_of(world_, old, sessions_[i])));

      foreign_.push_back(encode_answer(answer_of(world_, *other_.accepted[i], sessions_[i])));

      AcceptedLeaf moved = leaf;
      moved.record.x_path.back() = Scalar::random_nonzero(world_.random);
      moved_.push_back(encode_answer(answer_of(world_, moved, sessions_[i])));
    }
  }

  Bytes bad_answer(Bad kind, std::size_t i) const {
    switch (kind) {
      case Bad::bad_proof:
        return bad_proof_[i];
      case Bad::stale_version:
        return stale_[i];
      case Bad::other_dealing:
        return foreign_[i];
      case Bad::wrong_x_path:
        return moved_[i];
      case Bad::malformed:
        return Bytes{1, 2, 3};
      case Bad::replayed:
        return replayed_[i];
      case Bad::silent:
      case Bad::duplicate_only:
        break;
    }
    return honest_[i];
  }

  /// Leaves of `honest` answer rightly, all others as `kind`; bad answers arrive first.
  Collected collect(std::uint64_t honest, Bad kind) const {
    Collected input;
    input.targets = targets_;
    input.sheets = {dealt_.set.sheet};
    for (const DeviceSession& session : sessions_) input.sessions.push_back(collected(session));
    for (std::size_t i = 0; i < honest_.size(); ++i) {
      const bool good = (honest >> i & 1) != 0;
      if (!good && kind != Bad::silent && kind != Bad::duplicate_only) {
        input.answers.push_back({i, bad_answer(kind, i)});
      }
    }
    for (std::size_t i = 0; i < honest_.size(); ++i) {
      if ((honest >> i & 1) == 0) continue;
      input.answers.push_back({i, honest_[i]});
      if (kind == Bad::duplicate_only) input.answers.push_back({i, honest_[i]});
    }
    for (const RecoveryRecord::Leaf& leaf : dealt_.set.record.leaves) {
      input.known.push_back({leaf.record_id, leaf.version});
    }
    input.trials_max = 12;
    return input;
  }

  void expect_right(std::uint64_t honest, Bad kind) const {
    SCOPED_TRACE("honest " + std::to_string(honest) + " bad " +
                 std::to_string(static_cast<int>(kind)));
    const Collected input = collect(honest, kind);
    const Combined result = combine(input).value();
    LeafSet leaves;
    for (std::size_t i = 0; i < honest_.size(); ++i) {
      if ((honest >> i & 1) != 0) leaves.insert(i);
    }
    ASSERT_EQ(result.opened.has_value(), satisfied(plan_, leaves));
    if (!result.opened) {
      EXPECT_TRUE(result.blame.empty());
      EXPECT_TRUE(result.offline.empty());
      return;
    }
    EXPECT_TRUE(result.opened->recovery_key.equals(
        recovery_key_of(dealt_.set.record).value().expose_point()));
    EXPECT_FALSE(result.sheet_suspect);

    std::vector<Blame> blame;
    std::vector<std::size_t> offline;
    const std::size_t bad =
        kind == Bad::duplicate_only || kind == Bad::silent ? 0 : honest_.size() - leaves.size();
    for (std::size_t i = 0; i < bad; ++i) {
      switch (kind) {
        case Bad::stale_version:
          offline.push_back(input.answers[i].session);
          break;
        case Bad::malformed:
          blame.push_back({i, BlameReason::malformed});
          break;
        case Bad::other_dealing:
        case Bad::wrong_x_path:
          blame.push_back({i, BlameReason::unknown_leaf});
          break;
        default:
          blame.push_back({i, BlameReason::bad_proof});
      }
    }
    EXPECT_EQ(result.blame, blame);
    EXPECT_EQ(result.offline, offline);
    EXPECT_TRUE(result.undecided.empty());
  }

  World world_;
  Plan plan_;
  DealtSet dealt_;
  DealtSet other_;
  Targets targets_;
  std::vector<DeviceSession> sessions_;
  std::vector<Bytes> honest_, replayed_, bad_proof_, stale_, foreign_, moved_;
};

const Table& three_of_five() {
  static const Table table(flat(3, 5));
  return table;
}

Plan nested_plan() {
  // Two of: a third person, two of three friends, both parents.
  return group(2, {leaf(trustee("a")),
                   group(2, {leaf(trustee("b")), leaf(trustee("c")), leaf(trustee("d"))}),
                   group(2, {leaf(trustee("e")), leaf(trustee("f"))})});
}

const Table& nested() {
  static const Table table(nested_plan());
  return table;
}

TEST(Combine, AnyThreeOfFiveHonestWinWhateverElseArrivesAndBlameIsRight) {
  for (const Bad kind : kAllBad) {
    for (std::uint64_t honest = 0; honest < 32; ++honest) {
      three_of_five().expect_right(honest, kind);
    }
  }
}

TEST(Combine, NestedPlansOpenExactlyWhenSatisfiedWhateverElseArrives) {
  for (const Bad kind : kAllBad) {
    for (std::uint64_t honest = 0; honest < 64; ++honest) nested().expect_right(honest, kind);
  }
}

TEST(Combine, WhatItGivesOpensTheCapsule) {
  World world(7);
  const DealtSet dealt = deal_set(world, nested_plan());
  const crypto::ContainerCore core = capsule_core(dealt.set.capsule).value();
  Collected input;
  input.targets = {core, core};
  input.targets[1].ephemeral = core.ephemeral.times(Scalar::from_u64(5)).value();
  input.sheets = {dealt.set.sheet};
  for (const std::size_t i : {0U, 1U, 3U}) {
    const DeviceSession session = open_session(world, input.targets);
    input.sessions.push_back(collected(session));
    input.answers.push_back(
        {input.sessions.size() - 1, encode_answer(answer_of(world, *dealt.accepted[i], session))});
  }
  const Combined result = combine(input).value();
  ASSERT_TRUE(result.opened.has_value());
  ASSERT_EQ(result.opened->points.size(), 2u);
  ASSERT_TRUE(result.opened->points[0] && result.opened->points[1]);
  const auto capsule = open_capsule(dealt.set.capsule, result.opened->recovery_key,
                                    *result.opened->points[0], world.keys);
  ASSERT_TRUE(capsule.has_value()) << capsule.error().detail;
  EXPECT_EQ(capsule->vault.public_key, world.vault);
  EXPECT_EQ(capsule->set_id, dealt.set.record.set_id);
  EXPECT_EQ(capsule->signer, world.agent.public_key);
  // The second target is five times as far out, so its point must be too, and opens nothing here.
  EXPECT_TRUE(result.opened->points[1]->equals(
      result.opened->points[0]->expose_point().times(Scalar::from_u64(5)).value()));
  EXPECT_FALSE(open_capsule(dealt.set.capsule, result.opened->recovery_key,
                            *result.opened->points[1], world.keys)
                   .has_value());
}

TEST(Combine, ATargetUnderAnotherKeyStaysShut) {
  World world(8);
  const DealtSet dealt = deal_set(world, flat(2, 2));
  const DealtSet other = deal_set(world, flat(2, 2));
  Collected input;
  input.targets = {capsule_core(dealt.set.capsule).value(),
                   capsule_core(other.set.capsule).value()};
  input.sheets = {dealt.set.sheet};
  for (std::size_t i = 0; i < 2; ++i) {
    const DeviceSession session = open_session(world, input.targets);
    input.sessions.push_back(collected(session));
    input.answers.push_back({i, encode_answer(answer_of(world, *dealt.accepted[i], session))});
  }
  const Combined result = combine(input).value();
  ASSERT_TRUE(result.opened.has_value());
  EXPECT_TRUE(result.opened->points[0].has_value());
  EXPECT_FALSE(result.opened->points[1].has_value());
}

TEST(Combine, AWrongSheetBlamesNobodyAndIsTheSuspect) {
  const Table& table = three_of_five();
  for (const Bad kind : kAllBad) {
    Collected input = table.collect(0b00111, kind);
    input.sheets = {table.other_.set.sheet};
    if (kind == Bad::other_dealing)
      input.sheets = {deal_set(const_cast<World&>(table.world_), table.plan_).set.sheet};
    const Combined result = combine(input).value();
    EXPECT_TRUE(result.sheet_suspect);
    EXPECT_TRUE(result.blame.empty());
    EXPECT_TRUE(result.offline.empty());
  }
}

TEST(Combine, AnswersOffEverySheetAreTriedAndOpenWithoutBlame) {
  const Table& table = three_of_five();
  Collected input = table.collect(0b10101, Bad::malformed);
  input.sheets = {table.other_.set.sheet};
  const Combined result = combine(input).value();
  ASSERT_TRUE(result.opened.has_value());
  EXPECT_EQ(result.opened->sheet, std::nullopt);
  EXPECT_TRUE(result.blame.empty());
  EXPECT_EQ(std::count(result.status.begin(), result.status.end(), AnswerStatus::tried), 3);
}

TEST(Combine, OffTheSheetsOneLiarIsLeftOutWithinTheBound) {
  const Table& table = three_of_five();
  Collected input = table.collect(0b01111, Bad::wrong_x_path);
  input.sheets.clear();
  input.trials_max = 64;
  EXPECT_TRUE(combine(input).value().opened.has_value());
  input.trials_max = 1;  // The bound bites: one try with everybody does not do.
  EXPECT_FALSE(combine(input).value().opened.has_value());
}

TEST(Combine, AnOldSheetStillOpensBesideANewerOne) {
  const Table& table = three_of_five();
  Collected input = table.collect(0b11100, Bad::silent);
  input.sheets = {table.other_.set.sheet, table.dealt_.set.sheet};
  const Combined result = combine(input).value();
  ASSERT_TRUE(result.opened.has_value());
  EXPECT_EQ(result.opened->sheet, 1u);
}

TEST(Combine, BlameForProvenAnswersWaitsUntilTheRecordsAreKnown) {
  const Table& table = three_of_five();
  for (const Bad kind : {Bad::stale_version, Bad::other_dealing}) {
    Collected input = table.collect(0b00111, kind);
    input.known.clear();
    const Combined result = combine(input).value();
    ASSERT_TRUE(result.opened.has_value());
    EXPECT_TRUE(result.blame.empty());
    EXPECT_EQ(result.undecided, (std::vector<std::size_t>{0, 1}));
  }
}

TEST(Combine, AnHonestTrusteeWhoAlsoHoldsOldSetsIsNeitherBlamedNorOffline) {
  const Table& table = three_of_five();
  Collected input = table.collect(0b00111, Bad::silent);
  input.answers.push_back({0, table.foreign_[0]});
  input.answers.push_back({1, table.stale_[1]});
  const Combined result = combine(input).value();
  ASSERT_TRUE(result.opened.has_value());
  EXPECT_TRUE(result.blame.empty());
  EXPECT_TRUE(result.offline.empty());
}

TEST(Combine, PaperLeavesCountAndAMistypedPathIsLeftOut) {
  World world(9);
  // Shares in the clear come from an open dealing: KeyOps never shows one.
  const Plan plan = group(2, {leaf(paper("safe")), leaf(paper("bank")), leaf(paper("desk"))});
  const crypto::OpenDealing open = crypto::deal(deal_shape(plan), world.random).value();
  Sheet::Contents contents;
  for (const crypto::OpenLeaf& dealt : open.leaves) contents.paper.push_back(dealt.share_point);
  Collected input;
  input.sheets = {Sheet::make(contents, world.random)};
  const SecretPoint& key = open.recovery_key;
  CapsuleInput capsule;
  capsule.unlocked_vault = &world.unlocked_vault;
  capsule.agent_key = &world.agent.sealed;
  capsule.agent = world.agent.public_key;
  const Bytes sealed = make_capsule(key, capsule, world.keys).value();
  input.targets = {capsule_core(sealed).value()};
  for (const crypto::OpenLeaf& dealt : open.leaves) {
    input.shares.push_back({dealt.x_path, dealt.share, std::nullopt, 0});
  }
  input.shares[1].x_path = {Scalar::from_u64(99)};
  const Combined result = combine(input).value();
  ASSERT_TRUE(result.opened.has_value());
  EXPECT_EQ(result.opened->sheet, 0u);
  EXPECT_TRUE(
      open_capsule(sealed, result.opened->recovery_key, *result.opened->points[0], world.keys)
          .has_value());
  input.shares.resize(2);
  EXPECT_FALSE(combine(input).value().opened.has_value());
}

TEST(Combine, SlotsPlantedOnASheetAreLeftOut) {
  // A location with one accomplice puts the accomplice's invented leaf onto the sheet.
  const Table& table = three_of_five();
  Collected input = table.collect(0b00111, Bad::silent);
  const LeafAnswer planted = read_answer(table.moved_[4]).value();
  Sheet::Contents contents;
  contents.set_id = table.dealt_.set.record.set_id;
  for (const RecoveryRecord::Leaf& leaf : table.dealt_.set.record.leaves) {
    contents.leaves.push_back({leaf.record_id, leaf.version, leaf.x_path, leaf.share_point});
  }
  contents.leaves.push_back(
      {planted.record_id, planted.version, planted.x_path, planted.share_point});
  crypto::SeededRandom random(3, "planted");
  input.sheets = {Sheet::make(contents, random)};
  input.answers.push_back({4, table.moved_[4]});
  const Combined result = combine(input).value();
  ASSERT_TRUE(result.opened.has_value());
  EXPECT_EQ(result.opened->sheet, std::nullopt);
  EXPECT_TRUE(result.blame.empty());
}

TEST(Combine, SaysWhatIsMissing) {
  const Combined result = combine(nested().collect(0b000011, Bad::silent)).value();
  EXPECT_FALSE(result.opened.has_value());
  EXPECT_EQ(result.leaves_counted, 2u);
  EXPECT_EQ(result.groups_incomplete, 1u);
}

TEST(Combine, BlindedPointsDifferBetweenSessions) {
  const Table& table = three_of_five();
  std::set<Point> seen;
  for (const DeviceSession& session : table.sessions_) {
    EXPECT_NE(session.blinding.blinded[0], table.targets_[0].ephemeral);
    EXPECT_TRUE(seen.insert(session.blinding.blinded[0]).second);
  }
}

TEST(Combine, RefusesTooManyAnswersAndNoTarget) {
  Collected input = three_of_five().collect(1, Bad::silent);
  input.answers.resize(kCollectedAnswersMax + 1, input.answers[0]);
  EXPECT_EQ(combine(input).error().code, Errc::limit_exceeded);
  input.answers.clear();
  input.targets.clear();
  EXPECT_EQ(combine(input).error().code, Errc::malformed);
}

TEST(Answer, BoxesOpenOnlyInTheirSession) {
  World world(11);
  const DealtSet dealt = deal_set(world, flat(2, 2));
  const Targets targets{capsule_core(dealt.set.capsule).value()};
  const DeviceSession mine = open_session(world, targets);
  const DeviceSession other = open_session(world, targets);
  const LeafAnswer answer = answer_of(world, *dealt.accepted[0], mine);
  const Bytes box = seal_answers({answer}, mine.id, mine.key.public_key, world.keys).value();
  const auto opened = open_answers(box, mine.id, mine.key.sealed, world.keys);
  ASSERT_TRUE(opened.has_value());
  ASSERT_EQ(opened->size(), 1u);
  EXPECT_EQ(read_answer(opened->front())->share_point, answer.share_point);
  EXPECT_EQ(open_answers(box, other.id, mine.key.sealed, world.keys).error().code,
            Errc::cannot_decrypt);
  EXPECT_EQ(open_answers(box, mine.id, other.key.sealed, world.keys).error().code,
            Errc::cannot_decrypt);
  const std::vector<LeafAnswer> many(kAnswersPerReplyMax + 1, answer);
  EXPECT_EQ(seal_answers(many, mine.id, mine.key.public_key, world.keys).error().code,
            Errc::limit_exceeded);
}

TEST(Answer, MalformedFieldsAreRefusedOneByOne) {
  World world(12);
  const DealtSet dealt = deal_set(world, flat(2, 2));
  const Targets targets{capsule_core(dealt.set.capsule).value()};
  const LeafAnswer good = answer_of(world, *dealt.accepted[0], open_session(world, targets));
  ASSERT_TRUE(read_answer(encode_answer(good)).has_value());
  const auto refused = [&](auto change) {
    LeafAnswer bad = good;
    change(bad);
    return read_answer(encode_answer(bad)).has_error();
  };
  EXPECT_TRUE(refused([](LeafAnswer& a) { a.x_path.clear(); }));
  EXPECT_TRUE(refused([](LeafAnswer& a) { a.x_path.resize(4, Scalar::from_u64(1)); }));
  EXPECT_TRUE(refused([](LeafAnswer& a) { a.x_path[0] = Scalar(); }));
  EXPECT_TRUE(refused([](LeafAnswer& a) { a.version = 0; }));
  EXPECT_TRUE(refused([](LeafAnswer& a) { a.share_point = Point(); }));
  EXPECT_TRUE(refused([](LeafAnswer& a) { a.partials.clear(); }));
  EXPECT_TRUE(refused([](LeafAnswer& a) { a.partials.resize(5, a.partials[0]); }));
  EXPECT_TRUE(refused([](LeafAnswer& a) { a.proofs[0].pop_back(); }));
  EXPECT_TRUE(refused([](LeafAnswer& a) { a.vouch.pop_back(); }));
  EXPECT_TRUE(refused([](LeafAnswer& a) { a.head = Bytes(80); }));
}

TEST(Answer, QuestionsAreReadStrictly) {
  const Bytes point = crypto::to_bytes(Point::base().bytes());
  const Bytes id(16);
  EXPECT_TRUE(read_question(id, {point}).has_value());
  EXPECT_EQ(read_question(id, {}).error().code, Errc::malformed);
  EXPECT_EQ(read_question(id, std::vector<Bytes>(5, point)).error().code, Errc::limit_exceeded);
  EXPECT_EQ(read_question(Bytes(15), {point}).error().code, Errc::malformed);
  EXPECT_EQ(read_question(id, {Bytes(32)}).error().code, Errc::malformed);  // The identity.
}

}  // namespace
}  // namespace kith::recovery::testing
