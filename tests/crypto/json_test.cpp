#include "crypto/json.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <iterator>
#include <string>
#include <vector>

#include "crypto/json_writer.hpp"
#include "crypto/random.hpp"

namespace kith::crypto {
namespace {

const JsonLimits kOwnFormats{limits::kJsonBytesMax, limits::kJsonDepthMax, false, false};

std::string canonical_of(std::string_view text) {
  const auto value = parse_json(text);
  if (!value) return "refused: " + value.error().detail;
  return canonical_json(*value);
}

Errc refusal(std::string_view text, const JsonLimits& limits = {}) {
  const auto value = parse_json(text, limits);
  EXPECT_FALSE(value.has_value()) << text.substr(0, 80);
  return value ? Errc::io : value.error().code;
}

TEST(Json, WritesTheStringExampleOfRfc8785Section322) {
  EXPECT_EQ(canonical_of(R"({"string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
                             "literals": [null, true, false]})"),
            "{\"literals\":[null,true,false],\"string\":\"\xE2\x82\xAC$\\u000f\\nA'"
            "B\\\"\\\\\\\\\\\"/\"}");
}

TEST(Json, SortsMembersByUtf16CodeUnitsAsInRfc8785Section323) {
  const std::string sorted = canonical_of(R"({
      "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One", "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis"})");
  std::size_t from = 0;
  for (const char* name :
       {"Carriage Return", "One", "Control", "Latin Small", "Euro Sign", "Emoji", "Hebrew"}) {
    const std::size_t at = sorted.find(name, from);
    ASSERT_NE(at, std::string::npos) << name << " is missing or too early in " << sorted;
    from = at;
  }
}

TEST(Json, SortsAPrefixFirstAndLiteralBytesAboveIt) {
  EXPECT_EQ(canonical_of(R"({"ab":1,"a":2,"":3,"b":4,"B":5})"),
            R"({"":3,"B":5,"a":2,"ab":1,"b":4})");
}

TEST(Json, EscapesOnlyWhatRfc8785Escapes) {
  EXPECT_EQ(canonical_of(R"(["\b\t\n\f\r\u0000\u001f\u007f\/ü"])"),
            "[\"\\b\\t\\n\\f\\r\\u0000\\u001f\x7F/\xC3\xBC\"]");
}

TEST(Json, KeepsTheLargestExactIntegers) {
  EXPECT_EQ(canonical_of("[9007199254740991,-9007199254740991,0]"),
            "[9007199254740991,-9007199254740991,0]");
}

TEST(Json, RefusesIntegersThatDoublesCannotCarry) {
  for (const char* text : {"9007199254740992", "-9007199254740992", "18446744073709551615",
                           "9223372036854775808", "123456789012345678901234567890",
                           "-9223372036854775808", "-123456789012345678901234567890"}) {
    EXPECT_EQ(refusal(text), Errc::malformed);
  }
}

TEST(Json, RefusesDuplicateMembersAtEveryDepthAndHoweverEscaped) {
  EXPECT_EQ(refusal(R"({"a":1,"a":1})"), Errc::malformed);
  EXPECT_EQ(refusal(R"({"a":1,"b":2,"\u0061":1})"), Errc::malformed);
  EXPECT_EQ(refusal(R"([[{"x":{"a":1,"b":{"a":1},"a":[]}}]])"), Errc::malformed);
  EXPECT_EQ(refusal(R"({"":1,"":1})"), Errc::malformed);
  EXPECT_TRUE(parse_json(R"({"a":{"a":1},"b":[{"a":1},{"a":2}],"A":0})"));
}

TEST(Json, RefusesInvalidUtf8AndLoneSurrogates) {
  for (const char* text :
       {"\"\xC0\xAF\"", "\"\xED\xA0\x80\"", "\"\xF5\x80\x80\x80\"", "\"\xFF\"", "\"\xE2\x82\"",
        "\"\x80\"", "\"\xF0\x8F\xBF\xBF\"", "\"\xF4\x90\x80\x80\"", R"("\ud83d")", R"("\ude00")",
        R"("\ud83d\u0041")", "{\"\xFF\":1}"}) {
    EXPECT_EQ(refusal(text), Errc::malformed);
  }
  EXPECT_TRUE(parse_json("\"\xF4\x8F\xBF\xBF\xE2\x82\xAC\xC3\xBC\""));
}

TEST(Json, RefusesWhatIsNotOneJsonValue) {
  for (const char* text : {"",          " ",         "{",
                           "[1",        "[1,]",      "{\"a\":1,}",
                           "{\"a\"}",   "{a:1}",     "'a'",
                           "01",        "+1",        "1.",
                           ".5",        "1e",        "nul",
                           "True",      "NaN",       "Infinity",
                           "[1] [2]",   "{} x",      "1 2",
                           "// c\n1",   "/**/1",     "\"a\nb\"",
                           "\"\\x41\"", "\"\\u12\"", "\xEF\xBB\xBF{}",
                           "-",         "\"a"}) {
    EXPECT_EQ(refusal(text), Errc::malformed) << text;
  }
  EXPECT_EQ(refusal(std::string_view("1\0", 2)), Errc::malformed);
  EXPECT_TRUE(parse_json(" \t\r\n{ \"a\" : [ 1 , 2 ] } \n"));
}

TEST(Json, OwnFormatsRefuseFloatsMinusZeroAndNull) {
  for (const char* text : {"1.0", "1e3", "1E3", "0.5", "-0", "-0.0", "[null]", "{\"a\":null}"}) {
    EXPECT_EQ(refusal(text, kOwnFormats), Errc::malformed) << text;
    EXPECT_TRUE(parse_json(text)) << text;
  }
  EXPECT_TRUE(parse_json("[-1,0,10]", kOwnFormats));
  EXPECT_EQ(refusal("1e999"), Errc::malformed);
}

TEST(Json, RefusesDeepDocuments) {
  const auto nested = [](std::size_t depth, char open, char close) {
    return std::string(depth, open) + std::string(depth, close);
  };
  EXPECT_TRUE(parse_json(nested(limits::kJsonDepthMax, '[', ']')));
  EXPECT_EQ(refusal(nested(limits::kJsonDepthMax + 1, '[', ']')), Errc::limit_exceeded);
  EXPECT_EQ(refusal(std::string(limits::kJsonBytesMax, '[')), Errc::limit_exceeded);
  std::string objects;
  for (int i = 0; i < 100000; ++i) objects += "{\"a\":";
  EXPECT_EQ(refusal(objects), Errc::limit_exceeded);
  EXPECT_EQ(refusal("[[[1]]]", JsonLimits{100, 2, true, true}), Errc::limit_exceeded);
}

TEST(Json, RefusesLongDocumentsAndWideObjects) {
  const std::string longest = '"' + std::string(limits::kJsonBytesMax - 2, 'a') + '"';
  EXPECT_TRUE(parse_json(longest));
  EXPECT_EQ(refusal(longest + " "), Errc::limit_exceeded);
  const auto wide = [](std::size_t members) {
    std::string text = "{";
    for (std::size_t i = 0; i < members; ++i) {
      text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":0";
    }
    return text + "}";
  };
  EXPECT_TRUE(parse_json(wide(limits::kJsonMembersMax)));
  EXPECT_EQ(refusal(wide(limits::kJsonMembersMax + 1)), Errc::limit_exceeded);
}

Json random_value(Random& random, int depth) {
  switch (random.below(depth > 0 ? 6 : 4)) {
    case 0:
      return Json(random.below(2) == 0);
    case 1: {
      const auto magnitude = static_cast<std::int64_t>(random.below(std::uint64_t{1} << 53));
      return Json(random.below(2) == 0 ? magnitude : -magnitude);
    }
    case 2:
      return Json(nullptr);
    case 3: {
      static const std::vector<std::string> kPieces = {"a",
                                                       "\"",
                                                       "\\",
                                                       "\n",
                                                       "\x01",
                                                       "\x7F",
                                                       "/",
                                                       "\xC3\xBC",
                                                       "\xEF\xAC\xB3",
                                                       "\xF0\x9F\x98\x80",
                                                       std::string(1, '\0')};
      std::string text;
      for (std::uint64_t i = random.below(8); i > 0; --i) {
        text += kPieces[random.below(kPieces.size())];
      }
      return Json(boost::json::string(text));
    }
    case 4: {
      JsonArray array;
      for (std::uint64_t i = random.below(5); i > 0; --i) {
        array.push_back(random_value(random, depth - 1));
      }
      return array;
    }
    default: {
      JsonObject object;
      for (std::uint64_t i = random.below(5); i > 0; --i) {
        const std::string key = base64url(random.bytes(3));
        object.emplace(key, random_value(random, depth - 1));
      }
      return object;
    }
  }
}

TEST(Json, RandomValuesComeBackFromBothWriters) {
  SeededRandom random(7, "json");
  for (int i = 0; i < 2000; ++i) {
    const Json value = random_value(random, 5);
    const std::string canonical = canonical_json(value);
    const auto back = parse_json(canonical);
    ASSERT_TRUE(back) << canonical;
    ASSERT_EQ(*back, value);
    ASSERT_EQ(canonical_json(*back), canonical);
    const auto plain = parse_json(json_text(value));
    ASSERT_TRUE(plain);
    ASSERT_EQ(canonical_json(*plain), canonical);
    const auto view = read_json(canonical);
    ASSERT_TRUE(view);
    ASSERT_EQ(json_text(view->root()), canonical);
    ASSERT_EQ(json_tree(view->root()), value);
  }
}

/// Boost's own reader takes more than ours; what both take is the same value.
TEST(Json, AgreesWithBoostsOwnReader) {
  SeededRandom random(9, "json peers");
  constexpr std::string_view kPieces[] = {
      "{", "}",  "[",      "]",    ",", ":",    "\"a\"", R"("\u0061")",  R"("\\n\"x")",
      "1", "-0", "2.5e-3", "true", " ", "null", "\"\"",  "\"\xC3\xBC\"", "9007199254740991"};
  int accepted = 0;
  for (int i = 0; i < 200000; ++i) {
    std::string text = random.below(2) == 0 ? "[" : "{\"b\":";
    for (std::uint64_t n = 1 + random.below(5); n > 0; --n) {
      text += kPieces[random.below(std::size(kPieces))];
    }
    text += text.front() == '[' ? ']' : '}';
    boost::json::error_code ec;
    const Json theirs = boost::json::parse(text, ec);
    const auto ours = parse_json(text);
    if (!ours) continue;
    ++accepted;
    ASSERT_FALSE(ec) << text;
    ASSERT_EQ(*ours, theirs) << text;
  }
  EXPECT_GT(accepted, 1000);
}

TEST(Json, TextsAreReadWhereTheyLieUnlessTheyAreEscaped) {
  const std::string text = R"({"plain":"abc","esc\u0061ped":"a\nb","empty":"","long":")" +
                           std::string(5000, 'x') + R"(\u00fc","numbers":[1,-2,2.5,true,null]})";
  auto read = read_json(text);
  ASSERT_TRUE(read);
  const FlatValue moved = std::move(*read);
  const ValueView root = moved.root();
  const std::string_view plain = *json_string(root, "plain");
  EXPECT_EQ(plain, "abc");
  EXPECT_EQ(plain.data(), text.data() + text.find("abc"));
  EXPECT_EQ(*json_string(root, "escaped"), "a\nb");
  EXPECT_EQ(*json_string(root, "empty"), "");
  EXPECT_EQ(*json_string(root, "long"), std::string(5000, 'x') + "\xC3\xBC");
  EXPECT_EQ(json_text(*json_array(root, "numbers")), "[1,-2,2.5E0,true,null]");
  EXPECT_EQ(root.size(), 5U);
}

TEST(Json, FindsANameTwiceAmongFewAndMany) {
  for (const int count : {2, 8, 9, 40}) {
    const auto members = [count](int last) {
      std::string text = "{";
      for (int i = 0; i < count - 1; ++i) text += "\"n" + std::to_string(100 - i) + "\":0,";
      return text + "\"n" + std::to_string(last) + "\":0}";
    };
    EXPECT_TRUE(read_json(members(7))) << count;
    EXPECT_EQ(read_json(members(100)).error(), Errc::malformed) << count;
    EXPECT_EQ(read_json(members(100 - (count - 2))).error(), Errc::malformed) << count;
  }
}

TEST(JsonWriter, WritesWhatATreeWouldGive) {
  std::string text;
  JsonWriter writer(text);
  writer.begin_object();
  writer.name("te\"xt");
  writer.text("a\nb,{");
  writer.name("list");
  writer.begin_array();
  writer.integer(-5);
  writer.text("");
  writer.value(Json(nullptr));
  writer.begin_object();
  writer.end_object();
  writer.value(JsonObject{{"a", 1}});
  writer.base64url(as_bytes("bytes"));
  writer.end_array();
  writer.name("written");
  writer.written("[1]");
  writer.name("none");
  writer.begin_array();
  writer.end_array();
  writer.end_object();
  EXPECT_EQ(text, R"({"te\"xt":"a\nb,{","list":[-5,"",null,{},{"a":1},"Ynl0ZXM"],)"
                  R"("written":[1],"none":[]})");
  EXPECT_EQ(json_text(*parse_json(text)), text);
}

std::string escaped(int c) {
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\b':
      return "\\b";
    case '\t':
      return "\\t";
    case '\n':
      return "\\n";
    case '\f':
      return "\\f";
    case '\r':
      return "\\r";
    default: {
      const auto byte = static_cast<std::uint8_t>(c);
      return c < 0x20 ? "\\u00" + hex({&byte, 1}) : std::string(1, static_cast<char>(c));
    }
  }
}

TEST(Json, EscapesAnywhereInLongTexts) {
  for (int c = 0; c < 256; ++c) {
    for (std::size_t at = 0; at < 20; ++at) {
      std::string text(20, 'x');
      text[at] = static_cast<char>(c);
      const std::string before(at, 'x'), after(19 - at, 'x');
      ASSERT_EQ(json_text(Json(text)), '"' + before + escaped(c) + after + '"') << c;
    }
  }
}

TEST(Json, RandomTextNeverCrashesAndWhatIsReadIsStable) {
  SeededRandom random(8, "json noise");
  constexpr std::string_view kSigns = "{}[]\",:\\u019aef.- tn\xC3\xBC\xF0";
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (std::uint64_t n = 1 + random.below(12); n > 0; --n) {
      text += kSigns[random.below(kSigns.size())];
    }
    const auto value = parse_json(text, kOwnFormats);
    if (!value) continue;
    ++accepted;
    const std::string canonical = canonical_json(*value);
    const auto again = parse_json(canonical, kOwnFormats);
    ASSERT_TRUE(again) << canonical;
    ASSERT_EQ(canonical_json(*again), canonical);
  }
  EXPECT_GT(accepted, 0);
}

TEST(Json, CompactTextKeepsTheOrderAndEscapesNoSlash) {
  JsonObject object;
  object["z"] = "did:x/y#1";
  object["a"] = 1;
  EXPECT_EQ(json_text(object), R"({"z":"did:x/y#1","a":1})");
}

constexpr std::string_view kOneOfEach = R"({"s":"x","i":5,"o":{},"a":[],"n":null,"f":1.5})";

/// `object`: kOneOfEach as a tree or read in place; `whole` and `other`: it, and what is no object.
template <class Object, class Value>
void expect_typed_access(const Object& object, const Value& whole, const Value& other) {
  EXPECT_EQ(*json_string(object, "s"), "x");
  EXPECT_EQ(*json_int(object, "i"), 5);
  EXPECT_TRUE(json_object(object, "o"));
  EXPECT_TRUE(json_array(object, "a"));
  EXPECT_EQ(**json_optional_string(object, "s"), "x");
  EXPECT_EQ(**json_optional_int(object, "i"), 5);
  EXPECT_FALSE(json_optional_string(object, "absent")->has_value());
  EXPECT_FALSE(json_optional_int(object, "absent")->has_value());

  EXPECT_EQ(json_string(object, "i").error(), Errc::malformed);
  EXPECT_NE(json_string(object, "absent").error().detail.find("absent"), std::string::npos);
  EXPECT_EQ(json_int(object, "s").error(), Errc::malformed);
  EXPECT_EQ(json_int(object, "f").error(), Errc::malformed);
  EXPECT_EQ(json_object(object, "a").error(), Errc::malformed);
  EXPECT_EQ(json_array(object, "o").error(), Errc::malformed);
  EXPECT_EQ(json_optional_string(object, "n").error(), Errc::malformed);
  EXPECT_EQ(json_optional_int(object, "s").error(), Errc::malformed);
  EXPECT_EQ(as_object(other, "the header").error(), Errc::malformed);
  EXPECT_TRUE(as_object(whole, "the document"));
}

TEST(Json, TypedAccessNamesTheMemberThatIsWrong) {
  const auto value = parse_json(kOneOfEach);
  ASSERT_TRUE(value);
  expect_typed_access(value->get_object(), *value, Json(1));
}

TEST(Json, TypedAccessInPlaceRefusesTheSame) {
  const auto value = read_json(kOneOfEach);
  ASSERT_TRUE(value);
  const ValueView object = value->root();
  expect_typed_access(object, object, *object.field("i"));
}

TEST(Json, WithoutErrorsWhatIsAbsentOrOfAnotherTypeIsFalseAndEmpty) {
  const auto value = parse_json(R"({"yes":true,"no":false,"s":"x","i":1})");
  ASSERT_TRUE(value);
  const JsonObject& object = value->get_object();
  EXPECT_TRUE(json_true(object, "yes"));
  for (const std::string_view other : {"no", "s", "i", "absent"}) {
    EXPECT_FALSE(json_true(object, other)) << other;
  }
  EXPECT_EQ(json_text_of(object, "s"), "x");
  for (const std::string_view other : {"yes", "i", "absent"}) {
    EXPECT_EQ(json_text_of(object, other), "") << other;
  }
}

TEST(JsonDeathTest, CharactersOfWhatIsNoStringAreOurBug) {
  EXPECT_DEATH((void)json_chars(Json(1)), "is_string");
}

TEST(JsonDeathTest, CanonicalTextOfAFloatIsOurBug) {
  EXPECT_DEATH((void)canonical_json(Json(1.5)), "double_");
}

}  // namespace
}  // namespace kith::crypto
