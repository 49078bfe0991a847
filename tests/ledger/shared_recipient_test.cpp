// One DID of two devices: each is a client of the mediator with a key of its own, and both get all
// mail. Who loses the DID when keys are taken away, and what one device's troubles do to the other.

#include <gtest/gtest.h>

#include <algorithm>

#include "ledger/log_writer.hpp"
#include "protocol/forward.hpp"
#include "protocol/own_did.hpp"
#include "tests/ledger/proof_lab.hpp"

namespace kith {
namespace {

using protocol::CheckedClaim;
using protocol::PickupPace;
using protocol::RecipientProof;
using protocol::Registration;
using protocol::pickup::DidWish;
using protocol::pickup::OwnDid;
using test::AgentBox;
using test::Heard;
using test::kSoon;
using test::kV3;
using Mails = std::vector<Bytes>;

constexpr std::chrono::hours kWholeDay{24};

Bytes letter(int number) {
  return crypto::to_bytes(R"({"ciphertext":")" + std::to_string(number) +
                          R"(","iv":"","protected":"","tag":""})");
}

/// Record mail-route/<did> as versions wrote it that knew one client a DID.
struct ClaimWithoutKey {
  Time time{};
  std::string head;
  template <class V>
  void visit(V& v) {
    v("time", time), v("head", head);
  }
};
struct RouteWithoutKey {
  std::string client;
  ClaimWithoutKey claim;
  template <class V>
  void visit(V& v) {
    v("client", client), v("claim", claim);
  }
};

class SharedRecipient : public test::ProofLab {
 protected:
  /// `device` gets a key for a DID of `owner`, whose log names it from then on.
  void share(AgentBox& owner, AgentBox& device, const std::string& did) {
    const auto agent = device.edit([&](Host& host) { return *ledger::make_pair_agent(host, did); });
    change(owner, did, [&](ledger::PairState& state) { state.agents.push_back(agent); });
    show_log(owner, device, did);
  }
  void change(AgentBox& owner, const std::string& did,
              const std::function<void(ledger::PairState&)>& what) {
    owner.edit([&](Host& host) {
      auto state = *ledger::pair_state_of(host, did);
      what(state);
      EXPECT_TRUE(ledger::update_pair_log(host, did, state).has_value());
      return true;
    });
    later();
  }
  /// `owner` takes the agent at `index` out of the log; its own agent, the first one, agrees.
  void revoke(AgentBox& owner, const std::string& did, std::ptrdiff_t index) {
    owner.edit([&](Host& host) {
      const auto view = *ledger::stored_view(host, did);
      auto state = *ledger::pair_state_of(host, did);
      const auto first = *crypto::from_multikey(state.agents.front().auth);
      const auto sealed = protocol::OwnSecrets(host).find(did + "#" + state.agents.front().auth);
      state.agents.erase(state.agents.begin() + index);
      auto entry = *ledger::make_update(view, ledger::pair_state_json(state),
                                        ledger::anchor_time(host.now()));
      EXPECT_TRUE(ledger::sign_with_active(host, entry, view).has_value());
      EXPECT_TRUE(ledger::add_signatures(entry, {{first, *sealed}}, 1, host.keys()).has_value());
      const auto after = ledger::append_checked(host, did, ledger::entry_blob(entry), host.now());
      EXPECT_TRUE(after.has_value() && ledger::refresh_document(host, *after).has_value());
      return true;
    });
    later();
  }
  static void show_log(AgentBox& from, AgentBox& to, const std::string& did) {
    const auto blobs = from.look([&](Host& host) { return ledger::stored_blobs(host, did); });
    to.edit([&](Host& host) {
      ledger::store_blobs(host, did, blobs);
      const auto view = ledger::stored_view(host, did);
      EXPECT_TRUE(view.has_value() && ledger::refresh_document(host, *view).has_value());
      return true;
    });
  }
  /// Hands a letter in at the mediator; returns why it was refused.
  std::optional<Error> forward(const std::string& did, int number,
                               std::chrono::milliseconds delay = {}) {
    const std::string routing = routing_did();
    Bytes packed = relay().look([&](Host& host) {
      protocol::KnownDids known(host);
      const auto to = known.resolve(*Did::parse(routing));
      const auto message = protocol::make_forward(
          did, crypto::as_text(letter(number)), {protocol::epoch_seconds(host.now()) + 3600, delay},
          host.random());
      return crypto::to_bytes(*protocol::pack_anoncrypt(*message, to->agreement_keys(), {},
                                                        host.keys(), host.random()));
    });
    return net_.inject(relay(), std::move(packed));
  }
  void empty(AgentBox& client) {
    const std::string id = id_of(client);
    relay().edit([&](Host& host) {
      std::vector<std::string> all;
      for (const auto& one : protocol::read_mail(host, id, {}, 100)) all.push_back(one.id);
      protocol::confirm_mail(host, id, all);
      return true;
    });
  }
  std::size_t listed(AgentBox& client) {
    const Heard list = ask(client, std::string(kV3) + "recipient-query");
    return list.body.at("dids").get_array().size();
  }
  protocol::MailUse total() {
    return relay().look([](Host& host) { return protocol::total_use(host); });
  }
  /// Two clients, a DID that both have proven, each by its own key.
  void two_devices() {
    phone_ = &client("phone");
    laptop_ = &client("laptop");
    did_ = make_logged_did(phone());
    ASSERT_EQ(add_proven(phone(), did_), "success");
    share(phone(), laptop(), did_);
    ASSERT_EQ(add_proven(phone(), did_), "no_change");
    ASSERT_EQ(add_proven(laptop(), did_), "success");
    ASSERT_EQ(owner_of(did_), "phone+laptop");
  }
  AgentBox& phone() { return *phone_; }
  AgentBox& laptop() { return *laptop_; }

  AgentBox* phone_ = nullptr;
  AgentBox* laptop_ = nullptr;
  std::string did_;
};

TEST_F(SharedRecipient, BothDevicesGetAllMailAndEachConfirmsItsOwnCopy) {
  two_devices();
  EXPECT_EQ(listed(phone()), 1u);
  EXPECT_EQ(listed(laptop()), 1u);
  EXPECT_EQ(total().dids, 2u);
  ASSERT_EQ(forward(did_, 1), std::nullopt);
  ASSERT_EQ(forward(did_, 2), std::nullopt);
  const Mails both{letter(1), letter(2)};
  EXPECT_EQ(mail_of(phone()), both);
  EXPECT_EQ(mail_of(laptop()), both);
  EXPECT_EQ(total().messages, 4u);
  empty(phone());  // The laptop is not there yet.
  EXPECT_TRUE(mail_of(phone()).empty());
  EXPECT_EQ(mail_of(laptop()), both);
  EXPECT_EQ(total().messages, 2u);
  relay().restart();
  ASSERT_EQ(forward(did_, 3), std::nullopt);
  EXPECT_EQ(mail_of(phone()), (Mails{letter(3)}));
  EXPECT_EQ(mail_of(laptop()).size(), 3u);
  EXPECT_TRUE(relay().audited("mediation.taken-over").empty());
  EXPECT_TRUE(relay().audited("mediation.revoked").empty());
}

TEST_F(SharedRecipient, EachDeviceProvesByTheKeyThatItHolds) {
  two_devices();
  const auto state = laptop().look([&](Host& host) { return *ledger::pair_state_of(host, did_); });
  ASSERT_EQ(state.agents.size(), 2u);
  EXPECT_EQ(crypto::multikey(proof(phone(), did_, phone()).key), state.agents[0].auth);
  EXPECT_EQ(crypto::multikey(proof(laptop(), did_, laptop()).key), state.agents[1].auth);
}

TEST_F(SharedRecipient, WhatWaitedBeforeTheSecondDeviceCameStaysWithTheFirst) {
  phone_ = &client("phone");
  laptop_ = &client("laptop");
  did_ = make_logged_did(phone());
  ASSERT_EQ(add_proven(phone(), did_), "success");
  ASSERT_EQ(forward(did_, 1), std::nullopt);
  share(phone(), laptop(), did_);
  // The new device is the first to show the log that names both.
  ASSERT_EQ(add_proven(laptop(), did_), "success");
  EXPECT_EQ(mail_of(phone()), (Mails{letter(1)}));
  EXPECT_TRUE(mail_of(laptop()).empty());
  EXPECT_EQ(owner_of(did_), "phone+laptop");
  ASSERT_EQ(add_proven(phone(), did_), "no_change");
  EXPECT_EQ(owner_of(did_), "laptop+phone");
}

TEST_F(SharedRecipient, ADeviceThatMovesTakesItsOwnPlaceAlone) {
  two_devices();
  AgentBox& anew = client("anew");
  ASSERT_EQ(forward(did_, 1), std::nullopt);
  later();
  ASSERT_EQ(add(anew, did_, proof(laptop(), did_, anew)), "success");
  EXPECT_EQ(owner_of(did_), "phone+anew");
  EXPECT_EQ(mail_of(phone()), (Mails{letter(1)}));
  EXPECT_EQ(mail_of(anew), (Mails{letter(1)}));
  EXPECT_TRUE(mail_of(laptop()).empty());
  EXPECT_EQ(listed(laptop()), 0u);
  EXPECT_EQ(total().dids, 2u);
}

TEST_F(SharedRecipient, ARevokedDeviceGetsNoFurtherMail) {
  two_devices();
  ASSERT_EQ(forward(did_, 1), std::nullopt);
  const RecipientProof old = proof(laptop(), did_, laptop());
  revoke(phone(), did_, 1);
  EXPECT_EQ(owner_of(did_), "phone+laptop") << "the mediator does not know it yet";
  ASSERT_EQ(add_proven(phone(), did_), "no_change");
  EXPECT_EQ(owner_of(did_), "phone");
  EXPECT_EQ(relay().audited("mediation.revoked").size(), 1u);
  EXPECT_EQ(total().dids, 1u);
  ASSERT_EQ(forward(did_, 2), std::nullopt);
  EXPECT_EQ(mail_of(phone()), (Mails{letter(1), letter(2)})) << "its own copies, once";
  EXPECT_EQ(mail_of(laptop()), (Mails{letter(1)}));
  EXPECT_EQ(listed(laptop()), 0u);

  EXPECT_EQ(add(laptop(), did_), "client_error");
  EXPECT_EQ(add(laptop(), did_, old), "client_error");
  later();
  EXPECT_EQ(add_proven(laptop(), did_), "client_error");  // Its log ends before that.
  RecipientProof with_new_log = proof(laptop(), did_, laptop());
  with_new_log.log = proof(phone(), did_, phone()).log;
  EXPECT_EQ(add(laptop(), did_, with_new_log), "client_error");
  EXPECT_EQ(owner_of(did_), "phone");
}

TEST_F(SharedRecipient, ANewDeviceGetsTheMailOfTheOnesThatWereRevoked) {
  two_devices();
  AgentBox& tablet = client("tablet");
  ASSERT_EQ(forward(did_, 1), std::nullopt);
  share(phone(), tablet, did_);
  revoke(phone(), did_, 1);
  show_log(phone(), tablet, did_);
  ASSERT_EQ(add_proven(tablet, did_), "success");
  EXPECT_EQ(owner_of(did_), "phone+tablet");
  EXPECT_EQ(mail_of(phone()), (Mails{letter(1)}));
  EXPECT_EQ(mail_of(tablet), (Mails{letter(1)}));
  EXPECT_TRUE(mail_of(laptop()).empty());
  EXPECT_EQ(relay().audited("mediation.taken-over").size(), 1u);
}

TEST_F(SharedRecipient, AFullMailboxDoesNotKeepTheOthersFromTheirs) {
  policy_.client.messages = 1;
  two_devices();
  ASSERT_EQ(forward(did_, 1), std::nullopt);
  empty(laptop());
  ASSERT_EQ(forward(did_, 2), std::nullopt);
  EXPECT_EQ(mail_of(phone()), (Mails{letter(1)}));
  EXPECT_EQ(mail_of(laptop()), (Mails{letter(2)}));
  const auto refused = forward(did_, 3);
  ASSERT_TRUE(refused.has_value()) << "nobody has room";
  EXPECT_EQ(refused->code, Errc::storage_full);
  empty(phone());
  ASSERT_EQ(forward(did_, 4), std::nullopt);
  EXPECT_EQ(mail_of(phone()), (Mails{letter(4)}));
  EXPECT_EQ(mail_of(laptop()), (Mails{letter(2)}));
}

TEST_F(SharedRecipient, HeldMailIsHeldForEach) {
  two_devices();
  ASSERT_EQ(forward(did_, 1, std::chrono::minutes{1}), std::nullopt);
  EXPECT_TRUE(mail_of(phone()).empty());
  EXPECT_TRUE(mail_of(laptop()).empty());
  EXPECT_EQ(relay().look([](Host& host) { return protocol::held_count(host); }), 2u);
  later(std::chrono::minutes{2});
  EXPECT_EQ(mail_of(phone()), (Mails{letter(1)}));
  EXPECT_EQ(mail_of(laptop()), (Mails{letter(1)}));
}

TEST_F(SharedRecipient, RewrappedMailIsWrappedForEachClient) {
  policy_.rewrap = true;
  two_devices();
  ASSERT_EQ(forward(did_, 1), std::nullopt);
  for (AgentBox* device : {phone_, laptop_}) {
    const Mails mails = mail_of(*device);
    ASSERT_EQ(mails.size(), 1u) << device->name();
    const auto json = crypto::parse_json(crypto::as_text(mails[0]));
    ASSERT_TRUE(json.has_value());
    const std::string kid(json->at("recipients").at(0).at("header").at("kid").get_string());
    EXPECT_TRUE(kid.starts_with(dids_.at(device->name()) + "#")) << kid;
  }
}

TEST_F(SharedRecipient, WhoGivesTheDidUpOrIsRemovedLeavesItToTheOther) {
  two_devices();
  const auto remove = update(did_, "remove");
  EXPECT_EQ(result_of(ask(phone(), std::string(kV3) + "recipient-update", remove)), "success");
  EXPECT_EQ(owner_of(did_), "laptop");
  EXPECT_EQ(result_of(ask(phone(), std::string(kV3) + "recipient-update", remove)), "client_error");
  ASSERT_EQ(add_proven(phone(), did_), "success");
  EXPECT_EQ(owner_of(did_), "laptop+phone");
  const std::string id = id_of(laptop());
  relay().edit([&](Host& host) {
    protocol::drop_mailbox(host, id);
    return true;
  });
  EXPECT_EQ(owner_of(did_), "phone");
  EXPECT_EQ(total().dids, 1u);
}

TEST_F(SharedRecipient, AClientWithoutProofIsNotBesideOthers) {
  two_devices();
  AgentBox& foreign = client("foreign");
  EXPECT_EQ(add(foreign, did_), "client_error");
  const std::string other = make_logged_did(phone());
  ASSERT_EQ(add(foreign, other), "success");
  share(phone(), laptop(), other);
  ASSERT_EQ(add_proven(laptop(), other), "success");
  EXPECT_EQ(owner_of(other), "laptop");
  ASSERT_EQ(add_proven(phone(), other), "success");
  EXPECT_EQ(owner_of(other), "laptop+phone");
  EXPECT_EQ(add(phone(), other), "no_change");
}

TEST_F(SharedRecipient, AClaimOfAnOlderVersionHasNoKeyAndGivesWay) {
  two_devices();
  const auto write_old = [&] {
    const std::string laptop_id = id_of(laptop());
    const std::string phone_id = id_of(phone());
    relay().edit([&](Host& host) {
      const auto kept = *protocol::claim_of(host, phone_id, did_);
      EXPECT_EQ(protocol::remove_recipient(host, laptop_id, did_), Registration::success);
      save(host, "mail-route", did_, RouteWithoutKey{phone_id, {kept.time, kept.head}});
      return true;
    });
  };
  write_old();
  EXPECT_EQ(owner_of(did_), "phone");
  ASSERT_EQ(forward(did_, 1), std::nullopt);
  later();
  ASSERT_EQ(add_proven(laptop(), did_), "success");
  EXPECT_EQ(owner_of(did_), "laptop");
  EXPECT_EQ(mail_of(laptop()), (Mails{letter(1)}));
  ASSERT_EQ(add_proven(phone(), did_), "success");
  EXPECT_EQ(owner_of(did_), "laptop+phone");
  ASSERT_EQ(result_of(ask(laptop(), std::string(kV3) + "recipient-update", update(did_, "remove"))),
            "success");
  ASSERT_EQ(add_proven(laptop(), did_), "success");
  // Whose claim gets its key first is not taken for another's.
  write_old();
  later();
  ASSERT_EQ(add_proven(phone(), did_), "no_change");
  ASSERT_EQ(add_proven(laptop(), did_), "success");
  EXPECT_EQ(owner_of(did_), "phone+laptop");
}

TEST_F(SharedRecipient, ADidThatNamesItsKeysItselfMayHaveAClientForEach) {
  AgentBox& one = client("one");
  AgentBox& two = client("two");
  AgentBox& three = client("three");
  const auto key = [](AgentBox& box) {
    return box.edit([](Host& host) {
      return *host.keys().generate(crypto::KeyType::ed25519, crypto::KeyPurpose::authenticate);
    });
  };
  const auto first = key(one);
  const auto second = key(two);
  const auto agree = one.edit([](Host& host) {
    return *host.keys().generate(crypto::KeyType::x25519, crypto::KeyPurpose::agree);
  });
  const auto did = protocol::make_did_peer2({{agree.public_key, protocol::KeyUse::key_agreement},
                                             {first.public_key, protocol::KeyUse::authentication},
                                             {second.public_key, protocol::KeyUse::authentication}},
                                            {});
  ASSERT_TRUE(did.has_value());
  const auto keep = [&](AgentBox& box, std::size_t index, const crypto::SealedKey& sealed) {
    box.edit([&](Host& host) {
      protocol::remember_key(host, protocol::did_peer2_kid(*did, index), sealed);
      return true;
    });
  };
  keep(one, 1, first.sealed);
  keep(two, 2, second.sealed);
  ASSERT_EQ(add_proven(one, did->text()), "success");
  ASSERT_EQ(add_proven(two, did->text()), "success");
  EXPECT_EQ(owner_of(did->text()), "one+two");
  later();
  ASSERT_EQ(add(three, did->text(), proof(two, did->text(), three)), "success");
  EXPECT_EQ(owner_of(did->text()), "one+three");
}

TEST_F(SharedRecipient, ADidHasSoManyClientsAndEachNeedsRoomForIt) {
  policy_.total.dids = limits::kClientsPerDidMax + 1;
  CheckedClaim checked;
  checked.claim.head = "h";
  const auto come = [&](std::size_t i) {
    return relay().edit([&](Host& host) {
      checked.claim.time = host.now();
      checked.claim.key = "k" + std::to_string(i);
      if (checked.keys.size() <= i) checked.keys.push_back(checked.claim.key);
      return register_proven(host, "c" + std::to_string(i), "did:example:x", checked).result;
    });
  };
  for (std::size_t i = 0; i < limits::kClientsPerDidMax; ++i) {
    ASSERT_EQ(come(i), Registration::success) << i;
  }
  EXPECT_EQ(come(limits::kClientsPerDidMax), Registration::client_error);
  EXPECT_EQ(come(0), Registration::no_change);
  EXPECT_EQ(total().dids, limits::kClientsPerDidMax);
  // One key leaves, and with it its client.
  checked.claim.head = "longer";
  checked.keys.erase(checked.keys.begin() + 1);
  EXPECT_EQ(come(limits::kClientsPerDidMax), Registration::success);
  const auto clients =
      relay().look([](Host& host) { return protocol::clients_for(host, "did:example:x"); });
  EXPECT_EQ(clients.size(), limits::kClientsPerDidMax);
  EXPECT_EQ(std::ranges::count(clients, "c1"), 0);
  change_policy(
      [](protocol::MediationPolicy& policy) { policy.total.dids = limits::kClientsPerDidMax; });
  relay().edit([](Host& host) {
    EXPECT_EQ(protocol::remove_recipient(host, "c0", "did:example:x"), Registration::success);
    EXPECT_EQ(protocol::register_recipient(host, "other", "did:example:y"), Registration::success);
    return true;
  });
  EXPECT_EQ(come(0), Registration::server_error) << "beyond what all may have";
}

TEST_F(SharedRecipient, WhatOneShowsOfTheLogIsKnownOfAll) {
  CheckedClaim checked;
  checked.keys = {"k1", "k2"};
  const auto come = [&](const std::string& name) {
    return relay().edit([&](Host& host) {
      checked.claim.time = host.now();
      checked.claim.key = "k" + name;
      return register_proven(host, "c" + name, "did:example:x", checked).result;
    });
  };
  checked.claim.head = "h";
  ASSERT_EQ(come("1"), Registration::success);
  ASSERT_EQ(come("2"), Registration::success);
  checked.claim.head = "longer";
  checked.claim.recovers = {"r"};
  checked.claim.vetoed = {"v"};
  ASSERT_EQ(come("2"), Registration::no_change);
  relay().edit([](Host& host) {
    for (const char* client : {"c1", "c2"}) {
      const auto claim = protocol::claim_of(host, client, "did:example:x");
      EXPECT_TRUE(claim && claim->head == "longer") << client;
      EXPECT_TRUE(claim && claim->recovers == std::vector<std::string>{"r"}) << client;
      EXPECT_TRUE(claim && claim->vetoed == std::vector<std::string>{"v"}) << client;
    }
    const auto known = protocol::known_claim(host, "did:example:x");
    EXPECT_TRUE(known && known->vetoed.size() == 1);
    return true;
  });
}

// --- Kith's own clients

class SharedByKith : public SharedRecipient {
 protected:
  void SetUp() override {
    PickupPace pace;
    pace.live = true;
    pace.idle_max = std::chrono::hours{1};
    pace.live_check = std::chrono::hours{1};
    phone_ = &person("phone", pace);
    laptop_ = &person("laptop", pace);
    join(phone());
    join(laptop());
    did_ = make_logged_did(phone());
    share(phone(), laptop(), did_);
    // The first device last: it is the one that was there before.
    for (AgentBox* device : {laptop_, phone_}) {
      device->edit([&](Host& host) {
        protocol::register_own_did(host, did_);
        return true;
      });
      ASSERT_TRUE(net_.run_until([&] { return registered(*device); }, kSoon));
    }
    ASSERT_EQ(clients().size(), 2u);
    later();
  }
  std::vector<std::string> clients() {
    return relay().look([&](Host& host) { return protocol::clients_for(host, did_); });
  }
  std::uint64_t waiting() { return total().messages; }
  DidWish wish(AgentBox& device) {
    return device.look(
        [&](Host& host) { return load<OwnDid>(host, protocol::pickup::kOwnDids, did_)->wish; });
  }
  std::size_t alarms() {
    return phone().notices("alarm").size() + laptop().notices("alarm").size();
  }
};

TEST_F(SharedByKith, BothHearOfMailAtOnceAndTheOneThatWasAwayLater) {
  std::map<std::string, std::size_t> packets;
  net_.on_arrival = [&](const test::Packet& packet) { ++packets[packet.to->name()]; };
  ASSERT_EQ(forward(did_, 1), std::nullopt);
  net_.settle();  // No time passes.
  EXPECT_GE(packets["phone"], 1u);
  EXPECT_GE(packets["laptop"], 1u);
  EXPECT_EQ(waiting(), 0u) << "each has confirmed its copy";

  laptop().set_online(false);
  packets.clear();
  ASSERT_EQ(forward(did_, 2), std::nullopt);
  net_.settle();
  EXPECT_GE(packets["phone"], 1u);
  EXPECT_EQ(waiting(), 1u) << "the laptop's";
  laptop().set_online(true);
  net_.run_for(std::chrono::hours{2});
  EXPECT_EQ(waiting(), 0u);
}

TEST_F(SharedByKith, TheyLiveBesideEachOtherForDaysWithoutAnAlarm) {
  const auto before = clients();
  net_.run_for(3 * kWholeDay);
  EXPECT_EQ(clients(), before) << "nobody proves anew what is known";
  for (AgentBox* device : {phone_, laptop_}) {
    device->restart();
    device->edit([&](Host& host) {
      protocol::prove_own_did_again(host, did_);
      return true;
    });
    ASSERT_TRUE(net_.run_until([&] { return registered(*device); }, kSoon));
  }
  net_.run_for(2 * kWholeDay);
  EXPECT_EQ(clients().size(), 2u);
  EXPECT_EQ(wish(phone()), DidWish::registered);
  EXPECT_EQ(wish(laptop()), DidWish::registered);
  EXPECT_EQ(alarms(), 0u);
  EXPECT_TRUE(relay().audited("mediation.taken-over").empty());
}

TEST_F(SharedByKith, WhatTheMediatorForgotOfOneIsRegisteredBesideTheOtherAgain) {
  relay().edit([&](Host& host) {
    const std::string first = protocol::clients_for(host, did_).front();
    EXPECT_EQ(protocol::remove_recipient(host, first, did_), Registration::success);
    return true;
  });
  net_.run_for(kWholeDay + std::chrono::hours{1});
  EXPECT_EQ(clients().size(), 2u);
  EXPECT_EQ(alarms(), 0u);
}

TEST_F(SharedByKith, ARevokedDeviceNoticesWithinADay) {
  revoke(phone(), did_, 1);
  phone().edit([&](Host& host) {
    protocol::prove_own_did_again(host, did_);
    return true;
  });
  ASSERT_TRUE(net_.run_until([&] { return registered(phone()); }, kSoon));
  EXPECT_EQ(clients().size(), 1u);
  net_.run_for(kWholeDay + std::chrono::hours{1});
  EXPECT_EQ(wish(laptop()), DidWish::lost);
  ASSERT_EQ(laptop().notices("alarm").size(), 1u);
  EXPECT_NE(laptop().notices("alarm")[0].find("another agent"), std::string::npos);
  EXPECT_EQ(wish(phone()), DidWish::registered);
  EXPECT_TRUE(phone().notices("alarm").empty());
  net_.run_for(2 * kWholeDay);
  EXPECT_EQ(clients().size(), 1u);
  EXPECT_EQ(alarms(), 1u);
}

}  // namespace
}  // namespace kith
