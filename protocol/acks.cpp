#include "protocol/acks.hpp"

#include <algorithm>

#include "protocol/sequence.hpp"

namespace kith::protocol {

bool is_empty(const Message& message) {
  return same_message(message.type, kEmptyType);
}

bool asks_for_ack(const Message& message) {
  return std::ranges::any_of(message.please_ack, [&](const std::string& id) {
    return id.empty() || message_id_key(id) == message_id_key(message.id);
  });
}

void acknowledge(Host& host, const Inbound& inbound, const std::vector<std::string>& ids) {
  if (ids.empty() || !inbound.info.sender || !inbound.info.own_did) return;
  Message message =
      new_reply(inbound.message, kEmptyType, host.random(), epoch_seconds(host.now()));
  message.from = inbound.info.own_did;
  message.to = {*inbound.info.sender};
  message.ack = ids;
  tell_received_orders(host, inbound, message);
  SendOptions options;
  options.answers_inbound = true;
  if (inbound.message.return_route == "all") options.channel = inbound.channel;
  // A sender without a way back simply gets none.
  static_cast<void>(send(host, std::move(message), options));
}

}  // namespace kith::protocol
