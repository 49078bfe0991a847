#pragma once

/// SimNetwork: requests between nodes, as HTTP carries them for the real node. A send effect is a
/// request to the node at its address; the answer is the envelope that the handler sent to the
/// request's channel (return route), or an empty acknowledgement, or a refusal.
///
/// Faults: messages are delayed, lost (the sender times out), duplicated, overtaken by later ones,
/// refused at once, or held up together on a clogged way to one node. Whoever is down is
/// unreachable. Everything is counted (marks "network.<what>").

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/effect.hpp"
#include "sim/faults.hpp"
#include "sim/world.hpp"

namespace kith::sim {

class SimNode;

class SimNetwork {
 public:
  SimNetwork(World& world, const Faults& faults);
  SimNetwork(const SimNetwork&) = delete;
  SimNetwork& operator=(const SimNetwork&) = delete;

  /// `node` is reached at `uri` from now on; it outlives the network's last use.
  void attach(std::string uri, SimNode& node);

  /// Performs a send effect of `from`; its result reaches the same life of `from` later.
  void send(SimNode& from, const protocol::Effect& effect);

  /// Sees every byte that is sent, answers too: for checkers.
  std::function<void(std::string_view from, ByteView bytes)> on_wire;
  /// From here on messages are only delayed (the healing phase).
  void heal();

 private:
  struct Request {
    SimNode* from = nullptr;
    std::uint64_t life = 0;  ///< Of `from`: an answer to a dead process reaches nobody.
    SimNode* to = nullptr;
    std::string effect_id;
    Bytes packed;
    std::uint64_t number = 0;  ///< In the order of sending from `from` to `to`.
    bool done = false;         ///< `from` has heard of its end.
  };
  using RequestPtr = std::shared_ptr<Request>;

  [[nodiscard]] Duration delay_to(const SimNode& to);
  void arrive(const RequestPtr& request);
  void answer(SimNode& from, const protocol::Effect& effect, protocol::SendPayload payload);
  void respond(const RequestPtr& request, Bytes body, std::optional<Error> failure, bool retry);
  void finish(const RequestPtr& request, const Bytes& body, const std::optional<Error>& failure,
              bool retry);
  void note_order(const Request& request);

  World& world_;
  Faults faults_;
  crypto::SeededRandom random_;
  std::map<std::string, SimNode*, std::less<>> by_uri_;
  std::map<std::string, RequestPtr> waiting_;  ///< By channel.
  std::uint64_t next_channel_ = 0;
  std::uint64_t next_number_ = 0;
  std::map<std::string, Time, std::less<>> clogged_until_;  ///< By receiver.
  std::map<std::string, std::uint64_t> newest_;             ///< Arrived, by "from to".
};

}  // namespace kith::sim
