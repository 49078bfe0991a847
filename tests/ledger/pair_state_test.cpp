#include "ledger/pair_state.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

using ledger::PairState;

Errc refusal_of(const Result<void>& result) {
  return result.has_value() ? Errc::usage : result.error().code;
}
constexpr Errc kTaken = Errc::usage;

TEST(PairState, PrintsWhatItParses) {
  LogLab lab(Kind::pair);
  PairState state = lab.pair_state(3);
  state.revoke = 2;
  state.status = ledger::PairStatus::disabled;
  const auto parsed = ledger::parse_pair_state(ledger::pair_state_json(state));
  ASSERT_TRUE(parsed.has_value()) << parsed.error().detail;
  EXPECT_EQ(*parsed, state);
}

TEST(PairState, RefusesBrokenStates) {
  LogLab lab(Kind::pair);
  const PairState good = lab.pair_state(2);
  EXPECT_EQ(refusal_of(ledger::check_pair_state(good)), kTaken);
  const auto broken = [&](const std::function<void(PairState&)>& change) {
    PairState state = good;
    change(state);
    const auto parsed = ledger::parse_pair_state(ledger::pair_state_json(state));
    const Errc made = refusal_of(ledger::check_pair_state(state));
    EXPECT_EQ(parsed.has_value(), made == kTaken);
    return made;
  };
  EXPECT_EQ(broken([](PairState& s) { s.agents.clear(); }), Errc::malformed);
  EXPECT_EQ(broken([](PairState& s) { s.agents[1].agree = s.agents[0].agree; }), Errc::malformed);
  EXPECT_EQ(broken([](PairState& s) { std::swap(s.agents[0].auth, s.agents[0].agree); }),
            Errc::unsupported);
  EXPECT_EQ(broken([](PairState& s) { s.agents[0].agree = s.agents[0].auth; }), Errc::malformed);
  EXPECT_EQ(broken([](PairState& s) { s.revoke = 3; }), Errc::malformed);
  EXPECT_EQ(broken([](PairState& s) { s.revoke = 0; }), Errc::malformed);
  EXPECT_EQ(broken([](PairState& s) { s.services[0].uri = ""; }), Errc::malformed);
  EXPECT_EQ(broken([](PairState& s) { s.services[0].uri = "https://a b"; }), Errc::malformed);
  EXPECT_EQ(broken([](PairState& s) { s.services[0].routing_keys = {"key"}; }), Errc::malformed);
  EXPECT_EQ(broken([](PairState& s) { s.services[0].routing_keys.assign(5, "did:x:y"); }),
            Errc::limit_exceeded);
  EXPECT_EQ(broken([](PairState& s) { s.services.assign(9, s.services[0]); }),
            Errc::limit_exceeded);
  Json extra = ledger::pair_state_json(good);
  extra.as_object()["label"] = "x";
  EXPECT_FALSE(ledger::parse_pair_state(extra).has_value());
  Json status = ledger::pair_state_json(good);
  status.as_object()["status"] = "gone";
  EXPECT_FALSE(ledger::parse_pair_state(status).has_value());
}

TEST(PairState, EachChangeNeedsItsSigners) {
  LogLab lab(Kind::pair);
  PairState before = lab.pair_state(3);
  before.revoke = 2;
  const ledger::PairAgent fresh = lab.pair_agent();
  struct Row {
    const char* what;
    std::function<void(PairState&)> change;
    std::vector<std::size_t> signers;
    bool active;
    Errc expected;
  };
  const auto replace = [&](std::size_t i) {
    return [&fresh, i](PairState& s) { s.agents[i] = fresh; };
  };
  const auto remove = [](std::size_t i) {
    return [i](PairState& s) {
      s.agents.erase(s.agents.begin() + static_cast<std::ptrdiff_t>(i));
      s.revoke = 2;
    };
  };
  const Row rows[] = {
      {"own keys replaced", replace(1), {1}, false, kTaken},
      {"own agreement key alone",
       [&](PairState& s) { s.agents[1].agree = fresh.agree; },
       {1},
       false,
       kTaken},
      {"another's keys replaced", replace(1), {0}, false, Errc::refused},
      {"another's keys replaced by the active keys", replace(1), {}, true, Errc::refused},
      {"another's agreement key by the active keys",
       [&](PairState& s) { s.agents[1].agree = fresh.agree; },
       {},
       true,
       Errc::refused},
      {"another's keys replaced by quorum and active keys", replace(1), {0, 2}, true, kTaken},
      {"leaving", remove(1), {1}, false, kTaken},
      {"leaving while another replaces its keys",
       [&](PairState& s) {
         s.agents[0] = fresh;
         s.agents.erase(s.agents.begin() + 1);
       },
       {0, 1},
       false,
       Errc::refused},
      {"leaving while another replaces its keys, by the active keys",
       [&](PairState& s) {
         s.agents[0] = fresh;
         s.agents.erase(s.agents.begin() + 1);
       },
       {0, 1},
       true,
       kTaken},
      {"removing another alone", remove(1), {0}, false, Errc::refused},
      {"removing another by the active keys", remove(1), {}, true, Errc::refused},
      {"removing another by the quorum", remove(1), {0, 2}, false, kTaken},
      {"leaving and taking another along",
       [](PairState& s) {
         s.agents.erase(s.agents.begin(), s.agents.begin() + 2);
         s.revoke = 2;
       },
       {0},
       false,
       Errc::refused},
      {"a new agent by an agent",
       [&](PairState& s) { s.agents.push_back(fresh); },
       {0},
       false,
       Errc::refused},
      {"a new agent by the active keys",
       [&](PairState& s) { s.agents.push_back(fresh); },
       {},
       true,
       kTaken},
      {"own keys moved to another place",
       [&](PairState& s) {
         s.agents[0] = fresh;
         s.agents.push_back(s.agents[1]);
         s.agents.erase(s.agents.begin() + 1);
       },
       {0},
       false,
       Errc::refused},
      {"another's place taken",
       [&](PairState& s) {
         s.agents[1] = s.agents[0];
         s.agents[0] = fresh;
       },
       {0},
       false,
       Errc::refused},
      {"services by an agent",
       [](PairState& s) { s.services.clear(); },
       {0, 1, 2},
       false,
       Errc::refused},
      {"services by the active keys", [](PairState& s) { s.services.clear(); }, {}, true, kTaken},
      {"revoke lowered by agents",
       [](PairState& s) { s.revoke = 1; },
       {0, 1, 2},
       false,
       Errc::refused},
      {"disabled by the active keys",
       [](PairState& s) { s.status = ledger::PairStatus::disabled; },
       {},
       true,
       kTaken},
      {"nothing by an agent", [](PairState&) {}, {0}, false, Errc::refused},
  };
  for (const Row& row : rows) {
    PairState after = before;
    row.change(after);
    std::vector<std::string> signers;
    for (const std::size_t i : row.signers) signers.push_back(before.agents[i].auth);
    EXPECT_EQ(refusal_of(ledger::check_pair_update(before, after, signers, row.active)),
              row.expected)
        << row.what;
  }
}

TEST(PairState, TheReaderTakesAnAgentsOwnReplacement) {
  LogLab lab(Kind::pair);
  const LogView start = lab.start();
  PairState state = must(ledger::parse_pair_state(start.current.state));
  const std::string own = state.agents[0].auth;
  const std::string other = state.agents[1].auth;
  state.agents[0] = lab.pair_agent();
  const auto with = [&](const std::vector<std::string>& signers) {
    Entry entry = must(ledger::make_update(start, ledger::pair_state_json(state), lab.time));
    lab.sign(entry, signers);
    return lab.rule_against(entry);
  };
  EXPECT_EQ(with({own}), std::nullopt);
  EXPECT_EQ(with({}), Rule::update);
  EXPECT_EQ(with({state.agents[0].auth}), Rule::update) << "the new key cannot bring itself in";
  EXPECT_EQ(with({own, lab.announced(start.current.next)[0]}), Rule::update);
  EXPECT_EQ(with({other}), Rule::update) << "revoke is 1, but the new agent needs the active keys";
}

}  // namespace
}  // namespace kith::test
