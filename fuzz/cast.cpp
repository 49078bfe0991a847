#include "fuzz/cast.hpp"

#include "protocol/trust_ping.hpp"

namespace kith::fuzz {

Cast::Cast() : world(2026), alice(world.make_party()), bob(world.make_party(KeyType::secp256k1)) {
  word = world.message(alice, bob);
  word.attachments.push_back(protocol::json_attachment(JsonObject{{"a", 1}}, "one"));
  word.please_ack = {""};
  ping = world.message(alice, bob);
  ping.type = protocol::kPingType;
  ping.body = JsonObject{{"response_requested", true}};
}

Cast& cast() {
  static Cast only;
  return only;
}

}  // namespace kith::fuzz
