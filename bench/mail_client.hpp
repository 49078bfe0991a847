#pragma once

/// A client of a mediator as a benchmark needs it: keys, letters, and no network.

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "bench/floor.hpp"
#include "protocol/did_peer.hpp"
#include "protocol/forward.hpp"
#include "protocol/message.hpp"
#include "tests/support/parties.hpp"

namespace kith::bench {

inline constexpr std::string_view kMediation = "https://didcomm.org/coordinate-mediation/3.0/";
inline constexpr std::string_view kPickup = "https://didcomm.org/messagepickup/3.0/";

inline std::int64_t now_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

template <class T>
T need(Result<T> result, const char* what) {
  if (!result.has_value()) give_up((std::string(what) + ": " + result.error().detail).c_str());
  return std::move(*result);
}

class MailClient {
 public:
  MailClient(test::World& world, Did mediator)
      : world_(world), me_(world.make_party()), mediator_(std::move(mediator)) {}

  [[nodiscard]] const Did& did() const { return me_.did; }

  /// A question to the mediator, to be answered on the same connection.
  [[nodiscard]] std::string ask(std::string_view protocol, std::string_view name,
                                JsonObject body = {}) {
    Message message = letter(std::string(protocol) + std::string(name), me_.did, mediator_);
    message.return_route = "all";
    message.body = std::move(body);
    return pack(message, me_);
  }
  [[nodiscard]] Unpacked open(std::string_view envelope) {
    return need(world_.open(envelope, me_, now_seconds()), "an answer does not open");
  }

  /// What a stranger hands to the mediator: a letter to this client of about `bytes`, in a forward.
  [[nodiscard]] std::string letter_by_mediator(test::Party& from, std::size_t bytes) {
    Message message = letter("https://didcomm.org/basicmessage/2.0/message", from.did, me_.did);
    message.body["content"] = std::string(bytes, 'x');
    const std::string packed = pack(message, from);
    const auto forward = need(
        protocol::make_forward(me_.did.text(), packed, {now_seconds() + 3600, {}}, world_.random),
        "a forward");
    return need(
        protocol::pack_anoncrypt(forward, keys_of(mediator_), {}, world_.keys, world_.random),
        "packing a forward");
  }

 private:
  [[nodiscard]] Message letter(std::string_view type, const Did& from, const Did& to) {
    Message message = protocol::new_message(type, world_.random, now_seconds());
    message.from = from;
    message.to = {to};
    return message;
  }
  [[nodiscard]] std::vector<NamedKey> keys_of(const Did& did) {
    return need(world_.dids.resolve(did), "a DID").agreement_keys();
  }
  [[nodiscard]] std::string pack(const Message& message, test::Party& from) {
    protocol::PackOptions options;
    options.pad = false;
    return need(protocol::pack_authcrypt(message, from.agreement, keys_of(message.to.front()),
                                         options, world_.keys, world_.random),
                "packing");
  }

  test::World& world_;
  test::Party me_;
  Did mediator_;
};

}  // namespace kith::bench
