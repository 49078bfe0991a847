#include "ledger/policy.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "crypto/limits.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

using ledger::Policy;
using namespace ledger::auth;

Errc error_of(const Result<void>& result) {
  return result.has_value() ? Errc::usage : result.error().code;
}
constexpr Errc kFine = Errc::usage;

std::string commitment(std::uint8_t fill) {
  return crypto::multibase(Bytes(32, fill));
}

/// Agents 0 and 1 administer, 2 grants and revokes, 3 proves, 4 to 6 are trustees.
Policy make_policy(LogLab& lab) {
  Policy policy = lab.policy_state({kOwnerAll, kProve | kAdmin, kProveGrant | kProveRevoke, kProve,
                                    kRevokeAuthz, kProvisionAuthz, kAdminAuthz});
  policy.rules = {{"grant", 1}, {"revoke", 1}, {"admin", 2}};
  policy.agents[3].commitment = commitment(3);
  policy.agents[3].label = "r7";
  policy.set = "anchor";
  return policy;
}

TEST(Policy, PrintsWhatItParses) {
  LogLab lab(Kind::policy);
  Policy policy = make_policy(lab);
  policy.agents[3].auth |= ledger::AuthBits{1} << 40U;
  policy.rules["later_rule"] = 3;
  const auto parsed = ledger::parse_policy(ledger::policy_json(policy));
  ASSERT_TRUE(parsed.has_value()) << parsed.error().detail;
  EXPECT_EQ(*parsed, policy) << "unknown bits and rules are carried";
}

TEST(Policy, NamesTheSevenBits) {
  ledger::AuthBits all = 0;
  for (const auto& [bit, name] : ledger::auth_names()) {
    EXPECT_EQ(all & bit, 0U) << name;
    all |= bit;
  }
  EXPECT_EQ(all, kKnown);
  EXPECT_EQ(ledger::auth_names()[3].name, "ADMIN");
  EXPECT_EQ(ledger::auth_names()[3].bit, 8U);
  EXPECT_EQ(ledger::auth_names()[6].bit, 64U);
}

TEST(Policy, RefusesStatesThatBreakTheRules) {
  LogLab lab(Kind::policy);
  const Policy good = make_policy(lab);
  EXPECT_EQ(error_of(ledger::check_policy(good)), kFine);
  const auto broken = [&](const std::function<void(Policy&)>& change) {
    Policy policy = good;
    change(policy);
    const Errc made = error_of(ledger::check_policy(policy));
    const auto parsed = ledger::parse_policy(ledger::policy_json(policy));
    EXPECT_EQ(parsed.has_value() ? kFine : parsed.error().code, made);
    return made;
  };
  EXPECT_EQ(broken([](Policy& p) { p.agents[1].key = p.agents[0].key; }), Errc::malformed);
  EXPECT_EQ(broken([](Policy& p) { p.agents[0].commitment = p.agents[3].commitment; }),
            Errc::refused)
      << "duplicate commitment";
  EXPECT_EQ(broken([](Policy& p) { p.agents[2].commitment = commitment(9); }), Errc::malformed)
      << "commitment without PROVE";
  EXPECT_EQ(broken([](Policy& p) { p.agents[3].commitment = "zz"; }), Errc::malformed);
  EXPECT_EQ(broken([](Policy& p) { p.agents[1].auth = kProve; }), Errc::refused)
      << "no ADMIN quorum";
  EXPECT_EQ(broken([](Policy& p) { p.agents[1].auth = kProve | kAdminAuthz; }), Errc::refused)
      << "a trustee's right is no ADMIN";
  EXPECT_EQ(broken([](Policy& p) { p.rules["admin"] = 3; }), Errc::refused);
  EXPECT_EQ(broken([](Policy& p) { p.rules["admin"] = 0; }), Errc::malformed);
  EXPECT_EQ(broken([](Policy& p) { p.rules.erase("revoke"); }), Errc::malformed);
  EXPECT_EQ(broken([](Policy& p) { p.rules["Grant"] = 1; }), Errc::malformed);
  EXPECT_EQ(broken([](Policy& p) { p.agents.clear(); }), Errc::refused);
  EXPECT_EQ(broken([](Policy& p) { p.agents[3].label = std::string(101, 'a'); }),
            Errc::limit_exceeded);
  Json extra = ledger::policy_json(good);
  extra.as_object()["more"] = 1;
  EXPECT_FALSE(ledger::parse_policy(extra).has_value());
}

struct Row {
  const char* what;
  std::function<void(Policy&)> change;
  std::vector<std::size_t> signers;
  Errc expected;
};

std::vector<Row> table(const std::string& stranger) {
  const auto add = [stranger](ledger::AuthBits bits) {
    return [stranger, bits](Policy& p) { p.agents.push_back({stranger, bits, {}, {}}); };
  };
  const auto remove = [](std::size_t index) {
    return [index](Policy& p) {
      p.agents.erase(p.agents.begin() + static_cast<std::ptrdiff_t>(index));
    };
  };
  const auto set_bits = [](std::size_t index, ledger::AuthBits bits) {
    return [index, bits](Policy& p) { p.agents[index].auth = bits; };
  };
  return {
      {"grant PROVE by a granter", add(kProve), {2}, kFine},
      {"grant PROVE by a trustee who provisions", add(kProve), {5}, kFine},
      {"grant PROVE by a prover", add(kProve), {3}, Errc::refused},
      {"grant PROVE by an admin without PROVE_GRANT", add(kProve), {1}, Errc::refused},
      {"grant PROVE by nobody", add(kProve), {}, Errc::refused},
      {"grant ADMIN by two admins", add(kAdmin), {0, 1}, kFine},
      {"grant ADMIN by one admin and a trustee", add(kAdmin), {1, 6}, kFine},
      {"grant ADMIN by one admin", add(kAdmin), {0}, Errc::refused},
      {"grant ADMIN by a granter", add(kAdmin), {2}, Errc::refused},
      {"grant PROVE and ADMIN by admins alone", add(kProve | kAdmin), {1, 6}, Errc::refused},
      {"grant PROVE and ADMIN by both rules", add(kProve | kAdmin), {0, 1}, kFine},
      {"an agent without bits by a granter", add(0), {2}, Errc::refused},
      {"an agent without bits by admins", add(0), {0, 1}, kFine},
      {"an unknown bit to a new agent", add(128), {0, 1, 2}, Errc::refused},
      {"an unknown bit to an old agent", set_bits(3, kProve | 256), {0, 1, 2}, Errc::refused},
      {"more bits for oneself", set_bits(3, kProve | kAdmin), {3}, Errc::refused},
      {"revoke PROVE by a revoker", remove(3), {2}, kFine},
      {"revoke PROVE by a trustee who revokes", remove(3), {4}, kFine},
      {"revoke PROVE by a trustee who provisions", remove(3), {5}, Errc::refused},
      {"revoke PROVE by an admin without PROVE_REVOKE", remove(3), {1}, Errc::refused},
      {"self-revocation", remove(3), {3}, kFine},
      {"self-revocation of one commitment",
       [](Policy& p) { p.agents[3].commitment.reset(); },
       {3},
       kFine},
      {"self-revocation of another's", remove(2), {3}, Errc::refused},
      {"self-revocation with a gain",
       [](Policy& p) {
         p.agents[3].auth = kProveGrant;
         p.agents[3].commitment.reset();
       },
       {3},
       Errc::refused},
      {"revoke ADMIN by a revoker", set_bits(6, 0), {2}, Errc::refused},
      {"revoke ADMIN_AUTHZ by admins", set_bits(6, 0), {0, 1}, kFine},
      {"self-revocation that leaves no ADMIN quorum", remove(1), {1}, Errc::refused},
      {"removal that leaves no ADMIN quorum", remove(1), {0, 1, 2}, Errc::refused},
      {"commitment by a granter",
       [](Policy& p) { p.agents[1].commitment = commitment(7); },
       {2},
       kFine},
      {"another commitment in the place of one, by who may grant and revoke",
       [](Policy& p) { p.agents[3].commitment = commitment(7); },
       {2},
       kFine},
      {"another commitment in the place of one, by who may grant alone",
       [](Policy& p) { p.agents[3].commitment = commitment(7); },
       {5},
       Errc::refused},
      {"commitment by its agent alone",
       [](Policy& p) { p.agents[1].commitment = commitment(7); },
       {1},
       Errc::refused},
      {"another's commitment",
       [](Policy& p) { p.agents[1].commitment = p.agents[3].commitment; },
       {0, 1, 2},
       Errc::refused},
      {"rules by two admins", [](Policy& p) { p.rules["grant"] = 2; }, {0, 1}, kFine},
      {"rules by one admin", [](Policy& p) { p.rules["grant"] = 2; }, {0}, Errc::refused},
      {"rules by a granter", [](Policy& p) { p.rules["grant"] = 2; }, {2}, Errc::refused},
      {"set by two admins", [](Policy& p) { p.set = "other"; }, {0, 1}, kFine},
      {"set by one admin", [](Policy& p) { p.set.reset(); }, {1}, Errc::refused},
      {"label by one admin", [](Policy& p) { p.agents[3].label = "x"; }, {1}, Errc::refused},
      {"label by two admins", [](Policy& p) { p.agents[3].label = "x"; }, {0, 1}, kFine},
      {"order by a prover",
       [](Policy& p) { std::swap(p.agents[0], p.agents[3]); },
       {3},
       Errc::refused},
      {"nothing by a prover", [](Policy&) {}, {3}, Errc::refused},
      {"nothing by two admins", [](Policy&) {}, {0, 1}, kFine},
  };
}

TEST(Policy, EachChangeNeedsItsQuorum) {
  LogLab lab(Kind::policy);
  const Policy before = make_policy(lab);
  const std::string stranger = crypto::multikey(lab.fresh(KeyPurpose::agent).public_key);
  for (const Row& row : table(stranger)) {
    Policy after = before;
    row.change(after);
    std::vector<std::string> signers;
    for (const std::size_t index : row.signers) signers.push_back(before.agents[index].key);
    EXPECT_EQ(error_of(ledger::check_policy_update(before, after, signers)), row.expected)
        << row.what;
  }
}

TEST(Policy, StrangersHaveNoSay) {
  LogLab lab(Kind::policy);
  const Policy before = make_policy(lab);
  Policy after = before;
  after.set = "other";
  const std::string stranger = crypto::multikey(lab.fresh(KeyPurpose::agent).public_key);
  const std::vector<std::string> admins = {before.agents[0].key, before.agents[1].key};
  EXPECT_EQ(error_of(ledger::check_policy_update(before, after, admins)), kFine);
  std::vector<std::string> more = admins;
  more.push_back(stranger);
  EXPECT_EQ(error_of(ledger::check_policy_update(before, after, more)), Errc::refused);
}

TEST(Policy, UnknownBitsCountForNothing) {
  LogLab lab(Kind::policy);
  Policy before = make_policy(lab);
  before.agents[3].auth = kProve | (ledger::AuthBits{1} << 20U);
  Policy after = before;
  after.set = "other";
  before.rules["admin"] = 1;
  after.rules["admin"] = 1;
  EXPECT_EQ(error_of(ledger::check_policy_update(before, after, {before.agents[3].key})),
            Errc::refused);
  EXPECT_EQ(error_of(ledger::check_policy_update(before, after, {before.agents[0].key})), kFine);
}

TEST(Policy, TheReaderAppliesTheRules) {
  LogLab lab(Kind::policy);
  LogContent content = lab.first_content();
  const Policy before = make_policy(lab);
  content.state = ledger::policy_json(before);
  const LogView start = lab.start_with(content);
  Policy after = before;
  after.agents.pop_back();
  const auto with = [&](const std::vector<std::string>& signers) {
    Entry entry = must(ledger::make_update(start, ledger::policy_json(after), lab.time));
    lab.sign(entry, signers);
    return lab.rule_against(entry);
  };
  EXPECT_EQ(with({before.agents[0].key, before.agents[1].key}), std::nullopt);
  EXPECT_EQ(with({before.agents[6].key}), std::nullopt) << "self-revocation";
  EXPECT_EQ(with({before.agents[0].key}), Rule::update);
  EXPECT_EQ(with(start.current.keys.k), Rule::update) << "the log's keys do not stand for agents";
  EXPECT_EQ(with({}), Rule::update);
  Entry forged = must(ledger::make_update(start, ledger::policy_json(after), lab.time));
  lab.sign(forged, {before.agents[0].key, before.agents[1].key});
  forged.sigs[1].s[9] ^= 4U;
  EXPECT_EQ(lab.rule_against(forged), Rule::signatures);
}

}  // namespace
}  // namespace kith::test
