#pragma once

/// Module "identity": the owner's DID log and authorization policy, their place on a ledger, and
/// the watch over them.
///
/// Making one: the vault, the link secret and this agent's key at once; the two logs as soon as the
/// ledger's descriptor is fetched; both are posted and count as posted when read back. A wallet
/// without a vault (a mediator or ledger host) keeps next and recovery keys in `log-key`.
///
/// Own entries enter the kept log (log_store.hpp) when they are handed in, so that later ones build
/// on them, and stay pending until the ledger shows them. If others came first, a pending update or
/// rotate is made anew on top, where the change still fits; else it is dropped with an alarm.
///
/// Every hour (minute, in test mode) the own logs are read again. An entry that this device did not
/// make raises an alarm (notice "alarm", audit "identity.foreign-entry"); so does a ledger that
/// shows less than before ("identity.ledger-conflict").
///
/// Commands (arguments -> reply; `!` needs the passphrase):
///   identity-create! {name, ledger, no_vault?, delay_seconds?, contest_seconds?} -> {state}
///       no_vault makes a wallet without vault, and needs no passphrase. The windows can be chosen
///       in test mode only, where they are 0 by default.
///   identity-show    {} -> {name, did, policy, ledger, ledger_id, created, agent}
///   identity-status  {} -> {state: none|waiting-for-ledger|posting|posted, did?, policy?,
///                           did_posted?, policy_posted?, error?}
///   identity-check!  {} -> {link_secret}: opens the vault and gives a check value of the link
///                           secret, the same on every device and after a recovery
///   did-show         {} -> {did, version, status, document, posted}
///   did-resolve      {did, ledger?} -> {id}; did-resolve-status {id} -> {state:
///   waiting|done|failed,
///                           didDocument?, didDocumentMetadata?, didResolutionMetadata}
///   policy-show      {} -> {policy, version, posted, agents, rules, set?}
///   ledger-seen, ledger-evidence, ledger-receipt: ledger_report.hpp
///   policy-history   {} -> {policy, entries: [{n, op, hash, time, posted}], junk, duplicity}

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/log_reader.hpp"
#include "ledger/policy.hpp"
#include "protocol/module.hpp"

namespace kith::ledger {

/// A ledger that the identity's logs left.
struct FormerLedger {
  std::string url;
  std::string descriptor;  ///< Canonical JSON.
  std::string id;
  template <class V>
  void visit(V& v) {
    v("url", url), v("descriptor", descriptor), v("id", id);
  }
};

/// Record meta/identity; travels in backups (a new device writes its own agent key over it).
struct Identity {
  std::string name;
  std::string did;         ///< did:kith of the DID log.
  std::string policy;      ///< did:kith of the policy log.
  std::string ledger_url;  ///< As in design section 4.
  std::string ledger;      ///< Its descriptor (canonical JSON).
  std::string ledger_id;
  PublicKey agent_key;  ///< This agent's verkey in the policy.
  Time created{};
  std::vector<FormerLedger> former;  ///< In the order in which they were left; each once.
  template <class V>
  void visit(V& v) {
    v("name", name), v("did", did), v("policy", policy), v("ledger_url", ledger_url);
    v("ledger", ledger), v("ledger_id", ledger_id), v("agent_key", agent_key);
    v("created", created), v("former", former);
  }
};

/// Absent until the logs are made.
[[nodiscard]] std::optional<Identity> identity(Host& host);
/// The same where there must be one. Errors: wrong_state.
[[nodiscard]] Result<Identity> needed_identity(Host& host);
void save_identity(Host& host, const Identity& identity);
/// Nobody but this home says when its entries were made: its ledger is the home's own, and asks for
/// no witnesses. Whoever gets hold of the home could shorten the windows of a recovery.
[[nodiscard]] bool lacks_witnesses(const Identity& identity);

/// This device's agent key (purpose agent): signs policy entries and backups. The sealed half is
/// the record own-key/agent, the public half meta/agent-key; neither is backed up.
/// Errors: wrong_state (none yet).
[[nodiscard]] Result<KeyPair> own_agent_key(Host& host);
/// Makes and keeps a new one, over any older one: what a recovered device does first.
[[nodiscard]] Result<KeyPair> make_agent_key(Host& host);

/// The link secret out of the opened vault, for use on this device. Errors: not_found (the vault
/// holds none), those of open_vault_item.
[[nodiscard]] Result<void> take_link_secret(Host& host, const SealedKey& vault);

/// Takes a signed entry of an own log into the kept log and posts it to the identity's ledger until
/// it is read back. Errors: wrong_state (no identity), invalid_entry and others of read_with.
[[nodiscard]] Result<void> post_entry(Host& host, std::string_view subject, const Entry& entry);
/// The kept log is not empty and the ledger has shown all of it.
[[nodiscard]] bool posted(Host& host, std::string_view subject);
/// Reads the log from the ledger again as soon as possible.
void refresh_log(Host& host, std::string_view subject);

/// Changes the policy with this agent's signature and posts it. Errors: wrong_state, refused (the
/// change asks for other signers, or leaves no quorum), invalid_entry.
[[nodiscard]] Result<void> update_policy(Host& host, const std::function<void(Policy&)>& change);

/// What a rotate changes beside keys; absent: stays as it is.
struct RotateChange {
  std::optional<Json> state;
  std::optional<std::string> super_quorum;  ///< rec.hi.
};
/// A rotate of an own log to its next keys, signed, neither kept nor posted. Its new next keys go
/// to the vault and should be in a stored backup before post_prepared(); its active keys go to
/// `log-key`, and are to be forgotten if it is never posted. `vault` is the opened vault, absent in
/// a wallet without one. A recovery authority that somebody has revealed, in a recover that came
/// to nothing, is replaced.
/// Errors: wrong_state (no identity), step_up_required (there is a vault and it was not given),
/// not_found (the next keys are not held).
[[nodiscard]] Result<Entry> prepare_rotate(Host& host, std::string_view subject,
                                           const std::optional<SealedKey>& vault,
                                           const RotateChange& change = {});
/// post_entry() for an entry of prepare_rotate(); made anew if others came first since then.
/// Errors: those of post_entry and rebase_entry (rebase.hpp).
[[nodiscard]] Result<void> post_prepared(Host& host, std::string_view subject, const Entry& rotate);

/// Puts the present own_service into the public document of our DID, in the place of other
/// services, and posts that; nothing is posted if it stands there alone. Everybody can read it from
/// then on, and mail for the DID is taken. Call it only when the owner asks. Returns the DID.
/// Errors: wrong_state (no identity, no address, the log has ended or is contested, this device
/// does not hold the DID's keys), not_found (nor those of its log), those of post_entry.
[[nodiscard]] Result<Did> publish_address(Host& host);
/// Takes every service out of the public document of our DID, and posts that; nothing is posted if
/// none stands there. The log keeps what stood there. Errors: wrong_state (no identity, the log has
/// ended or is contested), not_found (its keys are not held), those of post_entry.
[[nodiscard]] Result<void> withdraw_address(Host& host);
/// The public document has an address, and it is not own_service any more.
[[nodiscard]] bool published_address_is_old(Host& host);

class IdentityModule final : public Module {
 public:
  [[nodiscard]] std::string_view name() const override { return "identity"; }
  [[nodiscard]] std::vector<std::string> commands() const override;
  [[nodiscard]] bool only_reads(std::string_view command) const override;
  [[nodiscard]] Result<JsonObject> on_command(Host& host, const Command& command) override;
  void on_timer(Host& host, std::string_view timer) override;
  void on_effect(Host& host, const protocol::Effect& effect, const Result<Bytes>& outcome) override;
  void on_start(Host& host) override;
};

}  // namespace kith::ledger
