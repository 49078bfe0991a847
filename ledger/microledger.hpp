#pragma once

/// Pairwise microledgers: the log of one side of a relationship, kept by the two parties alone
/// (log-protocol section 4, "Microledgers"). Own logs are made and changed here; logs of peers come
/// by the connection protocol (connection.hpp).
///
/// Where keys live: those of the log as log_keys.hpp says, the agent's keys in `own-key` under
/// "<did>#<multikey>".
///
/// Outside test mode the windows are the defaults of log entries; in test mode they are zero and
/// the log is marked as a test log.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/log_reader.hpp"
#include "ledger/pair_state.hpp"
#include "protocol/contact.hpp"
#include "protocol/did_document.hpp"
#include "protocol/host.hpp"

namespace kith::ledger {

struct OwnPairLog {
  std::string did;
  Bytes genesis;
};

/// Makes a log of our own with fresh keys, keeps it, and remembers its document. `services`: where
/// we are reached; empty towards a mediator. Errors: those of KeyOps and of the log writer.
[[nodiscard]] Result<OwnPairLog> new_pair_log(Host& host,
                                              const std::vector<ServiceEndpoint>& services);

/// Fresh agent keys for `did`, remembered as own keys. They count once a state names them.
[[nodiscard]] Result<PairAgent> make_pair_agent(Host& host, std::string_view did);
[[nodiscard]] PairService pair_service(const ServiceEndpoint& service);

/// The state in force. Errors: not_found (no log kept), malformed (not a pair log).
[[nodiscard]] Result<PairState> pair_state_of(Host& host, std::string_view did);

/// Changes the state of our own log, signed by its active keys, and brings the own document up to
/// date. The peer learns it by send_sync (connection.hpp), which is the caller's step.
/// Errors: not_found (the active keys are not on this device), invalid_entry.
[[nodiscard]] Result<void> update_pair_log(Host& host, std::string_view did,
                                           const PairState& state);

/// Replaces the active keys by the next ones and sets `state`; new next keys go to the vault.
/// `vault` is the opened vault, absent in a wallet without one. Old next keys stay in the vault: a
/// veto at an older point needs them. Errors: step_up_required (there is a vault, and it was not
/// given), not_found (the next keys are not held), invalid_entry.
[[nodiscard]] Result<void> rotate_pair_keys(Host& host, std::string_view did,
                                            const std::optional<SealedKey>& vault,
                                            const PairState& state);

/// Makes the did-doc record follow the kept log. While a recover is pending no new keys are taken:
/// the record stays as it is. A disabled or ended log leaves a document without keys.
/// Errors: unsupported (not a log with a document), malformed.
[[nodiscard]] Result<void> refresh_document(Host& host, const LogView& view);

/// Forgets own agent keys of `did` that its state no longer names. Mail may still be under way to
/// them: only after the peer has confirmed the change.
void forget_unlisted_keys(Host& host, std::string_view did);

/// Blobs of the log kept for `did`, oldest first.
[[nodiscard]] std::vector<Bytes> log_blobs(Host& host, std::string_view did);

}  // namespace kith::ledger
