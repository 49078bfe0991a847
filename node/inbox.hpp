#pragma once

/// Inbox marks: a message is handled once, and an identical repeat gets the stored answers again.
/// Command replies likewise. Problem reports for messages that a handler refused.

#include <string>
#include <vector>

#include "protocol/module.hpp"

namespace kith::node {

inline const std::string kInbox = "inbox";       ///< Collection, by inbound_mark_id.
inline const std::string kCommands = "command";  ///< Collection, by the client's command id.

struct InboxMark {
  Time time{};
  std::vector<protocol::SendPayload> answers;
  template <class V>
  void visit(V& v) {
    v("time", time), v("answers", answers);
  }
};

struct StoredReply {
  Time time{};
  JsonObject reply;
  template <class V>
  void visit(V& v) {
    v("time", time), v("reply", reply);
  }
};

[[nodiscard]] std::string inbound_mark_id(const Did& sender, std::string_view message_id);

/// The answers among a unit's effects, as far as they are small enough to keep with the mark
/// (limits::kStoredAnswerBytesMax); large ones belong to requests that only read.
[[nodiscard]] std::vector<protocol::SendPayload> answers_of(
    const std::vector<protocol::Effect>& started);

/// "https://didcomm.org/trust-ping/2.0/ping" -> "https://didcomm.org/trust-ping/2.0"
[[nodiscard]] std::string protocol_of(std::string_view message_type);

/// Whether an envelope refused with `code` may be taken at a later try; otherwise it is the
/// sender's to mend. Every transport answers by this rule.
[[nodiscard]] bool may_succeed_later(Errc code);

/// Tells an authenticated sender why its message was refused; the failed type is the first
/// argument. Never answers a problem report, and never anonymous messages.
void report_problem(Host& host, const Inbound& failed, const Error& error);

}  // namespace kith::node
