// Invitations whose sender does not say its own keys: looked up first, then accepted.

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "ledger/connection.hpp"
#include "ledger/handshake.hpp"
#include "ledger/resolution.hpp"
#include "protocol/contact.hpp"
#include "protocol/invitation.hpp"
#include "protocol/kept_document.hpp"
#include "tests/support/agents.hpp"

namespace kith::ledger {
namespace {

using protocol::FetchedPage;
using protocol::OpenInvitation;
using test::AgentBox;
using test::Fate;
using test::Network;
using namespace std::chrono_literals;

/// Gives a module the resolutions of the identity module, without a ledger.
class Resolver final : public Module {
 public:
  std::string_view name() const override { return "identity"; }
  std::vector<std::string> commands() const override {
    return {"did-resolve", "did-resolve-status"};
  }
  Result<JsonObject> on_command(Host& host, const Command& command) override {
    if (command.name == "did-resolve") return start_resolution(host, command.args);
    return resolution_status(host, command.args);
  }
  void on_effect(Host& host, const protocol::Effect& effect,
                 const Result<Bytes>& outcome) override {
    take_resolution_answer(host, effect.context.substr(kResolutionContext.size()), effect, outcome);
  }
};

/// Shop invites with a DID on its web server; Bob accepts.
class LookUpInviterTest : public ::testing::Test {
 protected:
  LookUpInviterTest() {
    net_.perform = [this](AgentBox&, const protocol::Effect& effect) {
      protocol::EffectResult result;
      result.id = effect.id;
      result.outcome = protocol::encode_record(
          FetchedPage{200, {}, "application/did+json", crypto::to_bytes(document_)});
      return std::optional(result);
    };
    shop_.edit([this](Host& host) {
      const auto agree = host.keys().generate(KeyType::x25519, KeyPurpose::agree);
      const auto sign = host.keys().generate(KeyType::ed25519, KeyPurpose::authenticate);
      const auto document = protocol::build_did_document(
          *Did::parse(kDid),
          {{"agree", agree->public_key, protocol::KeyUse::key_agreement},
           {"sign", sign->public_key, protocol::KeyUse::authentication}},
          {ServiceEndpoint{"", shop_.url(), {}, {}}});
      document_ = crypto::json_text(document->raw);
      protocol::remember_key(host, kDid + "#agree", agree->sealed);
      protocol::remember_key(host, kDid + "#sign", sign->sealed);
      protocol::remember_document(host, kDid, document->raw);
      return true;
    });
  }
  /// As `invite` makes it, but reusable and from the DID on the web.
  std::string invitation() {
    const auto made = shop_.command("invite");
    const auto id = std::string(made->at("id").get_string());
    auto parsed = protocol::parse_invitation_url(std::string(made->at("url").get_string()));
    parsed->invitation->from = *Did::parse(kDid);
    shop_.edit([&](Host& host) {
      auto record = *load<OpenInvitation>(host, protocol::kInvitations, id);
      record.did = kDid;
      record.reusable = true;
      save(host, protocol::kInvitations, id, record);
      return true;
    });
    return *protocol::invitation_url(*parsed->invitation, shop_.url());
  }
  static std::vector<Contact> contacts(AgentBox& box) {
    return box.look([](Host& host) { return protocol::list_contacts(host); });
  }
  std::optional<Errc> accept(const std::string& url) {
    const auto accepted = bob_.command("accept", {{"url", url}});
    return accepted.has_value() ? std::nullopt : std::optional(accepted.error().code);
  }
  void look_up() { ASSERT_TRUE(bob_.command("did-resolve", {{"did", kDid}}).has_value()); }
  bool pinned() {
    return bob_.look([](Host& host) { return host.get({"did-doc", kDid}).has_value(); });
  }

  static inline const std::string kDid = "did:web:shop.example";
  Network net_{11};
  AgentBox& shop_ = net_.add("shop", test::modules<Connection>());
  AgentBox& bob_ = net_.add("bob", test::modules<Connection, Resolver>());
  std::string document_;
};

TEST_F(LookUpInviterTest, MustBeLookedUpFirst) {
  const std::string url = invitation();
  EXPECT_EQ(accept(url), Errc::unknown_peer);
  EXPECT_TRUE(contacts(bob_).empty());
  look_up();
  EXPECT_EQ(accept(url), std::nullopt);
  net_.run_for(1min);
  ASSERT_EQ(contacts(bob_).size(), 1U);
  EXPECT_EQ(contacts(bob_)[0].state, ContactState::connected);
  EXPECT_EQ(contacts(shop_)[0].state, ContactState::connected);
  EXPECT_FALSE(pinned()) << "nothing of the handshake is left";
}

TEST_F(LookUpInviterTest, TheAnswerMayTakeLongerThanADocumentIsKept) {
  const std::string url = invitation();
  look_up();
  net_.fate = [](const test::Packet&) { return Fate::fails; };
  ASSERT_EQ(accept(url), std::nullopt);
  net_.run_for(2 * limits::kDidWebDocumentLife);
  EXPECT_FALSE(bob_.look(
      [](Host& host) { return protocol::kept_document(host, *Did::parse(kDid)).has_value(); }));
  EXPECT_TRUE(pinned());
  net_.fate = nullptr;
  net_.run_for(2h);
  EXPECT_EQ(contacts(bob_)[0].state, ContactState::connected);
}

TEST_F(LookUpInviterTest, OthersKeysDoNotOpenTheRequest) {
  const std::string url = invitation();
  shop_.edit([](Host& host) {
    protocol::forget_key(host, kDid + "#agree");
    return true;
  });
  look_up();
  ASSERT_EQ(accept(url), std::nullopt);
  net_.run_for(1h);
  EXPECT_EQ(contacts(bob_)[0].state, ContactState::requested);
  EXPECT_TRUE(contacts(shop_).empty());
  net_.run_for(kHandshakeLife);
  EXPECT_EQ(contacts(bob_)[0].state, ContactState::ended);
  EXPECT_FALSE(pinned());
}

TEST_F(LookUpInviterTest, AnInvitationForOtherAgentsIsRefused) {
  look_up();
  auto parsed = protocol::parse_invitation_url(invitation());
  const auto accepting = [&](std::vector<std::string> profiles) {
    parsed->invitation->accept = std::move(profiles);
    return accept(*protocol::invitation_url(*parsed->invitation, shop_.url()));
  };
  EXPECT_EQ(accepting({"didcomm/aip1", "didcomm/aip2;env=rfc587"}), Errc::unsupported);
  EXPECT_EQ(accepting({"didcomm/aip1", "didcomm/v2"}), std::nullopt);
}

TEST_F(LookUpInviterTest, AnInviterWithoutAddressIsToldApart) {
  const std::string url = invitation();
  const std::size_t service = document_.find("\"service\"");
  document_.replace(service, 9, "\"others\"");
  look_up();
  EXPECT_EQ(accept(url), Errc::unreachable);
}

}  // namespace
}  // namespace kith::ledger
