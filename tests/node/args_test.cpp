// The command line, taken apart: options that may be given several times.

#include "node/cli/args.hpp"

#include <gtest/gtest.h>

namespace kith {
namespace {

using node::Invocation;
using node::parse_command_line;
using Words = std::vector<std::string>;

/// `recovery setup` with these words behind it.
auto setup(const Words& further) {
  Words words{"recovery", "setup", "--threshold", "2", "--trustees", "Tara,Theo"};
  words.insert(words.end(), further.begin(), further.end());
  return parse_command_line(words);
}

JsonObject args_of(const Words& further) {
  const auto parsed = setup(further);
  EXPECT_TRUE(parsed.has_value());
  return parsed.has_value() ? std::get<Invocation>(*parsed).args() : JsonObject{};
}

std::string refusal(const Words& further) {
  const auto parsed = setup(further);
  EXPECT_FALSE(parsed.has_value());
  if (parsed.has_value()) return "taken";
  EXPECT_EQ(parsed.error().code, Errc::usage);
  return parsed.error().detail;
}

TEST(Args, NothingThatIsThereIsCalledPlanned) {
  for (const node::CommandSpec& spec : node::command_specs()) {
    const std::string_view group = spec.path.substr(0, spec.path.find(' '));
    EXPECT_FALSE(node::is_planned(spec.path)) << spec.path;
    EXPECT_FALSE(node::is_planned(group)) << spec.path;
  }
  const auto planned = parse_command_line({"recovery", "drill"});
  ASSERT_FALSE(planned.has_value());
  EXPECT_NE(planned.error().detail.find("planned"), std::string::npos);
  const auto wrong = parse_command_line({"ledger", "deploy"});
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().detail.find("planned"), std::string::npos) << wrong.error().detail;
}

TEST(Args, QuestionsGoToTheAgentByTrustee) {
  const auto args = args_of(
      {"--question", "Tara=Where did we meet, and when?", "--question", "Theo=What is 1+1=?"});
  const JsonObject wanted{{"Tara", "Where did we meet, and when?"}, {"Theo", "What is 1+1=?"}};
  EXPECT_EQ(args.at("questions"), Json(wanted));
  EXPECT_EQ(args.at("trustees"), Json(JsonArray{"Tara", "Theo"}));
  EXPECT_FALSE(args_of({}).contains("questions"));
}

TEST(Args, AQuestionNamesWhoAsksIt) {
  for (const char* wrong :
       {"Where did we meet?", "=Where?", "Tara=", "=", "", "Tara=Where?\nAnd when?"}) {
    const std::string said = refusal({"--question", wrong});
    EXPECT_NE(said.find("--question"), std::string::npos) << said;
    EXPECT_NE(said.find("is not NAME=TEXT"), std::string::npos) << said;
  }
  EXPECT_EQ(refusal({"--question", "Tara=Where?", "--question", "Tara=When?"}),
            "--question is given twice for Tara");
}

TEST(Args, OtherOptionsAreGivenOnce) {
  EXPECT_NE(refusal({"--text", "one", "--text", "two"}), "taken");
}

}  // namespace
}  // namespace kith
