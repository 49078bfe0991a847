#pragma once

/// Commands about the node itself.
///
///   status          {} -> {version, test, passphrase, private_network, name?, public_url?,
///   mediator: {contact, uri,
///                   routing_did}?, mail_registered, mail_live, contacts, connected, open_effects,
///                   audit_entries, notices, keys_overdue?, keys_due_soon?,
///                   frozen: {since, reason?, by?}?}
///   notices         {} -> {notices: [{id, kind, text, subject, time}]}, oldest first
///   notices-clear   {id?} -> {cleared}: these were read; all of them without an id
///   audit-show      {last?} -> {entries: [{n, time, event, details}]}, oldest first, at most 1000
///   audit-verify    {checkpoint?} -> {entries, anchor?: {state: none|continued, time, head, entry,
///                   posted}}: the whole chain holds, continues what is known to be anchored, and
///                   what the checkpoint stands for; without an identity no anchor. Errors:
///                   audit_broken, bad_key, bad_signature.
///   passphrase-wrong {tries?} -> {}: notes that wrong passphrases were typed, for the shell
///   alert-notice    {kind, text} -> {}: shows an alert (runtime/alert_rules.hpp), for the shell
///   audit-page      {from?} -> {entries, next?}: rows of audit_file.hpp
///   audit-checkpoint {} -> of audit_file.hpp. Errors: not_found.
///   audit-anchor    {} -> {did, head, entries, n, entry, ledger, ledger_id}: see
///                   ledger/audit_anchor.hpp
///   audit-look      {} -> {identity}: asks the ledger what was anchored
///   audit-looked    {} -> {asking, failed}: it has not answered yet; it could not be asked
///   profile-set     {name} -> {name}: how we call ourselves towards others
///   version         {} -> {version}
///
/// The audit log has an entry program.changed {version, sha256, version_before?, sha256_before?}
/// for each start with another program than the one before, and for the first; and keystore.changed
/// for a start with a keystore that was written since: another passphrase, or a higher cost of it.

#include <string>

#include "node/wiring.hpp"
#include "protocol/module.hpp"

namespace kith::node {

/// Event of the audit log: {tries}.
inline constexpr std::string_view kWrongPassphraseEvent = "wallet.passphrase-wrong";

class NodeModule final : public protocol::Module {
 public:
  explicit NodeModule(NodeConfig config) : config_(std::move(config)) {}

  std::string_view name() const override { return "node"; }
  std::vector<std::string> commands() const override;
  bool only_reads(std::string_view what) const override;
  Result<JsonObject> on_command(Host& host, const Command& command) override;
  void on_start(Host& host) override;

 private:
  JsonObject status(Host& host) const;
  NodeConfig config_;
};

}  // namespace kith::node
