#include "protocol/problem_report.hpp"

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "tests/support/parties.hpp"

namespace kith {
namespace {

using protocol::is_problem_code;
using protocol::parse_problem_report;
using protocol::ProblemReport;
using test::kNow;

TEST(ProblemReport, KnowsTheGrammarOfCodes) {
  for (const char* code : {"e.p.xfer", "w.m.bad-lang", "e.p.me.res.net", "e.get-pay-details.x",
                           "e.p.req.max-errors-exceeded"}) {
    EXPECT_TRUE(is_problem_code(code)) << code;
  }
  for (const char* code : {"", "e", "e.p", "x.p.a", "e..a", "e.p.", ".p.a", "e.p.A", "e.p.a b",
                           "e.p.-a", "e.p.a-", "e.p.a--b", "ep.p.a"}) {
    EXPECT_FALSE(is_problem_code(code)) << code;
  }
  EXPECT_FALSE(is_problem_code("e.p." + std::string(300, 'a')));
}

TEST(ProblemReport, MatchesByWholeWords) {
  const ProblemReport report{"e.p.me.res.net", "", {}, std::nullopt};
  EXPECT_TRUE(report.matches("e.p.me"));
  EXPECT_TRUE(report.matches("e.p.me.res.net"));
  EXPECT_FALSE(report.matches("e.p.m"));
  EXPECT_FALSE(report.matches("e.p.me.res.net.x"));
  EXPECT_TRUE(report.is_error());
  EXPECT_FALSE((ProblemReport{"w.p.x", "", {}, std::nullopt}).is_error());
}

TEST(ProblemReport, PutsArgumentsIn) {
  const auto text = [](std::string comment, std::vector<std::string> args) {
    return ProblemReport{"e.p.x", std::move(comment), std::move(args), std::nullopt}.text();
  };
  EXPECT_EQ(text("no {1} at {2}", {"a", "b"}), "no a at b");
  EXPECT_EQ(text("{2} {1} {3}", {"a", "b"}), "b a ?");
  EXPECT_EQ(text("said", {"a", "b"}), "said, a, b");
  EXPECT_EQ(text("{1}", {"{2}", "b"}), "{2}, b");
  EXPECT_EQ(text("{0} {x} {1 {} {12345}", {}), "? {x} {1 {} {12345}");
  EXPECT_EQ(text("", {"a", "b"}), "a, b");
}

TEST(ProblemReport, DoesNotGrowWithoutBound) {
  ProblemReport report{"e.p.x", "", {std::string(1000, 'a')}, std::nullopt};
  for (int i = 0; i < 1000; ++i) report.comment += "{1}";
  EXPECT_LE(report.text().size(), limits::kTextBytesMax + 1000);
}

TEST(ProblemReport, IsReadAsWritten) {
  test::World world;
  const auto alice = world.make_party();
  const auto bob = world.make_party();
  const Message failed = world.message(alice, bob);
  const ProblemReport report{"e.p.xfer.x", "lost {1}", {"mail"}, "mailto:a@b"};
  const Message message = make_problem_report(failed, report, world.random, kNow);
  EXPECT_EQ(message.pthid, failed.id);
  EXPECT_EQ(message.ack, std::vector<std::string>{failed.id});
  EXPECT_EQ(message.from, bob.did);
  EXPECT_TRUE(message.is_to(alice.did));
  const auto read = parse_problem_report(message);
  ASSERT_TRUE(read.has_value()) << read.error().detail;
  EXPECT_EQ(read->text(), "lost mail");
  EXPECT_EQ(message.lang, "en");
  EXPECT_EQ(read->escalate_to, "mailto:a@b");
}

TEST(ProblemReport, RefusesFaultyReports) {
  test::World world;
  const auto alice = world.make_party();
  const Message failed = world.message(alice, alice);
  const Message good = make_problem_report(failed, {"e.p.x", "c", {"a"}, {}}, world.random, kNow);
  const auto code = [](const Message& message) {
    return parse_problem_report(message).error().code;
  };
  Message changed = good;
  changed.pthid.reset();
  EXPECT_EQ(code(changed), Errc::malformed);
  changed = good;
  changed.body["code"] = "nonsense";
  EXPECT_EQ(code(changed), Errc::malformed);
  changed = good;
  changed.body.erase("code");
  EXPECT_EQ(code(changed), Errc::malformed);
  changed = good;
  changed.body["args"] = JsonArray{1};
  EXPECT_EQ(code(changed), Errc::malformed);
  changed = good;
  changed.body["comment"] = std::string(limits::kTextBytesMax + 1, 'x');
  EXPECT_EQ(code(changed), Errc::limit_exceeded);
  changed = good;
  changed.type = "https://example.org/talk/1.0/word";
  EXPECT_EQ(code(changed), Errc::malformed);
}

}  // namespace
}  // namespace kith
