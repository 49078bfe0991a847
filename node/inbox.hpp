#pragma once

/// Inbox marks: a message is handled once, and an identical repeat gets the stored answers again.
/// Command replies likewise. Problem reports for messages that a handler refused.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "protocol/module.hpp"

namespace kith::node {

inline const std::string kInbox = "inbox";       ///< Collection, by inbound_mark_id.
inline const std::string kCommands = "command";  ///< Collection, by the client's command id.

struct InboxMark {
  Time time{};
  std::vector<protocol::SendPayload> answers;
  bool acknowledged = false;  ///< It was taken, and its sender had asked to be told.
  template <class V>
  void visit(V& v) {
    v("time", time), v("answers", answers), v("acknowledged", acknowledged);
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
/// Anonymous messages have no sender to tell ids apart by: their envelope marks them, by its
/// fingerprint, or by its hash where it is not encrypted.
[[nodiscard]] std::string anonymous_mark_id(const EnvelopeInfo& info, ByteView envelope);
[[nodiscard]] bool is_anonymous_mark(std::string_view mark_id);

/// How many marks there are of each sender. In memory only; the Agent adds all of them at its
/// start.
class MarkIndex {
 public:
  /// `time` matters for anonymous marks only.
  void add(std::string_view mark_id, Time time);
  void remove(std::string_view mark_id, Time time);
  /// limits::kInboxMarksPerSenderMax is reached; never for anonymous marks, which make room.
  [[nodiscard]] bool is_full(std::string_view mark_id) const;
  struct Dated {
    std::string id;
    Time time{};
    friend bool operator==(const Dated&, const Dated&) = default;
  };
  /// The mark that has to go before `mark_id` may be added: the oldest anonymous one, when there
  /// are limits::kInboxMarksAnonymousMax and this is another.
  [[nodiscard]] std::optional<Dated> in_the_way_of(std::string_view mark_id) const;

 private:
  std::map<std::string, std::size_t, std::less<>> by_sender_;
  std::set<std::pair<Time, std::string>> anonymous_;
};

/// The answers among a unit's effects, as far as their records are small enough to keep with the
/// mark (limits::kStoredAnswerBytesMax); large ones belong to requests that only read.
[[nodiscard]] std::vector<protocol::SendPayload> answers_of(
    const std::vector<protocol::Effect>& started);

/// "https://didcomm.org/trust-ping/2.0/ping" -> "https://didcomm.org/trust-ping/2.0"
[[nodiscard]] std::string protocol_of(std::string_view message_type);

/// Whether an envelope refused with `code` may be taken at a later try; otherwise it is the
/// sender's to mend. Every transport answers by this rule.
[[nodiscard]] bool may_succeed_later(Errc code);

/// Tells an authenticated sender why its message was refused; the failed type is the first
/// argument. Never answers a problem report, and never anonymous messages. Counts against the
/// thread's budget (protocol/problem_budget.hpp).
void report_problem(Host& host, const Inbound& failed, const Error& error);
/// Counts a report that came in; gives the thread up when that was one too many. False when the
/// thread was given up before: then nobody shall hear of it.
[[nodiscard]] bool count_reported_problem(Host& host, const Inbound& report);

/// Whether nobody answers in this message's thread any more.
[[nodiscard]] bool is_silenced(Host& host, const Inbound& inbound);

/// Which messages `inbound` asks to be acknowledged and are known to have arrived, oldest first as
/// asked; itself last. Empty for what is never acknowledged (protocol/acks.hpp).
[[nodiscard]] std::vector<std::string> acks_wanted(Host& host, const Inbound& inbound);

}  // namespace kith::node
