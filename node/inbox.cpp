#include "node/inbox.hpp"

#include "crypto/hash.hpp"
#include "protocol/acks.hpp"
#include "protocol/contact.hpp"
#include "protocol/forward.hpp"
#include "protocol/messenger.hpp"
#include "protocol/problem_budget.hpp"

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
    case Errc::busy:
      return "e.p.me.res";
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
    bytes += effect.payload.size();
    if (bytes > limits::kStoredAnswerBytesMax) break;
    auto payload = protocol::decode_record<protocol::SendPayload>(effect.payload);
    if (payload.has_value()) answers.push_back(std::move(*payload));
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

namespace {

constexpr std::string_view kAnonymous = "anonymous";

/// Message ids hold no bar.
std::string_view sender_of(std::string_view mark_id) {
  return mark_id.substr(0, mark_id.rfind('|'));
}

/// To the sender of `inbound`, over its connection where it waits there.
void send_report(Host& host, const Inbound& inbound, Message report) {
  report.from = inbound.info.own_did;
  report.to = {*inbound.info.sender};
  protocol::SendOptions options;
  options.answers_inbound = true;
  if (inbound.message.return_route == "all") options.channel = inbound.channel;
  // A sender without a way back simply gets none.
  static_cast<void>(protocol::send(host, std::move(report), options));
}

void give_up_thread(Host& host, const Inbound& inbound, std::string_view thread) {
  Message about = inbound.message;
  about.thid = std::string(thread);
  const protocol::ProblemReport report{std::string(protocol::kMaxErrorsExceeded),
                                       "There were too many problems. ({1})",
                                       {inbound.message.type},
                                       std::nullopt};
  send_report(host, inbound,
              protocol::make_problem_report(about, report, host.random(),
                                            protocol::epoch_seconds(host.now())));
}

bool has_parties(const Inbound& inbound) {
  return inbound.info.authenticated && inbound.info.sender && inbound.info.own_did;
}

bool is_for_several_devices(Host& host, const Did& own_did) {
  if (!protocol::has_other_devices(host)) return false;
  const auto document = protocol::KnownDids(host).resolve(own_did);
  return document.has_value() && document->key_agreement.size() > 1;
}

}  // namespace

std::string anonymous_mark_id(const EnvelopeInfo& info, ByteView envelope) {
  const crypto::Digest256 mark = info.fingerprint ? *info.fingerprint : crypto::sha256(envelope);
  return std::string(kAnonymous) + "|" + crypto::hex(mark);
}

bool is_anonymous_mark(std::string_view mark_id) {
  return sender_of(mark_id) == kAnonymous;
}

void MarkIndex::add(std::string_view mark_id, Time time) {
  if (is_anonymous_mark(mark_id)) {
    anonymous_.insert({time, std::string(mark_id)});
  } else {
    ++by_sender_[std::string(sender_of(mark_id))];
  }
}

void MarkIndex::remove(std::string_view mark_id, Time time) {
  if (is_anonymous_mark(mark_id)) {
    anonymous_.erase({time, std::string(mark_id)});
    return;
  }
  const auto count = by_sender_.find(sender_of(mark_id));
  if (count != by_sender_.end() && --count->second == 0) by_sender_.erase(count);
}

bool MarkIndex::is_full(std::string_view mark_id) const {
  const auto count = by_sender_.find(sender_of(mark_id));
  return count != by_sender_.end() && count->second >= limits::kInboxMarksPerSenderMax;
}

std::optional<MarkIndex::Dated> MarkIndex::in_the_way_of(std::string_view mark_id) const {
  if (!is_anonymous_mark(mark_id) || anonymous_.size() < limits::kInboxMarksAnonymousMax) {
    return std::nullopt;
  }
  return Dated{anonymous_.begin()->second, anonymous_.begin()->first};
}

void report_problem(Host& host, const Inbound& failed, const Error& error) {
  if (!has_parties(failed)) return;
  // Every device of the owner gets the message: one that can make nothing of it leaves the answer
  // to the others.
  if (is_for_several_devices(host, *failed.info.own_did)) return;
  const std::string& thread = failed.message.thread();
  switch (protocol::count_problem(host, *failed.info.own_did, *failed.info.sender, thread)) {
    case protocol::Budget::within:
      break;
    case protocol::Budget::used_up:
      return give_up_thread(host, failed, thread);
    case protocol::Budget::silenced:
      return;
  }
  const crypto::ErrorText& text = crypto::error_text(error.code);
  const protocol::ProblemReport report{problem_code(error.code),
                                       std::string(text.sentence) + " ({2}: {1})",
                                       {failed.message.type, std::string(text.code)},
                                       std::nullopt};
  send_report(host, failed,
              protocol::make_problem_report(failed.message, report, host.random(),
                                            protocol::epoch_seconds(host.now())));
}

bool count_reported_problem(Host& host, const Inbound& report) {
  if (!has_parties(report) || !report.message.pthid) return true;
  const std::string& thread = *report.message.pthid;
  const auto budget =
      protocol::count_problem(host, *report.info.own_did, *report.info.sender, thread);
  if (budget == protocol::Budget::used_up) give_up_thread(host, report, thread);
  return budget != protocol::Budget::silenced;
}

bool is_silenced(Host& host, const Inbound& inbound) {
  return has_parties(inbound) &&
         protocol::is_silenced(host, *inbound.info.own_did, *inbound.info.sender,
                               inbound.message.thread());
}

std::vector<std::string> acks_wanted(Host& host, const Inbound& inbound) {
  std::vector<std::string> ids;
  const Message& message = inbound.message;
  const bool pure_ack = protocol::is_empty(message) && !message.ack.empty();
  if (!has_parties(inbound) || pure_ack || protocol::is_forward(message)) return ids;
  for (const std::string& id : message.please_ack) {
    if (id.empty() || protocol::message_id_key(id) == protocol::message_id_key(message.id))
      continue;
    if (load<InboxMark>(host, kInbox, inbound_mark_id(*inbound.info.sender, id))) ids.push_back(id);
  }
  if (protocol::asks_for_ack(message)) ids.push_back(message.id);
  return ids;
}

}  // namespace kith::node
