// Envelopes (protocol/envelope.hpp) for a reader whose keys are known: nothing but what Alice
// packed is ever authentic.

#include "protocol/envelope.hpp"

#include "fuzz/cast.hpp"
#include "fuzz/target.hpp"

namespace kith::fuzz {
namespace {

std::string text_of(const Message& message) {
  return crypto::json_text(to_json(message));
}

}  // namespace

Verdict envelope(ByteView input) {
  Cast& people = cast();
  const auto opened = people.world.open(crypto::as_text(input), people.bob);
  if (!opened.has_value()) return Verdict::refused;
  const EnvelopeInfo& info = opened->info;
  const std::string text = text_of(opened->message);
  hold(info.authenticated == info.sender.has_value(), "a sender is known when one is proven");
  hold(info.layers == info.envelopes.size() && info.layers <= 3, "every layer is described");
  hold(info.encrypted == info.own_did.has_value(), "encrypted is encrypted to us");
  hold(!info.own_did || *info.own_did == people.bob.did, "and we are Bob");
  if (info.authenticated) {
    hold(*info.sender == people.alice.did && opened->message.from == info.sender,
         "only Alice is ever proven");
    hold(text == written(text_of(people.word)) || text == written(text_of(people.ping)),
         "and only what she said");
  }
  if (info.non_repudiable()) hold(!opened->signed_text.empty(), "what was signed is kept");
  const Message again = must(protocol::parse_message(written(text)), "it can be read again");
  hold(same(to_json(again), to_json(opened->message)), "a message stays the same");
  return Verdict::accepted;
}

}  // namespace kith::fuzz
