#include "ledger/connection.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "ledger/handshake.hpp"
#include "ledger/log_store.hpp"
#include "ledger/log_sync.hpp"
#include "ledger/log_writer.hpp"
#include "protocol/basic_message.hpp"
#include "protocol/did_peer.hpp"
#include "protocol/invitation.hpp"
#include "protocol/mediator.hpp"
#include "protocol/pickup.hpp"
#include "protocol/vault.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/vectors.hpp"

namespace kith::ledger {
namespace {

using protocol::BasicMessage;
using protocol::OpenInvitation;
using test::AgentBox;
using test::Fate;
using test::MemoryStore;
using test::Network;
using test::Packet;
using test::text_of;
using namespace std::chrono_literals;

test::MakeModules person() {
  return test::modules<Connection, BasicMessage>();
}

std::string invite(AgentBox& box, JsonObject args = {}) {
  const auto made = box.command("invite", std::move(args));
  EXPECT_TRUE(made.has_value()) << (made.has_value() ? "" : made.error().detail);
  return made.has_value() ? text_of(*made, "url") : "";
}

std::vector<Contact> contacts(AgentBox& box) {
  return box.look([](Host& host) { return protocol::list_contacts(host); });
}

/// How many handshakes and one-time keys are left.
std::size_t handshakes(AgentBox& box) {
  return box.look([](Host& host) { return host.list("handshake").size(); });
}

struct Pair {
  Network net{7};
  AgentBox& alice = net.add("alice", person());
  AgentBox& bob = net.add("bob", person());

  void start() {
    const auto accepted = bob.command("accept", {{"url", invite(alice)}, {"name", "Alice"}});
    ASSERT_TRUE(accepted.has_value()) << accepted.error().detail;
  }
  void connect() {
    start();
    net.run_for(1min);
    expect_connected();
  }
  void expect_connected() {
    ASSERT_EQ(contacts(alice).size(), 1U);
    ASSERT_EQ(contacts(bob).size(), 1U);
    const Contact a = contacts(alice)[0], b = contacts(bob)[0];
    EXPECT_EQ(a.state, ContactState::connected);
    EXPECT_EQ(b.state, ContactState::connected);
    EXPECT_EQ(a.my_did, b.their_did);
    EXPECT_EQ(a.their_did, b.my_did);
    EXPECT_EQ(handshakes(alice) + handshakes(bob), 0U);
  }
  void say(AgentBox& from, std::string_view text) {
    const auto sent = from.command("send", {{"contact", contacts(from)[0].id}, {"text", text}});
    ASSERT_TRUE(sent.has_value()) << sent.error().detail;
  }
  static std::size_t heard(AgentBox& box) { return box.notices("message").size(); }
};

/// The type of the message inside a packet, read with the keys of its recipient.
std::string type_of(const Packet& packet) {
  if (packet.to == nullptr) return "";
  return packet.to->look([&](Host& host) -> std::string {
    protocol::KnownDids known(host);
    protocol::OwnSecrets secrets(host);
    const auto open =
        protocol::unpack(crypto::as_text(packet.payload.packed),
                         {secrets, known, host.keys(), protocol::epoch_seconds(host.now()), {}});
    return open.has_value() ? open->message.type : "";
  });
}

TEST(Connection, MakesContactsOfBothSides) {
  Pair pair;
  pair.connect();
  pair.say(pair.alice, "hello Bob");
  pair.say(pair.bob, "hello Alice");
  pair.net.settle();
  EXPECT_EQ(pair.heard(pair.alice), 1U);
  EXPECT_EQ(pair.heard(pair.bob), 1U);
  // The one-time keys of the invitee are gone; those of the invitation go with it.
  const auto one_time_keys = [](AgentBox& box) {
    return box.look([](Host& host) {
      const auto ids = host.list("own-key");
      return std::ranges::count_if(ids, [](auto& id) { return id.starts_with("did:peer:2"); });
    });
  };
  EXPECT_EQ(one_time_keys(pair.bob), 0);
  EXPECT_EQ(one_time_keys(pair.alice), 2);
  pair.net.run_for(24h * 8);
  EXPECT_EQ(one_time_keys(pair.alice), 0);
}

TEST(Connection, ListsRenamesAndEndsContacts) {
  Pair pair;
  pair.connect();
  const auto listed = pair.bob.command("contacts");
  ASSERT_TRUE(listed.has_value());
  const JsonObject& one = listed->at("contacts").as_array().at(0).as_object();
  EXPECT_EQ(text_of(one, "name"), "Alice");
  EXPECT_EQ(text_of(one, "state"), "connected");
  ASSERT_TRUE(
      pair.bob.command("contact-rename", {{"contact", "Alice"}, {"name", "A."}}).has_value());
  EXPECT_EQ(contacts(pair.bob)[0].name, "A.");
  ASSERT_TRUE(pair.bob.command("contact-end", {{"contact", "A."}}).has_value());
  pair.net.run_for(1min);
  EXPECT_EQ(contacts(pair.bob)[0].state, ContactState::ended);
  EXPECT_EQ(contacts(pair.alice)[0].state, ContactState::ended);
  EXPECT_EQ(pair.alice.notices("contact-ended").size(), 1U);
  const auto refused =
      pair.alice.command("send", {{"contact", contacts(pair.alice)[0].id}, {"text", "?"}});
  EXPECT_EQ(refused.error().code, Errc::wrong_state);
}

TEST(Connection, SurvivesEachLostMessage) {
  for (const std::string_view lost :
       {kConnectionRequest, kConnectionResponse, kConnectionComplete, kEmptyType}) {
    Pair pair;
    bool dropped = false;
    pair.net.fate = [&](const Packet& packet) {
      if (dropped || type_of(packet) != lost) return Fate::arrives;
      dropped = true;
      return Fate::lost;
    };
    pair.start();
    pair.net.run_for(10min);
    EXPECT_TRUE(dropped) << lost;
    pair.expect_connected();
  }
}

TEST(Connection, TakesEveryMessageTwice) {
  Pair pair;
  pair.net.fate = [](const Packet&) { return Fate::twice; };
  pair.connect();
  EXPECT_EQ(pair.alice.notices("connected").size(), 1U);
  EXPECT_EQ(pair.bob.notices("connected").size(), 1U);
}

TEST(Connection, TakesTextsThatOvertakeTheLastSteps) {
  Pair pair;
  // The newest packet first; `complete` is held back, so that the invitee's text overtakes it.
  pair.net.next = [](const std::deque<Packet>& waiting) { return waiting.size() - 1; };
  pair.start();
  bool held = false;
  pair.net.fate = [&](const Packet& packet) {
    if (type_of(packet) != kConnectionComplete || held) return Fate::arrives;
    held = true;
    return Fate::fails;  // It comes later.
  };
  pair.net.settle();
  ASSERT_TRUE(held);
  EXPECT_EQ(contacts(pair.alice)[0].state, ContactState::answered);
  EXPECT_EQ(contacts(pair.bob)[0].state, ContactState::connected);
  pair.say(pair.bob, "already here");
  pair.net.settle();
  EXPECT_EQ(pair.heard(pair.alice), 1U);
  // The inviter sends only when the invitee certainly knows it.
  const auto early =
      pair.alice.command("send", {{"contact", contacts(pair.alice)[0].id}, {"text", "hi"}});
  EXPECT_EQ(early.error().code, Errc::wrong_state);
  // Its text overtakes the ack.
  bool ack_held = false;
  pair.net.fate = [&](const Packet& packet) {
    if (type_of(packet) != kEmptyType || ack_held) return Fate::arrives;
    ack_held = true;
    return Fate::fails;
  };
  ASSERT_TRUE(
      pair.net.run_until([&] { return contacts(pair.alice)[0].state == ContactState::connected; }));
  ASSERT_TRUE(ack_held);
  pair.say(pair.alice, "hi");
  pair.net.settle();
  EXPECT_EQ(pair.heard(pair.bob), 1U);
  EXPECT_EQ(handshakes(pair.bob), 1U);  // It still waits for the ack.
  pair.net.run_for(5min);
  EXPECT_EQ(pair.heard(pair.bob), 1U);
  pair.expect_connected();
  EXPECT_TRUE(pair.alice.audited("message.refused").empty());
  EXPECT_TRUE(pair.bob.audited("message.refused").empty());
}

TEST(Connection, SurvivesACrashAtEveryCommit) {
  for (const auto crash : {MemoryStore::Crash::before_commit, MemoryStore::Crash::after_commit}) {
    for (const bool inviter : {true, false}) {
      for (std::uint64_t at = 1;; ++at) {
        Pair pair;
        const std::string url = invite(pair.alice);
        AgentBox& victim = inviter ? pair.alice : pair.bob;
        victim.store().crash_at(at, crash);
        ASSERT_TRUE(pair.bob.command("accept", {{"url", url}}).has_value());
        pair.net.run_for(30min);
        pair.expect_connected();
        EXPECT_EQ(pair.bob.notices("connected").size(), 1U);
        EXPECT_EQ(pair.alice.notices("connected").size(), 1U);
        if (victim.crashes() == 0) {
          EXPECT_GT(at, 3U);  // All commits of the handshake were tried.
          break;
        }
        ASSERT_LT(at, 60U);
      }
    }
  }
}

TEST(Connection, AnswersAOneUseInvitationOnce) {
  Pair pair;
  AgentBox& eve = pair.net.add("eve", person());
  const std::string url = invite(pair.alice);
  ASSERT_TRUE(pair.bob.command("accept", {{"url", url}}).has_value());
  ASSERT_TRUE(eve.command("accept", {{"url", url}}).has_value());
  pair.net.run_for(10min);
  pair.expect_connected();
  EXPECT_EQ(contacts(eve)[0].state, ContactState::ended);
  ASSERT_EQ(eve.notices("connection-failed").size(), 1U);
  EXPECT_NE(eve.notices("connection-failed")[0].find("Ask for a new one"), std::string::npos);
  EXPECT_EQ(pair.alice.audited("message.refused"), std::vector<std::string>{"conflict"});
}

TEST(Connection, RefusesUnusableInvitations) {
  Pair pair;
  const std::string url = invite(pair.alice, {{"life_s", 3600}});
  const auto code = [&](AgentBox& box, const std::string& address) {
    const auto result = box.command("accept", {{"url", address}});
    return result.has_value() ? std::string("accepted")
                              : std::string(crypto::error_text(result.error().code).code);
  };
  EXPECT_EQ(code(pair.bob, "not an address"), "input.url");
  EXPECT_EQ(code(pair.bob, "https://alice.test/?_oob=e30"), "input.malformed");
  EXPECT_EQ(code(pair.alice, url), "conflict");
  EXPECT_EQ(code(pair.bob, url), "accepted");
  EXPECT_EQ(code(pair.bob, url), "conflict");
  pair.net.run_for(2h);
  AgentBox& carol = pair.net.add("carol", person());
  EXPECT_EQ(code(carol, url), "message.expired");

  const auto recovery = pair.alice.edit([](Host& host) {
    OpenInvitation record;
    record.use = protocol::InvitationUse::recovery;
    return make_invitation(host, record, kGoalRecover, "Help").value().url;
  });
  EXPECT_EQ(code(carol, recovery), "state.wrong");

  const auto bare = pair.alice.edit([](Host& host) {
    const Did did = make_one_time_did(host, {}).value();
    const Invitation invitation{"x", did, "connect", {}, {"didcomm/v2"}, {}, {}, {}};
    return protocol::invitation_url(invitation, "https://alice.test/").value();
  });
  EXPECT_EQ(code(carol, bare), "net.unreachable");

  AgentBox& hermit = pair.net.add("hermit", person(), {.has_address = false});
  EXPECT_EQ(code(hermit, invite(pair.alice)), "state.wrong");
  EXPECT_EQ(hermit.command("invite").error().code, Errc::wrong_state);
}

/// Sends a message from a DID of ours as the box's own module would.
void send_raw(AgentBox& box, const Message& message) {
  box.edit([&](Host& host) { return protocol::send(host, message, {}).has_value(); });
}

TEST(Connection, RefusesATamperedLogAndALogOfSomebodyElse) {
  Pair pair;
  pair.connect();
  AgentBox& carol = pair.net.add("carol", person());
  AgentBox& mallory = pair.net.add("mallory", person());
  for (const bool tamper : {true, false}) {
    const std::string url = invite(carol);
    const Invitation invitation = *protocol::parse_invitation_url(url)->invitation;
    // Bob's log, as Alice has it: a thief of her records presents it as his own.
    Bytes genesis = pair.bob.look(
        [&](Host& host) { return log_blobs(host, contacts(pair.bob)[0].my_did).front(); });
    if (tamper) genesis[genesis.size() / 2] ^= 1;
    mallory.edit([&](Host& host) {
      Message request = protocol::new_message(kConnectionRequest, host.random(),
                                              protocol::epoch_seconds(host.now()));
      ServiceEndpoint service;
      service.uri = mallory.url();
      request.from = make_one_time_did(host, {service}).value();
      request.to = {invitation.from};
      request.pthid = invitation.id;
      request.body = {{"label", "Bob"},
                      {"log", JsonArray{crypto::base64url(genesis)}},
                      {"proof", crypto::base64url(Bytes(64, 1))}};
      return protocol::send(host, request, {}).has_value();
    });
    pair.net.settle();
    EXPECT_TRUE(contacts(carol).empty());
    // A refused answer does not use the invitation up.
    EXPECT_EQ(carol.all<OpenInvitation>("invitation").back().answered, 0U);
  }
  EXPECT_EQ(carol.audited("message.refused").size(), 2U);
  EXPECT_EQ(carol.audited("message.refused").back(), "crypto.signature");
}

TEST(Connection, RefusesARotationFromAnotherDid) {
  Pair pair;
  bool blocked = true;
  pair.net.fate = [&](const Packet& packet) {
    return blocked && type_of(packet) == kConnectionComplete ? Fate::lost : Fate::arrives;
  };
  pair.start();
  pair.net.settle();
  ASSERT_EQ(contacts(pair.alice)[0].state, ContactState::answered);
  blocked = false;
  const Contact bob_side = contacts(pair.bob)[0];
  const auto forged = [&](bool with_token) {
    return pair.bob.look([&](Host& host) {
      Message complete = protocol::new_message(kConnectionComplete, host.random(),
                                               protocol::epoch_seconds(host.now()));
      complete.from = Did::parse(bob_side.my_did).value();
      complete.to = {Did::parse(bob_side.their_did).value()};
      if (with_token) {
        const auto sign = host.keys().generate(KeyType::ed25519, KeyPurpose::authenticate).value();
        const Did other =
            protocol::make_did_peer2({{sign.public_key, protocol::KeyUse::authentication}}, {})
                .value();
        complete.from_prior =
            protocol::make_from_prior(
                {protocol::did_peer2_kid(other, 0), KeyType::ed25519, sign.sealed}, complete.from,
                protocol::epoch_seconds(host.now()), host.keys())
                .value();
      }
      return complete;
    });
  };
  send_raw(pair.bob, forged(true));
  send_raw(pair.bob, forged(false));
  EXPECT_EQ(contacts(pair.alice)[0].state, ContactState::answered);
  pair.net.settle();
  const auto refused = pair.alice.audited("message.refused");
  EXPECT_EQ(refused, (std::vector<std::string>{"message.not_authentic", "message.not_authentic"}));
  pair.net.run_for(10min);
  pair.expect_connected();
}

// --- Sync

PairState renewed_state(Host& host, const Contact& contact) {
  PairState state = pair_state_of(host, contact.my_did).value();
  state.agents = {make_pair_agent(host, contact.my_did).value()};
  return state;
}

TEST(Connection, CarriesARotateAndRefusesTheOldKeys) {
  Pair pair;
  pair.connect();
  // A text under the old keys that is kept back.
  std::vector<Packet> stolen;
  pair.net.fate = [&](const Packet& packet) {
    stolen.push_back(packet);
    return Fate::lost;
  };
  pair.say(pair.bob, "under the old keys");
  pair.net.settle();
  ASSERT_EQ(stolen.size(), 1U);
  pair.net.fate = nullptr;

  const Contact contact = contacts(pair.bob)[0];
  pair.bob.edit([&](Host& host) {
    const SealedKey vault = protocol::open_vault(host, pair.bob.step_up()).value();
    const PairState state = renewed_state(host, contact);
    EXPECT_EQ(rotate_pair_log(host, contact, std::nullopt, state).error().code,
              Errc::step_up_required);
    EXPECT_TRUE(rotate_pair_log(host, contact, vault, state).has_value());
    EXPECT_FALSE(in_sync(host, contact));
    return true;
  });
  pair.net.run_for(1min);
  EXPECT_TRUE(pair.bob.look([&](Host& host) { return in_sync(host, contact); }));
  const auto refused = pair.net.inject(pair.alice, stolen[0].payload.packed);
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->code, Errc::not_authentic);
  EXPECT_EQ(pair.heard(pair.alice), 1U);  // It came again under the new keys.
  pair.say(pair.bob, "under the new keys");
  pair.say(pair.alice, "to the new keys");
  pair.net.settle();
  EXPECT_EQ(pair.heard(pair.alice), 2U);
  EXPECT_EQ(pair.heard(pair.bob), 1U);
  pair.net.run_for(25h);  // The replaced keys are forgotten, the new ones are not.
  pair.say(pair.alice, "still there?");
  pair.net.settle();
  EXPECT_EQ(pair.heard(pair.bob), 2U);
  EXPECT_EQ(pair.bob.look([&](Host& host) { return host.list("own-key").size(); }), 2U);
}

void rotate_keys(AgentBox& box) {
  const Contact contact = contacts(box)[0];
  box.edit([&](Host& host) {
    const SealedKey vault = protocol::open_vault(host, box.step_up()).value();
    return rotate_pair_log(host, contact, vault, renewed_state(host, contact)).has_value();
  });
}

TEST(Connection, SendsTextsAgainToAPeerWithNewKeys) {
  Pair pair;
  pair.connect();
  pair.say(pair.alice, "arrives");
  pair.net.settle();
  // One is lost with its acknowledgement only, one whole: neither may be missing or shown twice.
  pair.net.fate = [&](const Packet& packet) {
    return packet.from == &pair.bob ? Fate::lost : Fate::arrives;
  };
  pair.say(pair.alice, "the acknowledgement is lost");
  pair.net.settle();
  EXPECT_EQ(pair.heard(pair.bob), 2U);
  pair.net.fate = [](const Packet&) { return Fate::lost; };
  pair.say(pair.alice, "lost");
  pair.net.settle();
  EXPECT_EQ(pair.heard(pair.bob), 2U);
  pair.net.fate = nullptr;

  rotate_keys(pair.bob);
  pair.net.run_for(1min);
  EXPECT_EQ(pair.heard(pair.bob), 3U);
  EXPECT_EQ(pair.alice.audited("text.sent-again").size(), 2U);
  const auto sent = pair.alice.command("messages");
  ASSERT_TRUE(sent.has_value());
  EXPECT_EQ(sent->at("messages").get_array().size(), 3U);
  for (const Json& text : sent->at("messages").get_array()) {
    EXPECT_TRUE(text.at("delivered").as_bool()) << text.at("text").get_string();
  }
}

TEST(Connection, SendsNoTextsAgainThatAreTooOldOrTooMany) {
  for (const auto& [age, texts, arrive] :
       {std::tuple(13 * 24h, 1, 1), {15 * 24h, 1, 0}, {1 * 24h, 103, 100}}) {
    Pair pair;
    pair.connect();
    pair.net.fate = [](const Packet&) { return Fate::lost; };
    for (int i = 0; i < texts; ++i) pair.say(pair.alice, "lost " + std::to_string(i));
    pair.net.settle();
    pair.net.fate = nullptr;
    pair.net.run_for(age);
    rotate_keys(pair.bob);
    pair.net.run_for(1min);
    const auto expected = static_cast<std::size_t>(arrive);
    EXPECT_EQ(pair.heard(pair.bob), expected) << age.count() << " hours";
    EXPECT_EQ(pair.alice.audited("text.sent-again").size(), expected);
  }
}

TEST(Connection, TellsAPeerWithoutLogsThatItIsOver) {
  Pair pair;
  const auto one_time = [](AgentBox& box) {
    Did did = *Did::parse("did:example:none");
    box.edit([&](Host& host) {
      did = make_one_time_did(host, {{"", box.url(), {}, {}}}).value();
      return true;
    });
    return did.text();
  };
  const std::string a = one_time(pair.alice), b = one_time(pair.bob);
  const auto know = [](AgentBox& box, const std::string& mine, const std::string& theirs) {
    Contact contact;
    contact.id = "c1";
    contact.name = "Foreigner";
    contact.my_did = mine;
    contact.their_did = theirs;
    contact.state = ContactState::connected;
    box.edit([&](Host& host) { return protocol::save_contact(host, contact), true; });
  };
  know(pair.alice, a, b);
  know(pair.bob, b, a);
  ASSERT_TRUE(pair.alice.command("contact-end", {{"contact", "Foreigner"}}).has_value());
  pair.net.settle();
  EXPECT_EQ(contacts(pair.alice)[0].state, ContactState::ended);
  EXPECT_EQ(contacts(pair.bob)[0].state, ContactState::ended);
  EXPECT_EQ(pair.bob.notices("connection-ended").size(), 1U);
}

TEST(Connection, RepeatsASyncUntilItIsConfirmed) {
  for (const std::string_view lost : {kConnectionSync, kConnectionSyncAck}) {
    Pair pair;
    pair.connect();
    int dropped = 0;
    pair.net.fate = [&](const Packet& packet) {
      return type_of(packet) == lost && ++dropped <= 4 ? Fate::lost : Fate::arrives;
    };
    const Contact contact = contacts(pair.bob)[0];
    pair.bob.edit([&](Host& host) {
      return update_own_pair_state(host, contact, renewed_state(host, contact)).has_value();
    });
    const auto confirmed = [&] {
      return pair.bob.look([&](Host& host) { return in_sync(host, contact); });
    };
    EXPECT_FALSE(confirmed());
    pair.net.run_for(3h);
    EXPECT_GT(dropped, 4);
    EXPECT_TRUE(confirmed());
    const auto state_at = [&](AgentBox& box) {
      return box.look([&](Host& host) { return pair_state_of(host, contact.my_did).value(); });
    };
    EXPECT_EQ(state_at(pair.alice), state_at(pair.bob));
  }
}

TEST(Connection, TakesNoNewKeysWhileARecoverIsPending) {
  Network net{7};
  // Outside test mode: a recover waits 72 hours.
  AgentBox& alice = net.add("alice", person(), {.test_mode = false});
  AgentBox& bob = net.add("bob", person(), {.test_mode = false});
  ASSERT_TRUE(bob.command("accept", {{"url", invite(alice)}}).has_value());
  net.run_for(1min);
  const Contact contact = contacts(bob)[0];
  // Whoever holds the recovery authority recovers the log to keys of their own.
  const Bytes recover = bob.look([&](Host& host) {
    const LogView view = stored_view(host, contact.my_did).value();
    const SealedKey vault = protocol::open_vault(host, bob.step_up()).value();
    const auto items =
        protocol::vault_items_of(host, contact.my_did, protocol::VaultUse::log_recovery);
    const KeyPair authority = protocol::open_vault_item(host, vault, items.at(0).id).value();
    const Reveal reveal{1, {items[0].id}, crypto::multibase(items[0].salt)};
    const LogKeys keys = generate_log_keys(host.keys(), host.random()).value();
    LogContent content = make_content(keys, {}, pair_state_json(renewed_state(host, contact)));
    Entry entry = make_recover(view, 0, reveal, content, anchor_time(host.now())).value();
    EXPECT_TRUE(add_signature(entry, authority, host.keys()).has_value());
    return entry_blob(entry);
  });
  const auto document = [&] {
    return alice.look([&](Host& host) {
      protocol::KnownDids known(host);
      return known.resolve(Did::parse(contact.my_did).value())->agreement_keys();
    });
  };
  const auto before = document();
  const auto packed = bob.look([&](Host& host) {
    Message sync =
        protocol::new_message(kConnectionSync, host.random(), protocol::epoch_seconds(host.now()));
    protocol::KnownDids known(host);
    const Did to = Did::parse(contact.their_did).value();
    sync.to = {to};
    sync.body = {{"subject", contact.my_did}, {"log", JsonArray{crypto::base64url(recover)}}};
    return protocol::pack_anoncrypt(sync, known.resolve(to)->agreement_keys(), {}, host.keys(),
                                    host.random())
        .value();
  });
  EXPECT_FALSE(net.inject(alice, crypto::to_bytes(packed)).has_value());
  EXPECT_EQ(document(), before);
  EXPECT_EQ(alice.notices("alarm").size(), 1U);
  net.run_for(71h);
  EXPECT_EQ(document(), before);
  net.run_for(2h);  // In effect: now the new keys count.
  EXPECT_NE(document(), before);
}

/// A mediator answers on the waiting connection; later its clients reach each other through it.
TEST(Connection, GoesThroughAMediator) {
  Network net{7};
  AgentBox& cloud =
      net.add("cloud",
              [] {
                test::Modules all = person()();
                all.push_back(std::make_unique<protocol::Mediator>("https://cloud.test/"));
                return all;
              },
              {.has_vault = false});
  const auto client = [] {
    test::Modules all = person()();
    all.push_back(std::make_unique<protocol::Pickup>(protocol::PickupPace{}));
    return all;
  };
  AgentBox& alice = net.add("alice", client, {.has_address = false});
  AgentBox& bob = net.add("bob", client, {.has_address = false});
  const std::string mediator = text_of(*cloud.command("mediator-invitation"), "url");
  for (AgentBox* box : {&alice, &bob}) {
    ASSERT_TRUE(box->command("accept", {{"url", mediator}, {"name", "cloud"}}).has_value());
    net.run_for(1min);
    EXPECT_EQ(contacts(*box)[0].state, ContactState::connected);
    EXPECT_EQ(contacts(*box)[0].role, ContactRole::mediator);
    EXPECT_EQ(handshakes(*box), 0U);
  }
  EXPECT_EQ(contacts(cloud).size(), 2U);
  EXPECT_EQ(contacts(cloud)[0].role, ContactRole::client);
  EXPECT_EQ(contacts(cloud)[0].state, ContactState::connected);
  ASSERT_TRUE(bob.command("accept", {{"url", invite(alice)}, {"name", "Alice"}}).has_value());
  net.run_for(2min);
  ASSERT_TRUE(bob.command("send", {{"contact", "Alice"}, {"text", "hello"}}).has_value());
  net.run_for(1min);
  EXPECT_EQ(alice.notices("message").size(), 1U);
  EXPECT_EQ(handshakes(alice) + handshakes(bob), 0U);
}

TEST(Connection, RefusesATamperedSyncWhole) {
  Pair pair;
  pair.connect();
  const Contact contact = contacts(pair.bob)[0];
  std::vector<Bytes> blobs = pair.bob.look([&](Host& host) {
    const auto changed = update_pair_log(host, contact.my_did, renewed_state(host, contact));
    EXPECT_TRUE(changed.has_value());
    return log_blobs(host, contact.my_did);
  });
  ASSERT_EQ(blobs.size(), 2U);
  const std::string good = crypto::base64url(blobs[1]);
  std::string text(crypto::as_text(blobs[1]));
  const std::size_t revoke = text.find("\"revoke\":1");
  ASSERT_NE(revoke, std::string::npos);
  text[revoke + 9] = '2';
  const std::string bad = crypto::base64url(crypto::to_bytes(text));
  const auto offer = [&](JsonArray log) {
    AgentBox& anybody = pair.bob;
    const auto packed = anybody.look([&](Host& host) {
      protocol::KnownDids known(host);
      const Did to = Did::parse(contact.their_did).value();
      Message sync = protocol::new_message(kConnectionSync, host.random(),
                                           protocol::epoch_seconds(host.now()));
      sync.to = {to};
      sync.body = {{"subject", contact.my_did}, {"log", std::move(log)}};
      return protocol::pack_anoncrypt(sync, known.resolve(to)->agreement_keys(), {}, host.keys(),
                                      host.random())
          .value();
    });
    return pair.net.inject(pair.alice, crypto::to_bytes(packed));
  };
  const auto kept = [&] {
    return pair.alice.look([&](Host& host) { return log_blobs(host, contact.my_did).size(); });
  };
  EXPECT_EQ(offer({bad}).value().code, Errc::invalid_entry);
  EXPECT_EQ(offer({good, bad}).value().code, Errc::invalid_entry);
  EXPECT_EQ(kept(), 1U);
  EXPECT_FALSE(offer({good}).has_value());
  EXPECT_EQ(kept(), 2U);
}

}  // namespace
}  // namespace kith::ledger
