#pragma once

/// Logs as histories of DIDs: how a client shows a mediator, which knows neither the relationship
/// nor the ledger, whose DID it registers (recipient_proof.hpp). The entries of a microledger name
/// keys and addresses of this one relationship; nothing in them leads to another one or to a
/// person. Those of a public identity are on its ledger for everybody; showing them tells the
/// mediator that this client is that identity.

#include "protocol/recipient_proof.hpp"

namespace kith::ledger {

/// Reads logs of kinds pair and did. What is shown is judged as if received now, so a log with a
/// recover never settles here, its waiting time being longer than that: it is refused. No ledger is
/// asked, so an end that is left out of a log cannot be missed, unless it was shown here before.
class LogHistory final : public protocol::DidHistory {
 public:
  [[nodiscard]] std::vector<Bytes> entries(Host& host, const Did& did) const override;
  [[nodiscard]] Result<protocol::HistoryKeys> read(Host& host, const Did& did,
                                                   const std::vector<Bytes>& entries,
                                                   std::string_view known_head) const override;
};

}  // namespace kith::ledger
