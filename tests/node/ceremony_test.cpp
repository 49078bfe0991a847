// Ceremonies: what a transcript proves, and what a script may say.

#include "node/ceremony.hpp"

#include <gtest/gtest.h>

#include "node/operations.hpp"
#include "node/rule_limits.hpp"
#include "node/runtime/ceremony_script.hpp"
#include "tests/recovery/device_world.hpp"
#include "tests/support/error_code.hpp"

namespace kith::node {
namespace {

JsonObject transcript_of(int steps) {
  JsonObject made{{"format", "kith-ceremony/1"},
                  {"name", "New keys"},
                  {"script", "00"},
                  {"witnesses", JsonArray{"Ann", "Ben"}},
                  {"began", "2026-11-23T10:00:00Z"},
                  {"ended", "2026-11-23T11:00:00Z"},
                  {"outcome", "done"},
                  {"steps", JsonArray{}}};
  for (int n = 0; n < steps; ++n) {
    add_ceremony_step(made, {{"kind", n % 2 == 0 ? "say" : "command"},
                             {"text", "step " + std::to_string(n)},
                             {"at", "2026-11-23T10:30:00Z"}});
  }
  return made;
}

test::MakeModules with_ceremonies() {
  return [] {
    auto all = recovery::testing::personal_modules<>()();
    all.push_back(std::make_unique<CeremonyModule>());
    return all;
  };
}

struct Hall : recovery::testing::Neighbourhood {
  test::AgentBox& ann = net.add("ann", with_ceremonies(), test::BoxOptions{false, true, true});

  Result<JsonObject> sign(const JsonObject& transcript, bool with_passphrase = true) {
    auto reply = ann.command("ceremony-sign", {{"transcript", transcript}}, with_passphrase);
    if (!reply.has_value()) return reply.error();
    return reply->at("transcript").as_object();
  }
};

TEST(Ceremony, ATranscriptHoldsOnlyAsItWasSigned) {
  Hall hall;
  hall.register_with(hall.ann, hall.mediator);
  EXPECT_EQ(test::code_of(hall.sign(transcript_of(3))), Errc::wrong_state) << "no identity";
  hall.make_identity(hall.ann);
  EXPECT_EQ(test::code_of(hall.sign(transcript_of(3), false)), Errc::step_up_required);
  const auto made = hall.sign(transcript_of(3));
  ASSERT_TRUE(made.has_value()) << made.error().detail;
  ASSERT_TRUE(verify_ceremony(*made).has_value());
  // No character of it can be another one.
  const std::string text = crypto::json_text(*made);
  std::size_t tried = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string bad = text;
    bad[at] = bad[at] == '1' ? '2' : '1';
    const auto json = crypto::parse_json(bad);
    if (!json.has_value() || !json->is_object()) continue;
    if (crypto::json_text(json->get_object()) == text) continue;
    EXPECT_FALSE(verify_ceremony(json->get_object()).has_value()) << at << ": " << bad;
    ++tried;
  }
  EXPECT_GT(tried, 300U);
  JsonObject none = *made;
  none.erase("signature");
  EXPECT_FALSE(verify_ceremony(none).has_value());
  std::size_t noted = 0;
  for (const auto& entry : hall.ann.all<protocol::AuditEntry>("audit")) {
    if (entry.event == "ceremony.signed") ++noted;
  }
  EXPECT_EQ(noted, 1U);
}

TEST(Ceremony, NoStepIsLeftOutMovedOrAdded) {
  const JsonObject whole = transcript_of(4);
  ASSERT_TRUE(check_ceremony_steps(whole).has_value());
  for (std::size_t n = 0; n < 4; ++n) {
    JsonObject cut = whole;
    JsonArray& steps = cut["steps"].get_array();
    steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(n));
    // Without the last one the chain holds: the signature says how many there were.
    EXPECT_EQ(check_ceremony_steps(cut).has_value(), n == 3) << n;
  }
  JsonObject moved = whole;
  std::swap(moved["steps"].get_array()[1], moved["steps"].get_array()[2]);
  EXPECT_FALSE(check_ceremony_steps(moved).has_value());
  JsonObject renumbered = moved;
  for (std::int64_t n = 0; n < 4; ++n) {
    renumbered["steps"].get_array()[static_cast<std::size_t>(n)].get_object()["n"] = n + 1;
  }
  EXPECT_FALSE(check_ceremony_steps(renumbered).has_value());
  JsonObject failed = whole;
  add_ceremony_step(
      failed,
      {{"kind", "say"}, {"text", "x"}, {"at", "2026-11-23T10:30:00Z"}, {"error", "refused"}});
  EXPECT_FALSE(check_ceremony_steps(failed).has_value()) << "its outcome is another";
  failed["outcome"] = "failed";
  EXPECT_TRUE(check_ceremony_steps(failed).has_value());
  add_ceremony_step(failed, {{"kind", "say"}, {"text", "on"}, {"at", "2026-11-23T10:30:00Z"}});
  EXPECT_FALSE(check_ceremony_steps(failed).has_value());
  JsonObject odd = whole;
  odd["colour"] = "red";
  EXPECT_FALSE(check_ceremony_steps(odd).has_value());
}

TEST(Ceremony, ItsSizeIsLimited) {
  EXPECT_TRUE(check_ceremony_steps(transcript_of(rule_limits::kItemsMax)).has_value());
  EXPECT_EQ(test::code_of(check_ceremony_steps(transcript_of(rule_limits::kItemsMax + 1))),
            Errc::limit_exceeded);
}

TEST(Ceremony, AScriptGivesNoCommandThatCouldShowASecret) {
  for (const char* command : {"messages", "agent-pairings", "recover-status", "did-export",
                              "recover-code", "send", "identity-check", "ceremony-sign", ""}) {
    EXPECT_FALSE(ceremony_may(command)) << command;
  }
  EXPECT_TRUE(ceremony_may("did-rotate"));
  const auto why = [](const std::string& text) {
    const auto parsed = parse_ceremony_script(text, "c.toml");
    return parsed.has_value() ? std::string() : parsed.error().detail;
  };
  const std::string head = "name = \"New keys\"\n";
  EXPECT_EQ(why(head + "[[step]]\nsay = \"Close the door\"\n[[step]]\ncommand = \"did-rotate\"\n"),
            "");
  EXPECT_NE(why(head + "[[step]]\ncommand = \"messages\"\n").find("c.toml, line 3"),
            std::string::npos);
  EXPECT_NE(why(head + "[[step]]\nsay = \"a\"\ncommand = \"did-rotate\"\n").find("line 2"),
            std::string::npos);
  EXPECT_NE(why(head + "[[step]]\n").find("line 2"), std::string::npos);
  EXPECT_NE(why(head), "");
  EXPECT_NE(why("[[step]]\nsay = \"a\"\n"), "");
  EXPECT_NE(why(head + "[[step]]\nsays = \"a\"\n").find("line 3"), std::string::npos);
  const auto parsed = parse_ceremony_script(
      head + "[[step]]\ncommand = \"keys-rotate\"\nargs = { contact = \"bob\" }\n", "c.toml");
  ASSERT_TRUE(parsed.has_value()) << parsed.error().detail;
  EXPECT_EQ(parsed->steps.at(0).args.at("contact"), Json("bob"));
  EXPECT_EQ(parsed->digest.size(), 64U);
}

}  // namespace
}  // namespace kith::node
