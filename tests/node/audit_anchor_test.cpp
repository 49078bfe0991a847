// What the ledger holds of a private audit log finds out who cuts it; without an anchor a log that
// was cut with its head is whole.

#include "ledger/audit_anchor.hpp"

#include <gtest/gtest.h>

#include "ledger/connection.hpp"
#include "ledger/identity.hpp"
#include "ledger/ledger_effects.hpp"
#include "ledger/log_limits.hpp"
#include "ledger/log_store.hpp"
#include "ledger/log_writer.hpp"
#include "ledger/memory_ledger.hpp"
#include "node/node_module.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/ledger_kit.hpp"

namespace kith::node {
namespace {

using protocol::AuditEntry;
using protocol::AuditHead;
using test::AgentBox;

constexpr std::string_view kHost = "https://ledger.example";

class AuditAnchors : public ::testing::Test {
 protected:
  AuditAnchors()
      : ledger_(test::ledger_descriptor(), true), prover_(ledger_, test::ledger_signer()) {
    net_.perform = [this](AgentBox&, const protocol::Effect& effect) {
      return std::optional(
          ledger::perform_on(ledger_, effect, ledger::anchor_time(net_.now()), &prover_));
    };
  }
  AgentBox& agent(bool test_mode = true) {
    return net_.add("alice",
                    [] {
                      test::Modules all;
                      all.push_back(std::make_unique<ledger::Connection>());
                      all.push_back(std::make_unique<ledger::IdentityModule>());
                      all.push_back(std::make_unique<NodeModule>(NodeConfig{}));
                      return all;
                    },
                    {true, test_mode, false});
  }
  AgentBox& person(bool test_mode = true) {
    AgentBox& box = agent(test_mode);
    const auto made =
        box.command("identity-create", {{"name", "alice"}, {"ledger", kHost}, {"no_vault", true}});
    EXPECT_TRUE(made.has_value());
    EXPECT_TRUE(run_until_shown(box));
    return box;
  }
  bool run_until_shown(AgentBox& box) {
    return net_.run_until([&] {
      return box.look([](Host& host) {
        const auto own = ledger::identity(host);
        return own && ledger::posted(host, own->did) && ledger::posted(host, own->policy);
      });
    });
  }
  static void do_something(AgentBox& box, std::string_view event = "something.done") {
    const auto done = box.edit([&](Host& host) -> Result<void> {
      host.audit(event);
      return {};
    });
    ASSERT_TRUE(done.has_value());
  }
  /// Takes the newest entries away and sets the head back, as an old copy of the home would.
  static void cut(AgentBox& box, std::uint64_t entries) {
    const auto done = box.edit([&](Host& host) -> Result<void> {
      auto head = *protocol::load<AuditHead>(host, "meta", "audit");
      for (std::uint64_t i = 0; i < entries; ++i) {
        --head.count;
        const std::string id = protocol::numbered_id(head.count);
        head.hash = protocol::load<AuditEntry>(host, "audit", id)->prev;
        host.erase({"audit", id});
      }
      protocol::save(host, "meta", "audit", head);
      return {};
    });
    ASSERT_TRUE(done.has_value());
  }
  static JsonObject verified(AgentBox& box) {
    const auto reply = box.command("audit-verify");
    EXPECT_TRUE(reply.has_value()) << (reply.has_value() ? "" : reply.error().detail);
    return reply.has_value() ? *reply : JsonObject{};
  }
  static std::optional<Errc> refusal(AgentBox& box, std::string_view command) {
    const auto reply = box.command(command);
    return reply.has_value() ? std::nullopt : std::optional(reply.error().code);
  }

  ledger::MemoryLedger ledger_;
  ledger::LedgerProver prover_;
  test::Network net_;
};

TEST_F(AuditAnchors, AreContinuedByTheLogThatGrows) {
  AgentBox& alice = person();
  EXPECT_EQ(verified(alice).at("anchor").at("state"), Json("none"));
  const auto made = alice.command("audit-anchor");
  ASSERT_TRUE(made.has_value()) << made.error().detail;
  ASSERT_TRUE(run_until_shown(alice));
  do_something(alice);
  const JsonObject reply = verified(alice);
  const JsonObject& anchor = reply.at("anchor").as_object();
  EXPECT_EQ(anchor.at("state"), Json("continued"));
  EXPECT_EQ(anchor.at("head"), made->at("head"));
  EXPECT_EQ(anchor.at("posted"), Json(true));
  EXPECT_EQ(anchor.at("entry").to_number<std::uint64_t>() + 1,
            made->at("entries").to_number<std::uint64_t>());

  // A second anchor takes the first one's place, and both count.
  ASSERT_TRUE(alice.command("audit-anchor").has_value());
  ASSERT_TRUE(run_until_shown(alice));
  const auto shown = alice.command("did-show");
  EXPECT_EQ(shown->at("document").at("kithAudit").as_array().size(), 1U);
  EXPECT_NE(verified(alice).at("anchor").at("head"), made->at("head"));
}

TEST_F(AuditAnchors, FindOutWhoCutsTheLog) {
  AgentBox& alice = person();
  do_something(alice);
  do_something(alice);
  cut(alice, 1);
  EXPECT_EQ(verified(alice).at("anchor").at("state"), Json("none"));  // Nobody can tell.
  ASSERT_TRUE(alice.command("audit-anchor").has_value());
  ASSERT_TRUE(run_until_shown(alice));
  cut(alice, 1);  // The entry about the anchor itself came after what was anchored.
  EXPECT_EQ(verified(alice).at("anchor").at("state"), Json("continued"));
  cut(alice, 1);
  const auto broken = alice.command("audit-verify");
  ASSERT_FALSE(broken.has_value());
  EXPECT_EQ(broken.error().code, Errc::audit_broken);
  EXPECT_NE(broken.error().detail.find("anchored at"), std::string::npos);
  do_something(alice, "something.else");  // Nor does another end help.
  do_something(alice);
  EXPECT_EQ(refusal(alice, "audit-verify"), Errc::audit_broken);
}

TEST_F(AuditAnchors, AreMadeOnceADay) {
  AgentBox& alice = person(false);
  ASSERT_TRUE(alice.command("audit-anchor").has_value());
  ASSERT_TRUE(run_until_shown(alice));
  EXPECT_EQ(refusal(alice, "audit-anchor"), Errc::refused);
  net_.run_for(ledger::log_limits::kAuditAnchorEvery);
  EXPECT_EQ(refusal(alice, "audit-anchor"), std::nullopt);
}

TEST_F(AuditAnchors, LeaveOthersAloneUpToALimit) {
  AgentBox& alice = person();
  const auto fill = [&](std::size_t others) {
    const auto posted = alice.edit([&](Host& host) -> Result<void> {
      const std::string did = ledger::identity(host)->did;
      TRY(const ledger::LogView view, ledger::stored_view(host, did));
      JsonArray heads;
      for (std::size_t i = 0; i < others; ++i) {
        heads.push_back(JsonObject{{"log", "other " + std::to_string(i)}, {"head", "zQm"}});
      }
      Json document = view.current.state;
      document.as_object()["kithAudit"] = std::move(heads);
      TRY(ledger::Entry entry,
          ledger::make_update(view, document, ledger::anchor_time(host.now())));
      CHECK(ledger::sign_with_active(host, entry, view));
      return ledger::post_entry(host, did, entry);
    });
    ASSERT_TRUE(posted.has_value());
    ASSERT_TRUE(run_until_shown(alice));
  };
  fill(ledger::log_limits::kAuditLogsMax);
  EXPECT_EQ(refusal(alice, "audit-anchor"), Errc::limit_exceeded);
  fill(ledger::log_limits::kAuditLogsMax - 1);
  EXPECT_EQ(refusal(alice, "audit-anchor"), std::nullopt);
  const auto shown = alice.command("did-show");
  const JsonArray& heads = shown->at("document").at("kithAudit").as_array();
  EXPECT_EQ(heads.size(), ledger::log_limits::kAuditLogsMax);
  EXPECT_EQ(heads.front().at("log"), Json("other 0"));
}

TEST_F(AuditAnchors, NeedAnIdentity) {
  AgentBox& alice = agent();
  do_something(alice);
  EXPECT_EQ(refusal(alice, "audit-anchor"), Errc::wrong_state);
  EXPECT_FALSE(verified(alice).contains("anchor"));
}

}  // namespace
}  // namespace kith::node
