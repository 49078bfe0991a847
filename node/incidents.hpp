#pragma once

/// Module "incidents": what went wrong, what is done about it, and who was told. Records of this
/// device alone.
///
///   open  --worsen-->  open, of a worse kind (what was lost turns out to be stolen)
///   open  --close-->   closed; nothing follows
///
/// A notice is a message over the relationship, with a signature by our key of that relationship:
/// its receiver can show others what it was told. Two receivers' notices share no value but the
/// day. Whoever holds an unlocked device can send notices too, and take them back; the receiver's
/// person is told each time.
///
///   incident/1.0/notice {id, kind, state: open|closed, day, key, signature}
///
/// Commands (`!` needs the passphrase):
///   incident-open {kind, note?, tell?: everyone|trustees|nobody} -> as incident-show
///       Errors: usage, limit_exceeded, malformed.
///   incident-list {} -> {incidents: [{id, kind, state, opened}], told_by_others: [{contact, kind,
///       day}]}
///   incident-show {id} -> {id, kind, state, opened, closed?, note?, told, steps}. Errors:
///   not_found. incident-worsen {id} -> the same; who was told is told anew. Errors: not_found,
///   wrong_state. incident-close! {id} -> the same; who was told hears that it is over. Errors:
///   not_found,
///       wrong_state, those of open_vault.

#include <optional>
#include <string>
#include <vector>

#include "protocol/module.hpp"

namespace kith::node {

inline constexpr std::string_view kIncidentNotice = "notice";

/// Stored: never renumber.
enum class IncidentState : std::uint8_t { open = 1, closed = 2 };
constexpr bool is_valid(IncidentState state) {
  return state == IncidentState::open || state == IncidentState::closed;
}

struct IncidentTold {
  std::string contact_id;
  Bytes notice;  ///< Another id for each.
  template <class V>
  void visit(V& v) {
    v("contact_id", contact_id), v("notice", notice);
  }
};

/// Collection `incident`, by its number.
struct Incident {
  std::string id;
  std::string kind;
  IncidentState state = IncidentState::open;
  Time opened{};
  std::optional<Time> closed;
  std::string note;
  std::vector<IncidentTold> told;
  template <class V>
  void visit(V& v) {
    v("id", id), v("kind", kind), v("state", state), v("opened", opened), v("closed", closed);
    v("note", note), v("told", told);
  }
};

struct IncidentNotice {
  Bytes id;
  std::string kind;
  std::string state;
  std::string day;
  std::string key;  ///< Multikey: an authentication key of the sender's DID.
  Bytes signature;
  template <class V>
  void visit(V& v) {
    v("id", id), v("kind", kind), v("state", state), v("day", day), v("key", key);
    v("signature", signature);
  }
};
/// What is signed.
[[nodiscard]] Bytes incident_statement(const IncidentNotice& notice, std::string_view from,
                                       std::string_view to);

class Incidents final : public protocol::Module {
 public:
  std::string_view name() const override { return "incidents"; }
  std::vector<std::string> message_types() const override;
  std::vector<std::string> commands() const override {
    return {"incident-open", "incident-list", "incident-show", "incident-worsen", "incident-close"};
  }
  bool only_reads(std::string_view what) const override {
    return what == "incident-list" || what == "incident-show";
  }
  Result<void> on_message(Host& host, const Inbound& inbound) override;
  Result<JsonObject> on_command(Host& host, const Command& command) override;
};

}  // namespace kith::node
