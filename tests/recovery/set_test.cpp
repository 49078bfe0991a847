#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/hash.hpp"
#include "crypto/limits.hpp"
#include "recovery/recognition_words.hpp"
#include "recovery/sheet.hpp"
#include "recovery/vouch.hpp"
#include "tests/recovery/recovery_fixture.hpp"

namespace kith::recovery::testing {
namespace {

SecretPoint key_of(const RecoverySet& set) {
  return recovery_key_of(set.record).value();
}

TEST(RecoverySet, HoldsOneRecordForEachLeafAndNoShare) {
  World world;
  const Plan plan = group(2, {leaf(trustee("a")), leaf(paper("safe")), flat(2, 2)});
  const DealtSet dealt = deal_set(world, plan);
  const RecoverySet& set = dealt.set;
  ASSERT_EQ(set.record.leaves.size(), 4u);
  ASSERT_EQ(set.trustees.size(), 3u);
  ASSERT_EQ(set.papers.size(), 1u);
  EXPECT_EQ(set.papers[0].leaf, 1u);
  EXPECT_TRUE(check_recovery_record(set.record).has_value());
  for (const TrusteeLeaf& sent : set.trustees) {
    const LeafRecord& held = dealt.accepted[sent.leaf]->record;
    const RecoveryRecord::Leaf& mine = set.record.leaves[sent.leaf];
    EXPECT_EQ(held.record_id, mine.record_id);
    EXPECT_EQ(held.share_point, mine.share_point);
    EXPECT_TRUE(set.sheet.has_leaf({held.record_id, held.version, held.x_path, held.share_point}));
    const KeyPair retire =
        world.keys.open_vault_item(world.unlocked_vault, sent.retire_item).value();
    EXPECT_EQ(retire.public_key, held.retire_key);
  }
  EXPECT_TRUE(set.sheet.has_paper(set.papers[0].share_point));
  EXPECT_TRUE(set.sheet.has_node(set.record.nodes[1].x_path, set.record.nodes[1].point));
}

TEST(RecoverySet, TheOwnersRecordSurvivesStorageAndShowsDamage) {
  World world;
  const DealtSet dealt = deal_set(world, group(2, {leaf(trustee("a")), flat(2, 3)}));
  const Bytes stored = protocol::encode_record(dealt.set.record);
  const auto read = [&] { return protocol::decode_record<RecoveryRecord>(stored).value(); };
  EXPECT_TRUE(check_recovery_record(read()).has_value());
  EXPECT_TRUE(key_of(dealt.set).equals(recovery_key_of(read())->expose_point()));

  const auto damaged = [&](auto change) {
    RecoveryRecord record = read();
    change(record);
    return check_recovery_record(record).has_error();
  };
  EXPECT_TRUE(damaged(
      [](RecoveryRecord& r) { std::swap(r.leaves[1].share_point, r.leaves[2].share_point); }));
  EXPECT_TRUE(damaged([](RecoveryRecord& r) {
    r.leaves[0].share_point = r.leaves[0].share_point.plus(Point::base()).value();
  }));
  EXPECT_TRUE(damaged([](RecoveryRecord& r) { r.leaves[1].x_path[1] = Scalar::from_u64(7); }));
  EXPECT_TRUE(damaged([](RecoveryRecord& r) { r.nodes[1].point = r.nodes[0].point; }));
  EXPECT_TRUE(damaged([](RecoveryRecord& r) { r.leaves.pop_back(); }));
  EXPECT_TRUE(damaged([](RecoveryRecord& r) { r.leaves[0].holder.id = "somebody else"; }));
  EXPECT_TRUE(damaged([](RecoveryRecord& r) { r.plan.threshold = 1; }));
  EXPECT_TRUE(damaged([&](RecoveryRecord& r) {
    r.recovery_key.bytes = SecretBytes::copy_of(Point::base().bytes());
  }));
  EXPECT_TRUE(damaged([](RecoveryRecord& r) { r.recovery_key.bytes = SecretBytes(31); }));
}

TEST(RecoverySet, ADrillNeedsASatisfyingSet) {
  World world;
  const DealtSet dealt = deal_set(world, flat(3, 5));
  EXPECT_TRUE(check_drill(dealt.set.record, {0, 2, 4}).has_value());
  EXPECT_EQ(check_drill(dealt.set.record, {0, 2}).error().code, Errc::not_enough);
}

TEST(RecoverySet, RefusesInputsThatDoNotFit) {
  World world;
  std::vector<Person> people;
  const SetInput good = set_input(world, flat(2, 3), people);
  const auto refusal = [&](auto change) {
    SetInput bad = good;
    change(bad);
    const auto made = make_set(bad, world.keys, world.random);
    return made.has_value() ? Errc::io : made.error().code;
  };
  EXPECT_EQ(refusal([](SetInput&) {}), Errc::io);
  EXPECT_EQ(refusal([](SetInput& i) { i.leaves.pop_back(); }), Errc::malformed);
  EXPECT_EQ(refusal([](SetInput& i) { i.leaves[0].reset(); }), Errc::malformed);
  EXPECT_EQ(refusal([](SetInput& i) { i.plan = Plan{}; }), Errc::malformed);
  EXPECT_EQ(refusal([](SetInput& i) {
              i.leaves[1]->locations[0].token = i.leaves[0]->locations[0].token;
            }),
            Errc::malformed);
  EXPECT_EQ(refusal([&](SetInput& i) { i.leaves[0]->trustee_key = world.agent.public_key; }),
            Errc::bad_key);
  EXPECT_EQ(refusal([](SetInput& i) { i.leaves[0]->owner_key = nullptr; }), Errc::malformed);
  EXPECT_EQ(refusal([](SetInput& i) { i.leaves[0]->terms.override_days = 1; }), Errc::malformed);
  EXPECT_EQ(refusal([](SetInput& i) { i.policy_address.clear(); }), Errc::malformed);
  EXPECT_EQ(refusal([](SetInput& i) { i.ledger_descriptors = {std::string(984, 'x')}; }),
            Errc::limit_exceeded);
  EXPECT_EQ(refusal([](SetInput& i) { i.agent_key = nullptr; }), Errc::malformed);
}

TEST(RecoverySet, TheCapsuleAlwaysHasOneSizeAndGivesTheVaultBack) {
  World world;
  const DealtSet small = deal_set(world, flat(2, 2));
  const DealtSet large = deal_set(world, flat(5, 9));
  EXPECT_EQ(small.set.capsule.size(), large.set.capsule.size());
  EXPECT_TRUE(capsule_core(Bytes(10)).has_error());
  Bytes cut = small.set.capsule;
  cut.pop_back();
  EXPECT_EQ(capsule_core(cut).error().code, Errc::malformed);
}

TEST(Vouch, OpensWithTheRightKeySaltAndRecordOnly) {
  World world;
  const DealtSet dealt = deal_set(world, flat(2, 2));
  const SecretPoint key = key_of(dealt.set);
  const LeafRecord& mine = dealt.accepted[0]->record;
  const LeafRecord& other = dealt.accepted[1]->record;
  const VouchContents opened = open_vouch(key, mine.r, mine.record_id, mine.vouch).value();
  EXPECT_EQ(opened.policy_address, kPolicy);
  EXPECT_EQ(opened.set_id, dealt.set.record.set_id);
  EXPECT_EQ(opened.ledger_descriptors, std::vector<std::string>{R"({"kind":"leveldb"})"});

  const auto refusal = [&](const SecretPoint& y, const Salt& r, const RecordId& id,
                           const Bytes& vouch) { return open_vouch(y, r, id, vouch).error().code; };
  EXPECT_EQ(refusal(SecretPoint(Point::base()), mine.r, mine.record_id, mine.vouch),
            Errc::cannot_decrypt);
  EXPECT_EQ(refusal(key, other.r, mine.record_id, mine.vouch), Errc::cannot_decrypt);
  EXPECT_EQ(refusal(key, mine.r, other.record_id, mine.vouch), Errc::cannot_decrypt);
  EXPECT_EQ(refusal(key, mine.r, mine.record_id, other.vouch), Errc::cannot_decrypt);
  Bytes cut = mine.vouch;
  cut.pop_back();
  EXPECT_EQ(refusal(key, mine.r, mine.record_id, cut), Errc::cannot_decrypt);
}

TEST(Vouch, HasOneSizeUpToTheLimitAndSaysWhenItIsPassed) {
  World world;
  const SecretPoint key(Point::base());
  const Salt r{};
  const RecordId id{};
  // Room: 984 = format, set id, two lengths, count.
  const std::size_t room = 984 - 1 - 16 - 2 - 1 - 2;
  VouchContents contents{{}, "p", {std::string(room - 1, 'l')}};
  const Bytes full = seal_vouch(key, r, id, contents, world.random).value();
  EXPECT_EQ(full.size(), limits::kVouchBytes);
  EXPECT_EQ(open_vouch(key, r, id, full).value(), contents);
  contents.ledger_descriptors[0].push_back('l');
  EXPECT_EQ(seal_vouch(key, r, id, contents, world.random).error().code, Errc::limit_exceeded);
  contents.ledger_descriptors.assign(kLedgerDescriptorsMax + 1, "l");
  EXPECT_EQ(seal_vouch(key, r, id, contents, world.random).error().code, Errc::limit_exceeded);
  contents = {{}, "", {}};
  EXPECT_EQ(seal_vouch(key, r, id, contents, world.random).error().code, Errc::malformed);
}

TEST(Head, OpensToCounterAndDigestAndNeverAsAVouch) {
  World world;
  const SecretPoint key(Point::base());
  const auto r = random_id<Salt>(world.random);
  const auto id = random_id<RecordId>(world.random);
  const HeadContents contents{0x0102030405060708, random_id<Digest>(world.random)};
  const Bytes head = seal_head(key, r, id, contents, world.random);
  EXPECT_EQ(head.size(), kHeadBytes);
  EXPECT_EQ(open_head(key, r, id, head).value(), contents);
  EXPECT_NE(seal_head(key, r, id, contents, world.random), head);
  EXPECT_EQ(open_head(key, r, RecordId{}, head).error().code, Errc::cannot_decrypt);
  for (std::size_t i = 0; i < head.size(); ++i) {
    Bytes bad = head;
    bad[i] ^= 1;
    EXPECT_TRUE(open_head(key, r, id, bad).has_error()) << i;
  }
}

TEST(Sheet, KnowsExactlyWhatIsOnIt) {
  World world;
  const DealtSet dealt = deal_set(world, group(2, {leaf(trustee("a")), flat(2, 2)}));
  const Sheet sheet = Sheet::parse(dealt.set.sheet.encoded()).value();
  EXPECT_EQ(sheet.set_id(), dealt.set.record.set_id);
  for (const RecoveryRecord::Leaf& held : dealt.set.record.leaves) {
    const SheetLeaf good{held.record_id, held.version, held.x_path, held.share_point};
    EXPECT_TRUE(sheet.has_leaf(good));
    EXPECT_FALSE(sheet.has_paper(good.share_point));
    EXPECT_FALSE(sheet.has_node(good.x_path, good.share_point));
    SheetLeaf bad = good;
    bad.record_id[0] ^= 1;
    EXPECT_FALSE(sheet.has_leaf(bad));
    bad = good, bad.version += 1;
    EXPECT_FALSE(sheet.has_leaf(bad));
    bad = good, bad.x_path.back() = Scalar::from_u64(3);
    EXPECT_FALSE(sheet.has_leaf(bad));
    bad = good, bad.share_point = Point::base();
    EXPECT_FALSE(sheet.has_leaf(bad));
  }
  const RecoveryRecord::Node& node = dealt.set.record.nodes[1];
  EXPECT_TRUE(sheet.has_node(node.x_path, node.point));
  EXPECT_FALSE(sheet.has_node(node.x_path, Point::base()));
  // The root's value is Y: never on the sheet.
  EXPECT_FALSE(sheet.has_node({}, dealt.set.record.nodes[0].point));
}

TEST(Sheet, HasOneSizeAndDistinctSlotsWhateverThePlan) {
  World world;
  std::set<Bytes> first_slots;
  for (const Plan& plan : {flat(2, 2), group(2, {flat(9, 32), flat(9, 32)})}) {
    const DealtSet dealt = deal_set(world, plan);
    const Bytes& bytes = dealt.set.sheet.encoded();
    ASSERT_EQ(bytes.size(), kSheetBytes);
    std::set<Bytes> slots;
    for (std::size_t at = 49; at < bytes.size(); at += 32) {
      slots.insert(crypto::to_bytes(ByteView(bytes).subspan(at, 32)));
    }
    EXPECT_EQ(slots.size(), limits::kSheetSlots);
  }
  EXPECT_EQ(Sheet::parse(Bytes(kSheetBytes - 1)).error().code, Errc::malformed);
  EXPECT_EQ(Sheet::parse(Bytes(kSheetBytes)).error().code, Errc::unsupported);
}

TEST(Sheet, OrderIsRandom) {
  // The one paper slot of many sheets lands all over the place.
  World world;
  std::set<std::size_t> places;
  for (int i = 0; i < 40; ++i) {
    Sheet::Contents contents;
    contents.paper = {Point::base()};
    const Sheet sheet = Sheet::make(contents, world.random);
    const Bytes& bytes = sheet.encoded();
    const auto slot = crypto::digest("kith/recovery/v1/paper",
                                     {ByteView(bytes).subspan(17, 32), Point::base().bytes()});
    const auto at = std::search(bytes.begin(), bytes.end(), slot.begin(), slot.end());
    ASSERT_NE(at, bytes.end());
    places.insert(static_cast<std::size_t>(at - bytes.begin() - 49) / 32);
  }
  EXPECT_GT(places.size(), 30u);
  EXPECT_GT(*places.rbegin() - *places.begin(), 128u);
}

TEST(Anchor, DependsOnEveryPart) {
  World world;
  const DealtSet dealt = deal_set(world, flat(2, 2));
  const SecretPoint key = key_of(dealt.set);
  const SetId& id = dealt.set.record.set_id;
  const Digest sheet = dealt.set.sheet.digest();
  const Digest capsule = capsule_digest(dealt.set.capsule);
  const Digest right = anchor(key, id, sheet, capsule);
  EXPECT_EQ(right, dealt.set.record.anchor);
  EXPECT_NE(anchor(SecretPoint(Point::base()), id, sheet, capsule), right);
  EXPECT_NE(anchor(key, SetId{}, sheet, capsule), right);
  EXPECT_NE(anchor(key, id, capsule, sheet), right);
  Bytes other = dealt.set.capsule;
  other[9] ^= 1;
  EXPECT_NE(anchor(key, id, sheet, capsule_digest(other)), right);
  EXPECT_EQ(crypto::from_multibase(anchor_text(right)).value(), crypto::to_bytes(right));
}

TEST(XPath, IsReadStrictly) {
  const XPath path{Scalar::from_u64(2), Scalar::from_u64(3)};
  const Bytes bytes = encode_x_path(path);
  EXPECT_TRUE(same_path(parse_x_path(bytes).value(), path));
  EXPECT_TRUE(parse_x_path(Bytes(kXPathBytes)).value().empty());
  Bytes gap(kXPathBytes);
  gap[32] = 1;
  EXPECT_EQ(parse_x_path(gap).error().code, Errc::malformed);
  EXPECT_EQ(parse_x_path(Bytes(kXPathBytes, 0xff)).error().code, Errc::malformed);
  EXPECT_EQ(parse_x_path(Bytes(95)).error().code, Errc::malformed);
}

TEST(RecognitionWords, AreSimpleDistinctAndStable) {
  const std::set<std::string_view> words(word_list().begin(), word_list().end());
  EXPECT_EQ(words.size(), 256u);
  for (const std::string_view word : words) {
    EXPECT_GE(word.size(), 3u);
    EXPECT_LE(word.size(), 7u);
    EXPECT_TRUE(std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; }));
  }
  const auto digest = crypto::digest("kith/recovery/v1/words", {crypto::as_bytes(kPolicy)});
  const auto shown = recognition_words(kPolicy);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(shown[i], word_list()[digest[i]]);
  EXPECT_NE(recognition_words("did:kith:zQmAnother"), shown);
}

}  // namespace
}  // namespace kith::recovery::testing
