#include "protocol/messenger.hpp"

#include <gtest/gtest.h>

#include "crypto/software_keys.hpp"
#include "protocol/did_peer.hpp"
#include "protocol/unit_of_work.hpp"
#include "tests/support/memory_store.hpp"

namespace kith::protocol {
namespace {

class MessengerTest : public ::testing::Test {
 protected:
  Did peer(const std::vector<ServiceEndpoint>& services) {
    const auto agree = keys_.generate(KeyType::x25519, KeyPurpose::agree).value();
    const auto sign = keys_.generate(KeyType::ed25519, KeyPurpose::authenticate).value();
    const Did did = make_did_peer2({{agree.public_key, KeyUse::key_agreement},
                                    {sign.public_key, KeyUse::authentication}},
                                   services)
                        .value();
    remember_key(unit_, did_peer2_kid(did, 0), agree.sealed);
    return did;
  }
  static ServiceEndpoint at(std::string uri, std::vector<std::string> accept = {},
                            std::vector<std::string> routing_keys = {}) {
    ServiceEndpoint service;
    service.uri = std::move(uri);
    service.accept = std::move(accept);
    service.routing_keys = std::move(routing_keys);
    return service;
  }
  Result<SendPayload> sent_to(const Did& to,
                              std::string_view type = "https://example.org/a/1.0/b") {
    Message message = new_message(type, random_, 1'795'000'000);
    message.from = peer({});
    message.to = {to};
    TRY(const std::string id, send(unit_, std::move(message), {}));
    return decode_record<SendPayload>(unit_.started().back().payload);
  }

  test::MemoryStore store_;
  crypto::SeededRandom random_{1, "messenger"};
  crypto::SoftwareKeys keys_{random_.secret(32), random_};
  UnitOfWork unit_{
      UnitContext{store_, keys_, random_, from_epoch_seconds(1'795'000'000), {}, true}};
};

TEST_F(MessengerTest, TriesTheEndpointsOfARecipientInTurn) {
  const Did relay = peer({at("https://relay.test/")});
  const Did bob = peer({at("https://one.test/"), at("wss://two.test/"),
                        at("https://relay.test/", {}, {relay.text()})});
  auto payload = sent_to(bob);
  ASSERT_TRUE(payload.has_value()) << payload.error().detail;
  EXPECT_EQ(payload->uri, "https://one.test/");
  ASSERT_EQ(payload->others.size(), 2u);
  EXPECT_TRUE(payload->others[0].packed.empty()) << "the same bytes";
  EXPECT_FALSE(payload->others[1].packed.empty()) << "wrapped for the relay";
  const Bytes direct = payload->packed;
  const char* uris[] = {"https://one.test/", "wss://two.test/", "https://relay.test/"};
  for (std::uint32_t attempt = 0; attempt < 7; ++attempt) {
    SendPayload turn = *payload;
    choose_way(turn, attempt);
    EXPECT_EQ(turn.uri, uris[attempt % 3]) << attempt;
    EXPECT_EQ(turn.packed == direct, attempt % 3 != 2) << attempt;
  }
}

TEST_F(MessengerTest, PassesOverEndpointsThatItCannotUse) {
  const Did bob = peer({at("didcomm:transport/queue"), at("https://old.test/", {"didcomm/aip1"}),
                        at("mqtt://three.test/"), at("HTTPS://four.test/", {"didcomm/v2"})});
  const auto payload = sent_to(bob);
  ASSERT_TRUE(payload.has_value()) << payload.error().detail;
  EXPECT_EQ(payload->uri, "HTTPS://four.test/");
  EXPECT_TRUE(payload->others.empty());
  EXPECT_EQ(sent_to(peer({at("didcomm:transport/queue")})).error().code, Errc::unreachable);
}

TEST_F(MessengerTest, BoundsTheEndpointsThatAreTried) {
  std::vector<ServiceEndpoint> many;
  for (int i = 0; i < 10; ++i) many.push_back(at("https://a" + std::to_string(i) + ".test/"));
  EXPECT_EQ(sent_to(peer(many))->others.size() + 1, limits::kEndpointsTriedMax);
}

TEST_F(MessengerTest, PadsOnlyForKith) {
  const Did bob = peer({at("https://one.test/")});
  const std::size_t foreign = sent_to(bob)->packed.size();
  const std::size_t ours = sent_to(bob, "https://w3id.org/kith/a/1.0/b")->packed.size();
  EXPECT_GT(ours, foreign);
}

}  // namespace
}  // namespace kith::protocol
