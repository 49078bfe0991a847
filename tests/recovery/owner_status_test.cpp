// What `kith recovery status` still misses.

#include "ledger/descriptor.hpp"
#include "tests/recovery/device_world.hpp"

namespace kith::recovery {
namespace {

using test::AgentBox;
using testing::Neighbourhood;

struct Safe : Neighbourhood {
  Safe() : Neighbourhood(6, testing::mediator_modules<>(), false) {
    std::vector<AgentBox*> trustees;
    for (const auto* name : {"t1", "t2", "t3"}) {
      trustees.push_back(&add_person(name));
      connect(owner, *trustees.back());
    }
    make_identity(owner);
    set_up(owner, trustees, 2);
  }
  /// As if the identity had been published there, under the rules of `witnesses` who must sign.
  void publish_at(const std::string& url, std::uint32_t witnesses) {
    owner.edit([&](Host& host) {
      auto own = *ledger::identity(host);
      auto descriptor = ledger::parse_descriptor(own.ledger).value();
      descriptor.witnesses.clear();
      for (std::uint32_t i = 0; i < witnesses; ++i) {
        descriptor.witnesses.push_back(test::LedgerKey(100 + i).pair.public_key);
      }
      descriptor.w = witnesses;
      own.ledger_url = url;
      own.ledger = ledger::descriptor_json(descriptor);
      ledger::save_identity(host, own);
      return 0;
    });
  }
  std::string state() { return testing::text_or_empty(*owner.command("recovery-status"), "state"); }
  std::string missing() {
    return crypto::json_text(owner.command("recovery-status")->at("missing"));
  }

  AgentBox& owner = add_person("owner");
};

TEST(OwnerStatus, IsNotReadyWhereThisHomeAloneSaysWhenItsEntriesWereMade) {
  Safe safe;
  ASSERT_EQ(safe.state(), "ready");
  const std::string elsewhere =
      safe.owner.look([](Host& host) { return ledger::identity(host)->ledger_url; });
  safe.publish_at("leveldb:/home/owner/ledger", 0);
  EXPECT_EQ(safe.state(), "incomplete");
  EXPECT_NE(safe.missing().find("no witnesses"), std::string::npos) << safe.missing();
  safe.publish_at("leveldb:/home/owner/ledger", 1);
  EXPECT_EQ(safe.state(), "ready");
  EXPECT_EQ(safe.missing(), "[]");
  // Elsewhere the host's own time counts.
  safe.publish_at(elsewhere, 0);
  EXPECT_EQ(safe.state(), "ready");
}

}  // namespace
}  // namespace kith::recovery
