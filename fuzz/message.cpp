// Plaintext messages (protocol/message.hpp): whatever is accepted can be written and read again.

#include "protocol/message.hpp"

#include "fuzz/target.hpp"

namespace kith::fuzz {

Verdict message(ByteView input) {
  const auto read = protocol::parse_message(crypto::as_text(input));
  if (!read.has_value()) return Verdict::refused;
  const Json json = to_json(*read);
  const std::string text = written(crypto::json_text(json));
  hold(protocol::message_text(*read) == text, "text and tree of a message are the same");
  hold_bounded(text.size(), input.size());
  const Message again = must(protocol::parse_message(text), "a message can be read again");
  hold(same(json, to_json(again)), "a message stays the same");
  hold(again.thread() == read->thread(), "the thread stays the same");
  hold(protocol::is_message_id(read->id), "the id is one");
  for (const Attachment& attachment : read->attachments) {
    const auto payload = attachment.payload();
    hold(payload.has_value() || payload.error() == Errc::unsupported,
         "a payload is there, or must be fetched");
  }
  return Verdict::accepted;
}

}  // namespace kith::fuzz
