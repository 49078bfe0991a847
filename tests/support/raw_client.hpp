#pragma once

/// An agent that is no Kith and sits next to a mediator: it writes every message by hand, says on
/// which connection it comes, and sees each answer as it came. It knows the mediator's routing DID
/// and the published protocols, nothing else.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/forward.hpp"
#include "protocol/mediator.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/parties.hpp"

namespace kith::test {

/// How a message reaches the mediator.
struct Way {
  std::string channel = "http";
  bool lasting = false;
  std::optional<std::string> return_route = "all";
  // What the node's shell decided about where it comes from.
  bool contacts_only = false;
  bool no_new_clients = false;
};

/// Headers and attachments beside the body.
using Touch = std::function<void(Message&)>;

class RawClient {
 public:
  RawClient(Network& network, AgentBox& relay, std::uint64_t seed)
      : network_(network), relay_(relay), world_(seed), me_(world_.make_party()) {}

  [[nodiscard]] const Did& did() const { return me_.did; }
  [[nodiscard]] Party& party() { return me_; }
  [[nodiscard]] World& world() { return world_; }
  /// Why the last envelope was dropped, if it was.
  [[nodiscard]] const std::optional<Error>& refused() const { return outcome_.refused; }
  /// What the node says of it.
  [[nodiscard]] const node::Outcome& outcome() const { return outcome_; }
  [[nodiscard]] const std::string& last_id() const { return last_id_; }

  /// Authenticated. Returns what comes back on the same connection at once.
  std::vector<Unpacked> say(const std::string& type, JsonObject body, const Way& way = {},
                            const Touch& touch = nullptr) {
    Message message = fresh(type, std::move(body));
    message.from = me_.did;
    message.return_route = way.return_route;
    if (touch) touch(message);
    last_id_ = message.id;
    const auto packed = pack_authcrypt(message, me_.agreement, relay_document().agreement_keys(),
                                       {}, world_.keys, world_.random);
    EXPECT_TRUE(packed.has_value());
    return hand_in(*packed, way);
  }

  /// An anonymous forward, as any sender writes it.
  void forward(const std::string& next, const std::vector<std::string>& envelopes,
               const Touch& touch = nullptr) {
    Message message = fresh(std::string(protocol::kForwardType), {{"next", next}});
    for (const std::string& envelope : envelopes) {
      message.attachments.push_back(
          protocol::json_attachment(*crypto::parse_json(envelope, {limits::kEnvelopeBytesMax})));
    }
    if (touch) touch(message);
    const auto packed =
        pack_anoncrypt(message, relay_document().agreement_keys(), {}, world_.keys, world_.random);
    EXPECT_TRUE(packed.has_value());
    hand_in(*packed, Way{"", false, std::nullopt});
  }

  /// An authenticated message that comes inside an anonymous forward to the mediator itself.
  void request_in_forward(const std::string& type, bool no_new_clients) {
    Message inner = fresh(type, {});
    inner.from = me_.did;
    const auto keys = relay_document().agreement_keys();
    const auto packed = pack_authcrypt(inner, me_.agreement, keys, {}, world_.keys, world_.random);
    EXPECT_TRUE(packed.has_value());
    Message outer =
        fresh(std::string(protocol::kForwardType), {{"next", relay_document().id.text()}});
    outer.attachments.push_back(protocol::json_attachment(*crypto::parse_json(*packed)));
    const auto wrapped = pack_anoncrypt(outer, keys, {}, world_.keys, world_.random);
    EXPECT_TRUE(wrapped.has_value());
    hand_in(*wrapped, Way{"", false, std::nullopt, false, no_new_clients});
  }

  /// The last envelope once more, byte for byte.
  std::vector<Unpacked> repeat() {
    const std::string packed = last_packed_;
    const Way way = last_way_;
    return hand_in(packed, way);
  }

  /// What came on a connection since the last look.
  std::vector<Unpacked> heard(const std::string& channel) {
    std::vector<Unpacked> answers;
    auto& waiting = network_.waiting();
    for (auto packet = waiting.begin(); packet != waiting.end();) {
      if (channel.empty() || packet->payload.channel != channel) {
        ++packet;
        continue;
      }
      auto opened = world_.open(crypto::as_text(packet->payload.packed), me_,
                                protocol::epoch_seconds(network_.now()));
      EXPECT_TRUE(opened.has_value()) << opened.error().detail;
      if (opened.has_value()) answers.push_back(std::move(*opened));
      ended_.push_back(packet->effect_id);
      packet = waiting.erase(packet);
    }
    for (const std::string& id : std::exchange(ended_, {})) {
      protocol::EffectResult result;
      result.id = id;
      relay_.feed(result);
    }
    return answers;
  }

  /// Becomes a client and registers `dids`.
  void join(const std::vector<std::string>& dids) {
    const std::string prefix = "https://didcomm.org/coordinate-mediation/3.0/";
    const auto grant = say(prefix + "mediate-request", {});
    ASSERT_EQ(grant.size(), 1U);
    ASSERT_EQ(grant[0].message.type, prefix + "mediate-grant");
    JsonArray updates;
    for (const std::string& one : dids) {
      updates.push_back(JsonObject{{"recipient_did", one}, {"action", "add"}});
    }
    ASSERT_EQ(say(prefix + "recipient-update", {{"updates", std::move(updates)}}).size(), 1U);
  }

 private:
  Message fresh(const std::string& type, JsonObject body) {
    Message message =
        protocol::new_message(type, world_.random, protocol::epoch_seconds(network_.now()));
    message.to = {relay_document().id};
    message.expires_time = protocol::epoch_seconds(network_.now()) + 3600;
    message.body = std::move(body);
    return message;
  }

  DidDocument relay_document() {
    const std::string routing = relay_.look(
        [](Host& host) { return load<protocol::RoutingDid>(host, "meta", "routing-did")->did; });
    return world_.dids.resolve(*Did::parse(routing)).value();
  }

  std::vector<Unpacked> hand_in(const std::string& packed, const Way& way) {
    last_packed_ = packed;
    last_way_ = way;
    outcome_ = relay_.feed(node::EnvelopeArrived{crypto::to_bytes(packed), way.channel, way.lasting,
                                                 way.contacts_only, way.no_new_clients});
    return heard(way.channel);
  }

  Network& network_;
  AgentBox& relay_;
  World world_;
  Party me_;
  node::Outcome outcome_;
  std::string last_id_;
  std::string last_packed_;
  Way last_way_;
  std::vector<std::string> ended_;
};

/// What a relay sees of an encrypted message; each `text` gives another one.
inline std::string sealed(const std::string& text) {
  return R"({"ciphertext":")" + text + R"(","iv":"aXY","protected":"e30","tag":"dGFn"})";
}

}  // namespace kith::test
