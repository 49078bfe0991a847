#include "node/inbox.hpp"

#include "protocol/messenger.hpp"

namespace kith::node {
namespace {

std::string problem_code(Errc code) {
  switch (code) {
    case Errc::unknown_type:
    case Errc::unsupported:
      return "e.p.msg.unsupported";
    case Errc::malformed:
    case Errc::limit_exceeded:
      return "e.p.msg";
    case Errc::refused:
    case Errc::not_authentic:
    case Errc::bad_signature:
    case Errc::bad_proof:
    case Errc::code_mismatch:
    case Errc::too_many_tries:
      return "e.p.trust";
    case Errc::expired:
      return "e.p.req.time";
    case Errc::storage_full:
      return "e.p.me.res.storage";
    default:
      return "e.p.req";
  }
}

}  // namespace

std::string inbound_mark_id(const Did& sender, std::string_view message_id) {
  return sender.text() + "|" + protocol::message_id_key(message_id);
}

std::vector<protocol::SendPayload> answers_of(const std::vector<protocol::Effect>& started) {
  std::vector<protocol::SendPayload> answers;
  std::size_t bytes = 0;
  for (const protocol::Effect& effect : started) {
    if (!effect.answers_inbound) continue;
    auto payload = protocol::decode_record<protocol::SendPayload>(effect.payload);
    if (!payload.has_value()) continue;
    bytes += payload->packed.size();
    if (bytes > limits::kStoredAnswerBytesMax) break;
    answers.push_back(std::move(*payload));
  }
  return answers;
}

std::string protocol_of(std::string_view message_type) {
  return std::string(message_type.substr(0, message_type.rfind('/')));
}

bool may_succeed_later(Errc code) {
  switch (code) {
    case Errc::malformed:
    case Errc::unsupported:
    case Errc::limit_exceeded:
    case Errc::bad_key:
    case Errc::bad_signature:
    case Errc::cannot_decrypt:
    case Errc::not_authentic:
    case Errc::expired:
    case Errc::replayed:
      return false;
    default:
      return true;
  }
}

void report_problem(Host& host, const Inbound& failed, const Error& error) {
  if (!failed.info.authenticated || !failed.info.sender || !failed.info.own_did) return;
  const crypto::ErrorText& text = crypto::error_text(error.code);
  const protocol::ProblemReport report{problem_code(error.code),
                                       std::string(text.sentence) + " ({2}: {1})",
                                       {failed.message.type, std::string(text.code)},
                                       std::nullopt};
  Message message = protocol::make_problem_report(failed.message, report, host.random(),
                                                  protocol::epoch_seconds(host.now()));
  message.from = failed.info.own_did;
  message.to = {*failed.info.sender};
  protocol::SendOptions options;
  options.answers_inbound = true;
  if (failed.message.return_route == "all") options.channel = failed.channel;
  // A sender without a way back simply gets none.
  static_cast<void>(protocol::send(host, std::move(message), options));
}

}  // namespace kith::node
