#include "protocol/record.hpp"

#include <gtest/gtest.h>

#include "crypto/random.hpp"

namespace kith::protocol {
namespace {

enum class Colour : std::uint8_t { red = 1, blue = 2 };
constexpr bool is_valid(Colour colour) {
  return colour == Colour::red || colour == Colour::blue;
}

struct Inner {
  std::string text;
  Bytes bytes;
  template <class V>
  void visit(V& v) {
    v("text", text), v("bytes", bytes);
  }
  friend bool operator==(const Inner&, const Inner&) = default;
};

struct Outer {
  bool flag = false;
  std::int64_t big = 0;
  std::uint8_t small = 0;
  Colour colour = Colour::red;
  std::vector<Inner> list;
  std::map<std::string, std::int64_t> map;
  std::optional<Inner> maybe;
  std::array<std::uint8_t, 4> fixed{};
  Time time{};
  JsonObject json;
  template <class V>
  void visit(V& v) {
    v("flag", flag), v("big", big), v("small", small), v("colour", colour), v("list", list),
        v("map", map), v("maybe", maybe), v("fixed", fixed), v("time", time), v("json", json);
  }
  friend bool operator==(const Outer&, const Outer&) = default;
};

Outer sample() {
  Outer outer;
  outer.flag = true;
  outer.big = -5'000'000'000;
  outer.small = 255;
  outer.colour = Colour::blue;
  outer.list = {{"one", {1, 2, 3}}, {"", {}}};
  outer.map = {{"a", 1}, {"b", -1}};
  outer.maybe = Inner{"inner", {0xff}};
  outer.fixed = {9, 8, 7, 6};
  outer.time = from_epoch_ms(1'795'000'000'123);
  outer.json = {{"z", 1}, {"a", "text"}};
  return outer;
}

template <class T>
Errc error_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result.has_value() ? Errc::io : result.error().code;
}

TEST(Record, ComesBackFromMsgpackAndJsonAsItWas) {
  const Outer outer = sample();
  EXPECT_EQ(*decode_record<Outer>(encode_record(outer)), outer);
  EXPECT_EQ(*decode_body<Outer>(encode_body(outer)), outer);
}

TEST(Record, KeepsDefaultsForAbsentFieldsAndIgnoresUnknownOnes) {
  Value::Map map;
  map.emplace("flag", Value{true});
  map.emplace("from the future", Value{std::string("x")});
  const auto outer = decode_record<Outer>(to_msgpack(Value{map}));
  ASSERT_TRUE(outer.has_value());
  EXPECT_TRUE(outer->flag);
  EXPECT_EQ(outer->colour, Colour::red);
  EXPECT_FALSE(outer->maybe.has_value());
}

TEST(Record, RefusesEveryFieldOfAnotherType) {
  const Value good = write_value(sample());
  for (const auto& [name, value] : *good.map()) {
    Value::Map map = *good.map();
    map[name] = std::holds_alternative<bool>(value.data) ? Value{std::string("no")} : Value{true};
    const auto read = decode_record<Outer>(to_msgpack(Value{map}));
    ASSERT_FALSE(read.has_value()) << name;
    EXPECT_TRUE(read.error().detail.starts_with(name)) << read.error().detail;
  }
}

TEST(Record, RefusesNumbersAndKindsOutOfRange) {
  Value::Map map = *write_value(sample()).map();
  map["small"] = Value{std::int64_t{256}};
  EXPECT_EQ(error_of(decode_record<Outer>(to_msgpack(Value{map}))), Errc::malformed);
  map["small"] = Value{std::int64_t{-1}};
  EXPECT_EQ(error_of(decode_record<Outer>(to_msgpack(Value{map}))), Errc::malformed);
  map["small"] = Value{std::int64_t{1}};
  map["colour"] = Value{std::int64_t{3}};
  EXPECT_EQ(error_of(decode_record<Outer>(to_msgpack(Value{map}))), Errc::malformed);
  map["colour"] = Value{std::int64_t{2}};
  map["fixed"] = Value{Bytes{1, 2, 3}};
  EXPECT_EQ(error_of(decode_record<Outer>(to_msgpack(Value{map}))), Errc::malformed);
}

TEST(Record, SurvivesEveryCutAndRandomDamage) {
  const Bytes good = encode_record(sample());
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(decode_record<Outer>(ByteView(good).first(size)).has_value()) << size;
  }
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_EQ(error_of(decode_record<Outer>(longer)), Errc::malformed);
  crypto::SeededRandom random(7, "damage");
  for (int i = 0; i < 5000; ++i) {
    Bytes damaged = good;
    const std::size_t at = random.below(damaged.size());
    damaged[at] = static_cast<std::uint8_t>(random.below(256));
    static_cast<void>(decode_record<Outer>(damaged));  // Any result will do; no crash.
  }
}

TEST(Record, RefusesBombsBeforeAllocatingThem) {
  // An array, a map, bytes and a text that claim four thousand million items.
  for (const std::uint8_t kind : Bytes{0xdd, 0xdf, 0xc6, 0xdb}) {
    const Bytes bomb = {kind, 0xff, 0xff, 0xff, 0xff};
    EXPECT_FALSE(from_msgpack(bomb).has_value());
  }
  const Bytes deep(1000, 0x91);  // A thousand arrays of one item.
  EXPECT_FALSE(from_msgpack(deep).has_value());
  const Bytes huge(limits::kRecordBytesMax + 1, 0xc0);
  EXPECT_EQ(error_of(from_msgpack(huge)), Errc::limit_exceeded);
  const Bytes floating = {0xcb, 0, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(error_of(from_msgpack(floating)), Errc::unsupported);
  const Bytes twice = {0x82, 0xa1, 'a', 0x01, 0xa1, 'a', 0x02};
  EXPECT_EQ(error_of(from_msgpack(twice)), Errc::malformed);
}

TEST(Record, HasALargestDepthAndALargestNumberOfItems) {
  Bytes nested(limits::kRecordDepthMax, 0x91);
  nested.push_back(0x01);
  EXPECT_TRUE(from_msgpack(nested).has_value());
  nested.insert(nested.begin(), 0x91);
  EXPECT_EQ(error_of(from_msgpack(nested)), Errc::limit_exceeded);
  const auto list_of = [](std::size_t items) {
    Bytes list = {0xdd};
    crypto::append_u32_be(list, static_cast<std::uint32_t>(items));
    list.resize(list.size() + items, 0x01);
    return list;
  };
  EXPECT_EQ(from_msgpack(list_of(limits::kRecordItemsMax))->list()->size(),
            limits::kRecordItemsMax);
  EXPECT_EQ(error_of(from_msgpack(list_of(limits::kRecordItemsMax + 1))), Errc::limit_exceeded);
}

TEST(Record, RefusesNamesThatAreNoTextsAndNamesThatComeTwice) {
  for (const Bytes& name : {Bytes{0x01}, Bytes{0xc0}, Bytes{0xc3}, Bytes{0xc4, 0x01, 'a'},
                            Bytes{0x90}, Bytes{0x91, 0xa1, 'a'}, Bytes{0x80}}) {
    Bytes map = {0x81};
    crypto::append(map, name);
    map.push_back(0x01);
    EXPECT_EQ(error_of(from_msgpack(map)), Errc::malformed) << crypto::hex(name);
  }
  // Not in order, which is allowed; then twice, with others between.
  const Bytes unsorted = {0x83, 0xa1, 'b', 0x01, 0xa1, 'a', 0x02, 0xa1, 'c', 0x03};
  EXPECT_EQ(from_msgpack(unsorted)->map()->size(), 3U);
  const Bytes apart = {0x83, 0xa1, 'b', 0x01, 0xa1, 'a', 0x02, 0xa1, 'b', 0x03};
  EXPECT_EQ(error_of(from_msgpack(apart)), Errc::malformed);
  const Bytes inside = {0x81, 0xa1, 'x', 0x91, 0x82, 0xa1, 'a', 0x01, 0xa1, 'a', 0x02};
  EXPECT_EQ(error_of(from_msgpack(inside)), Errc::malformed);
}

TEST(Record, ReadsIntegersOfEveryWidthAndNoneBeyondTheirType) {
  const auto read = [](const Bytes& integer) {
    return std::get<std::int64_t>(from_msgpack(integer)->data);
  };
  EXPECT_EQ(read({0x7f}), 127);
  EXPECT_EQ(read({0xe0}), -32);
  EXPECT_EQ(read({0xcc, 0xff}), 255);
  EXPECT_EQ(read({0xcd, 0xff, 0xff}), 65535);
  EXPECT_EQ(read({0xd0, 0x80}), -128);
  EXPECT_EQ(read({0xd1, 0x80, 0x00}), -32768);
  EXPECT_EQ(read({0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0}), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(read({0xcf, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}),
            std::numeric_limits<std::int64_t>::max());
  const Bytes beyond = {0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(error_of(from_msgpack(beyond)), Errc::malformed);
}

TEST(TimeText, ReadsWhatItWritesAndNothingElse) {
  const Time time = from_epoch_seconds(1'795'309'200);
  const auto again = from_utc_text(utc_text(time));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(*again, time);
  EXPECT_EQ(utc_text(from_epoch_seconds(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(utc_text(from_epoch_seconds(1'709'164'799)), "2024-02-28T23:59:59Z");
  for (const char* bad : {"", "2026-11-22T01:00:00", "2026-13-22T01:00:00Z", "2026-02-30T01:00:00Z",
                          "2026-11-22T24:00:00Z", "2026-11-22 01:00:00Z", "2026-11-22T01:00:0aZ",
                          "1969-11-22T01:00:00Z"}) {
    EXPECT_FALSE(from_utc_text(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace kith::protocol
