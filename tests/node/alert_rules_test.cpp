#include "node/runtime/alert_rules.hpp"

#include <gtest/gtest.h>

#include "tests/support/error_code.hpp"

namespace kith::node {
namespace {

using namespace std::chrono_literals;
using protocol::AuditEntry;
using Places = std::vector<std::string>;

constexpr Time kBegin{Duration{1'700'000'000'000}};

AlertOptions all_notices() {
  AlertOptions options;
  for (Places AlertOptions::*rule :
       {&AlertOptions::failed_unlocks, &AlertOptions::recovery_request, &AlertOptions::new_agent,
        &AlertOptions::heartbeat_loss, &AlertOptions::checkpoint_conflict}) {
    options.*rule = {"notice"};
  }
  return options;
}

AuditEntry noted(std::string event, Duration after = {}, JsonObject details = {}) {
  AuditEntry entry;
  entry.n = 7;
  entry.time = kBegin + after;
  entry.event = std::move(event);
  entry.details = std::move(details);
  return entry;
}

std::string kind_of(AlertRules& rules, const AuditEntry& entry) {
  const auto alert = rules.judge(entry);
  return alert ? alert->kind : "";
}

TEST(AlertRules, RaiseWhatTheyNameAndNothingElse) {
  AlertRules rules(all_notices());
  EXPECT_EQ(kind_of(rules, noted("recovery.noticed")), "recovery-request");
  EXPECT_EQ(kind_of(rules, noted("trustee.session", {}, {{"event", "request"}})),
            "recovery-request");
  EXPECT_EQ(kind_of(rules, noted("trustee.session", {}, {{"event", "approve"}})), "");
  EXPECT_EQ(kind_of(rules, noted("agent.added")), "new-agent");
  EXPECT_EQ(kind_of(rules, noted("agent.unknown")), "new-agent");
  EXPECT_EQ(kind_of(rules, noted("recovery.heartbeat-lost")), "heartbeat-loss");
  EXPECT_EQ(kind_of(rules, noted("identity.ledger-conflict")), "checkpoint-conflict");
  EXPECT_EQ(kind_of(rules, noted("backup.stored")), "");
  AlertRules none(AlertOptions{});
  EXPECT_EQ(kind_of(none, noted("recovery.noticed")), "");
}

TEST(AlertRules, WrongPassphrasesCountWithinTenMinutes) {
  AlertRules rules(all_notices());
  const auto wrong = [&](Duration after) {
    return kind_of(rules, noted(std::string(kWrongPassphraseEvent), after));
  };
  EXPECT_EQ(wrong(0min), "");
  EXPECT_EQ(wrong(1min), "");
  EXPECT_EQ(wrong(12min), "");
  EXPECT_EQ(wrong(13min), "");
  EXPECT_EQ(wrong(14min), "failed-unlocks");
  EXPECT_EQ(wrong(15min), "");
  const auto many = noted(std::string(kWrongPassphraseEvent), 40min, {{"tries", 3}});
  EXPECT_EQ(kind_of(rules, many), "failed-unlocks");
}

TEST(AlertRules, AFloodOfOneKindIsCutAndHidesNoOther) {
  AlertOptions options = all_notices();
  options.per_hour = 2;
  AlertRules rules(options);
  std::size_t raised = 0;
  for (int i = 0; i < 50; ++i) {
    if (rules.judge(noted("trustee.session", Duration{i}, {{"event", "request"}}))) ++raised;
  }
  EXPECT_EQ(raised, 2U);
  EXPECT_EQ(kind_of(rules, noted("agent.unknown", 1s)), "new-agent");
  const auto next = rules.judge(noted("recovery.noticed", 61min));
  ASSERT_TRUE(next);
  EXPECT_EQ(next->left_out, 48U);
  EXPECT_TRUE(alert_words(*next).ends_with(": 48."));
}

TEST(AlertRules, NothingThatAnEntryHoldsGetsIntoAnAlert) {
  AlertRules rules(all_notices());
  const std::string canary = "canary-5e1f";
  for (const char* event : {"recovery.noticed", "trustee.session", "agent.added", "agent.unknown",
                            "recovery.heartbeat-lost", "identity.ledger-conflict"}) {
    const auto alert = rules.judge(
        noted(event, {}, {{"event", "request"}, {"agent", canary}, {"contact", canary}}));
    ASSERT_TRUE(alert) << event;
    EXPECT_EQ(crypto::json_text(alert_json(*alert)).find(canary), std::string::npos) << event;
  }
}

TEST(AlertOptions, WebhooksAreOnThisMachineAlone) {
  AlertOptions options;
  options.new_agent = {"webhook"};
  for (const char* url :
       {"http://127.0.0.1:8000/alerts", "http://[::1]:80/", "http://127.8.0.9/x"}) {
    options.webhook = url;
    EXPECT_TRUE(check_alert_options(options).has_value()) << url;
  }
  for (const char* url : {"http://localhost/", "http://10.0.0.1/", "http://example.org/",
                          "https://127.0.0.1/", "http://[::ffff:10.0.0.1]/", "ftp://127.0.0.1/",
                          "http://user@127.0.0.1/", "127.0.0.1:80", "http://0.0.0.0/"}) {
    options.webhook = url;
    EXPECT_EQ(test::code_of(check_alert_options(options)), Errc::usage) << url;
  }
}

TEST(AlertOptions, WhatCannotWorkIsRefused) {
  AlertOptions options;
  EXPECT_TRUE(check_alert_options(options).has_value());
  options.new_agent = {"mail"};
  EXPECT_EQ(test::code_of(check_alert_options(options)), Errc::usage);
  options.new_agent = {"command"};
  EXPECT_EQ(test::code_of(check_alert_options(options)), Errc::usage);
  options.command = {"logger"};
  EXPECT_EQ(test::code_of(check_alert_options(options)), Errc::usage);
  options.command = {"/usr/bin/logger"};
  EXPECT_TRUE(check_alert_options(options).has_value());
  options.new_agent = {"webhook"};
  EXPECT_EQ(test::code_of(check_alert_options(options)), Errc::usage);
}

}  // namespace
}  // namespace kith::node
