// A node that contacts reach directly moves: `kith run --public-url` with another address.

#include <gtest/gtest.h>

#include "ledger/connection.hpp"
#include "node/wiring.hpp"
#include "protocol/contact.hpp"
#include "protocol/messenger.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

using namespace std::chrono_literals;

class PublicUrlChange : public ::testing::Test {
 protected:
  AgentBox& add(const std::string& name, node::NodeConfig& config) {
    return net_.add(name, [&config] { return node::make_modules(config); });
  }
  static Contact only_contact(AgentBox& box) {
    const auto all = box.look([](Host& host) { return protocol::list_contacts(host); });
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? Contact{} : all.front();
  }
  /// Where Bob finds Alice.
  std::string known_address() {
    return bob_.look([](Host& host) {
      const Did alice = must(Did::parse(protocol::list_contacts(host).front().their_did));
      return must(protocol::KnownDids(host).resolve(alice)).services.front().uri;
    });
  }
  void connect() {
    const auto made = must(alice_.command("invite"));
    must(bob_.command("accept", {{"url", must(crypto::json_string(made, "url"))}}));
    net_.run_for(1min);
    ASSERT_EQ(only_contact(bob_).state, ContactState::connected);
    ASSERT_EQ(known_address(), alice_.url());
  }

  Network net_{3};
  node::NodeConfig of_alice_ = [] {
    node::NodeConfig config;
    config.public_url = "https://alice.test/";
    return config;
  }();
  node::NodeConfig of_bob_;
  AgentBox& alice_ = add("alice", of_alice_);
  AgentBox& bob_ = add("bob", of_bob_);
};

TEST_F(PublicUrlChange, ContactsLearnTheNewAddress) {
  connect();
  of_alice_.public_url = alice_.live_url();
  alice_.restart();
  net_.run_for(1min);
  EXPECT_EQ(known_address(), alice_.live_url());
}

TEST_F(PublicUrlChange, NothingIsSentWhenTheAddressStays) {
  connect();
  std::size_t packets = 0;
  net_.on_arrival = [&](const Packet&) { ++packets; };
  alice_.restart();
  of_alice_.public_url.clear();  // Not given again: the former one holds.
  alice_.restart();
  net_.run_for(1min);
  EXPECT_EQ(packets, 0U);
  EXPECT_EQ(known_address(), alice_.url());
}

}  // namespace
}  // namespace kith::test
