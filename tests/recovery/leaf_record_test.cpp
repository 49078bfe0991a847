#include "recovery/leaf_record.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "crypto/limits.hpp"
#include "tests/recovery/recovery_fixture.hpp"

namespace kith::recovery::testing {
namespace {

/// Fields of the wire form, as docs/storage-formats.md lists them.
struct Field {
  const char* name;
  std::size_t at;
  std::size_t size;
  /// Two trustees' records may hold the same here (recovery-protocol section 2).
  bool may_agree = false;
};
constexpr Field kFields[] = {
    {"format", 0, 1, true},
    {"record id", 1, 16},
    {"version", 17, 8},
    {"x, level 1", 25, 32},
    {"x, levels that are not there", 57, 64, true},
    {"share point", 121, 32},
    {"r", 153, 32},
    {"vouch", 185, 1024},
    {"waiting class", 1209, 1, true},
    {"override days", 1210, 2, true},
    {"contest days", 1212, 2, true},
    {"flags", 1214, 1, true},
    {"question", 1215, 258, true},
    {"hint", 1473, 258, true},
    {"location 1", 1731, 512, true},
    {"token 1", 2243, 32},
    {"location 2", 2275, 512, true},
    {"token 2", 2787, 32},
    {"locations that are not there", 2819, 1088, true},
    {"retire key", 3907, 32},
    {"padding", 3939, 13, true},
    {"share box", 3952, 80},
    {"signature", 4032, 64},
};

TEST(LeafRecord, FieldsStandWhereTheDocumentationSaysAndFillTheRecord) {
  std::size_t at = 0;
  for (const Field& field : kFields) {
    EXPECT_EQ(field.at, at) << field.name;
    at += field.size;
  }
  EXPECT_EQ(at, limits::kLeafRecordBytes);
  World world;
  const DealtSet dealt = deal_set(world, flat(2, 3));
  const Bytes& wire = dealt.set.trustees[1].wire;
  ASSERT_EQ(wire.size(), limits::kLeafRecordBytes);
  const LeafRecord record = parse_leaf_record(wire).value();
  const auto part = [&](std::size_t index) {
    return ByteView(wire).subspan(kFields[index].at, kFields[index].size);
  };
  EXPECT_TRUE(crypto::equal(part(1), record.record_id));
  EXPECT_TRUE(crypto::equal(part(2), u64_bytes(record.version)));
  EXPECT_TRUE(crypto::equal(part(3), record.x_path[0].bytes()));
  EXPECT_TRUE(crypto::equal(part(5), record.share_point.bytes()));
  EXPECT_TRUE(crypto::equal(part(6), record.r));
  EXPECT_TRUE(crypto::equal(part(7), record.vouch));
  EXPECT_TRUE(crypto::equal(part(15), record.locations[0].token));
  EXPECT_TRUE(crypto::equal(part(17), record.locations[1].token));
  EXPECT_TRUE(crypto::equal(part(19), record.retire_key.bytes));
  EXPECT_TRUE(crypto::equal(part(21), record.share_box));
  EXPECT_TRUE(crypto::equal(part(22), record.signature));
  EXPECT_EQ(record.question, "Where did we meet, t1?");
  EXPECT_EQ(encode_leaf_record(record).value(), wire);
}

TEST(LeafRecord, AFlippedBitAnywhereIsRefused) {
  World world;
  const DealtSet dealt = deal_set(world, flat(2, 2));
  const Person& person = dealt.people[0];
  const auto accept = [&](const Bytes& wire) {
    return accept_leaf_record(wire, person.owner.public_key, person.agree.sealed, TestMode::off,
                              world.keys);
  };
  Bytes wire = dealt.set.trustees[0].wire;
  ASSERT_TRUE(accept(wire).has_value());
  for (const Field& field : kFields) {
    // Every byte of short fields, some of long ones.
    const std::size_t step = field.size > 64 ? 37 : 1;
    for (std::size_t i = field.at; i < field.at + field.size; i += step) {
      const auto bit = static_cast<std::uint8_t>(1U << (i % 8));
      wire[i] = static_cast<std::uint8_t>(wire[i] ^ bit);
      EXPECT_TRUE(accept(wire).has_error()) << field.name << " byte " << i;
      wire[i] = static_cast<std::uint8_t>(wire[i] ^ bit);
    }
  }
  wire.push_back(0);
  EXPECT_EQ(accept(wire).error().code, Errc::malformed);
  wire.resize(limits::kLeafRecordBytes - 1);
  EXPECT_EQ(accept(wire).error().code, Errc::malformed);
}

TEST(LeafRecord, AnotherOwnerAnotherTrusteeAndASwappedShareAreRefused) {
  World world;
  const DealtSet dealt = deal_set(world, flat(2, 2));
  const Bytes& wire = dealt.set.trustees[0].wire;
  const Person& me = dealt.people[0];
  const Person& other = dealt.people[1];
  EXPECT_EQ(
      accept_leaf_record(wire, other.owner.public_key, me.agree.sealed, TestMode::off, world.keys)
          .error()
          .code,
      Errc::bad_signature);
  EXPECT_EQ(
      accept_leaf_record(wire, me.owner.public_key, other.agree.sealed, TestMode::off, world.keys)
          .error()
          .code,
      Errc::cannot_decrypt);

  // An owner who signs an S that the share does not have.
  LeafRecord lie = parse_leaf_record(wire).value();
  lie.share_point = dealt.set.record.leaves[1].share_point;
  lie.share_box =
      world.keys.seal_share_to(dealt.accepted[0]->share, me.agree.public_key, share_box_ad(lie))
          .value();
  lie.signature = world.keys.sign(me.owner.sealed, leaf_record_statement(lie)).value();
  EXPECT_EQ(accept_leaf_record(encode_leaf_record(lie).value(), me.owner.public_key,
                               me.agree.sealed, TestMode::off, world.keys)
                .error()
                .code,
            Errc::bad_proof);
}

TEST(LeafRecord, TermsForTestsAreRefusedOutsideTestMode) {
  World world;
  std::vector<Person> people;
  SetInput input = set_input(world, flat(2, 2), people);
  for (auto& leaf : input.leaves) leaf->terms = {WaitingClass::test_seconds, 4, 5, true, false};
  EXPECT_EQ(make_set(input, world.keys, world.random).error().code, Errc::refused);
  input.mode = TestMode::on;
  const RecoverySet set = make_set(input, world.keys, world.random).value();
  const auto accept = [&](TestMode mode) {
    return accept_leaf_record(set.trustees[0].wire, people[0].owner.public_key,
                              people[0].agree.sealed, mode, world.keys);
  };
  EXPECT_TRUE(accept(TestMode::on).has_value());
  EXPECT_EQ(accept(TestMode::off).error().code, Errc::refused);
}

TEST(LeafRecord, TermsReachTheTrusteeAsTheOwnerSetThem) {
  World world;
  std::vector<Person> people;
  SetInput input = set_input(world, flat(2, 2), people);
  const Terms mine{WaitingClass::two_weeks, 300, 365, true, false};
  const Terms other{WaitingClass::one_day, 0, 1, false, true};
  input.leaves[0]->terms = mine;
  input.leaves[1]->terms = other;
  const RecoverySet set = make_set(input, world.keys, world.random).value();
  EXPECT_EQ(parse_leaf_record(set.trustees[0].wire)->terms, mine);
  EXPECT_EQ(parse_leaf_record(set.trustees[1].wire)->terms, other);
}

TEST(LeafRecord, FieldsBeyondTheirLimitsAreRefused) {
  World world;
  const DealtSet dealt = deal_set(world, flat(2, 2));
  const LeafRecord good = dealt.accepted[0]->record;
  ASSERT_TRUE(encode_leaf_record(good).has_value());
  const auto refused = [&](auto change) {
    LeafRecord bad = good;
    change(bad);
    return encode_leaf_record(bad).has_error();
  };
  const Location place{"did:web:example.org", {}};
  EXPECT_FALSE(refused([&](LeafRecord& r) { r.locations.assign(4, place); }));
  EXPECT_TRUE(refused([&](LeafRecord& r) { r.locations.assign(5, place); }));
  EXPECT_FALSE(refused([](LeafRecord& r) { r.locations[0].address = std::string(510, 'a'); }));
  EXPECT_TRUE(refused([](LeafRecord& r) { r.locations[0].address = std::string(511, 'a'); }));
  EXPECT_TRUE(refused([](LeafRecord& r) { r.locations[0].address.clear(); }));
  EXPECT_TRUE(refused([](LeafRecord& r) { r.locations[0].address = "did:web:a b"; }));
  EXPECT_FALSE(refused([](LeafRecord& r) { r.question = std::string(256, 'q'); }));
  EXPECT_TRUE(refused([](LeafRecord& r) { r.question = std::string(257, 'q'); }));
  EXPECT_FALSE(refused([](LeafRecord& r) { r.hint = "\xC3\xA9t\xC3\xA9 \xF0\x9F\x8C\xB3"; }));
  for (const char* text : {"\x1b[2J", "\xff", "\xC0\x80", "\xED\xA0\x80", "\xC3", "\xC2\x85"}) {
    EXPECT_TRUE(refused([&](LeafRecord& r) { r.hint = text; }));
  }
  EXPECT_TRUE(refused([](LeafRecord& r) { r.version = 0; }));
  EXPECT_TRUE(refused([](LeafRecord& r) { r.version = kVersionMax + 1; }));
  EXPECT_TRUE(refused([](LeafRecord& r) { r.x_path.clear(); }));
  EXPECT_TRUE(refused([](LeafRecord& r) { r.vouch.pop_back(); }));
  EXPECT_TRUE(refused([](LeafRecord& r) { r.share_box.pop_back(); }));
}

/// Fields in which two records agree although the protocol does not allow it: the same bytes in the
/// same field, or any secret-bearing field's bytes found anywhere in the other record.
std::set<std::string> leaks(const Bytes& a, const Bytes& b) {
  std::set<std::string> found;
  for (const Field& field : kFields) {
    if (field.may_agree) continue;
    const ByteView mine = ByteView(a).subspan(field.at, field.size);
    // Windows of 16 bytes, so that a value that moved, or was cut, is found too.
    const std::size_t window = std::min<std::size_t>(field.size, 16);
    for (std::size_t i = 0; i + window <= field.size; i += window) {
      const auto piece = mine.subspan(i, window);
      if (std::search(b.begin(), b.end(), piece.begin(), piece.end()) != b.end()) {
        found.insert(field.name);
      }
    }
  }
  return found;
}

TEST(LeafRecord, TwoTrusteesRecordsShareNothingButTheStatedExceptions) {
  World world;
  // Depth 1 everywhere: leaves of one nested group share their upper x, a stated exception.
  const DealtSet dealt = deal_set(world, flat(3, 5));
  std::vector<Bytes> wires;
  for (const TrusteeLeaf& sent : dealt.set.trustees) wires.push_back(sent.wire);
  for (std::size_t a = 0; a < wires.size(); ++a) {
    for (std::size_t b = 0; b < wires.size(); ++b) {
      if (a == b) continue;
      EXPECT_EQ(leaks(wires[a], wires[b]), std::set<std::string>{}) << a << " " << b;
    }
  }
  // Planted leaks: each field that must differ, copied from one record to the other, is found.
  for (const Field& field : kFields) {
    if (field.may_agree) continue;
    Bytes planted = wires[1];
    std::copy_n(wires[0].begin() + static_cast<std::ptrdiff_t>(field.at), field.size,
                planted.begin() + static_cast<std::ptrdiff_t>(field.at));
    EXPECT_EQ(leaks(wires[0], planted), std::set<std::string>{field.name});
  }
  // And one that moved: the first record's token as the second's r.
  Bytes moved = wires[1];
  std::copy_n(wires[0].begin() + 2243, 32, moved.begin() + 153);
  EXPECT_EQ(leaks(wires[0], moved), std::set<std::string>{"token 1"});
}

TEST(LeafRecord, LeavesOfOneNestedGroupShareTheirUpperXAndNothingElse) {
  World world;
  const DealtSet dealt = deal_set(world, group(2, {leaf(trustee("x")), flat(2, 2)}));
  const auto& wires = dealt.set.trustees;
  EXPECT_EQ(leaks(wires[1].wire, wires[2].wire), std::set<std::string>{"x, level 1"});
  EXPECT_EQ(leaks(wires[0].wire, wires[1].wire), std::set<std::string>{});
  EXPECT_FALSE(dealt.accepted[1]->record.x_path[1].equals(dealt.accepted[2]->record.x_path[1]));
}

}  // namespace
}  // namespace kith::recovery::testing
