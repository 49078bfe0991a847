#pragma once

/// Trusteeship: what this agent does for contacts who asked it to keep a share for them.
///
/// An offer waits until the user accepts it; only then is a PREPARE of that contact taken. Shares
/// and their versions: trustee_share.hpp. Recoveries: trustee_session.hpp.
///
/// Commands
///   trustee-requests {} -> {offers: [{id, contact, contact_id, capabilities, text, received,
///       words}], sessions: [as trustee_session.hpp says],
///       last_resort: [{id, contact, state, text, received, expires, words, changes?, warnings?,
///       as_of?}]}
///   trustee-accept {id} -> {id, contact, contact_id, state: "accepted"}
///   trustee-decline {id, reason?} -> {id, contact, state}
///       `id`: of an offer (its id or the contact), of a recovery session, or of a request to a
///       holder of a super-quorum (super_holder.hpp).
///   trustee-list {} -> {trustees_of: [{contact, contact_id, since, versions: [{record, version,
///       state, waiting, since, present}], last_heartbeat?, words}],
///       last_resort_of: [{contact, contact_id, state, since, policy?, words}]}
/// Errors: not_found, wrong_state, expired, usage.

#include "protocol/module.hpp"

namespace kith::recovery {

class Trustee final : public Module {
 public:
  std::string_view name() const override { return "trustee"; }
  std::vector<std::string> message_types() const override;
  std::vector<std::string> commands() const override {
    return {"trustee-requests", "trustee-accept", "trustee-decline", "trustee-list"};
  }
  bool only_reads(std::string_view what) const override;
  Result<void> on_message(Host& host, const Inbound& inbound) override;
  Result<JsonObject> on_command(Host& host, const Command& command) override;
  void on_timer(Host& host, std::string_view timer) override;
  void on_start(Host& host) override;
};

}  // namespace kith::recovery
