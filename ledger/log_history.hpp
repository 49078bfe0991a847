#pragma once

/// Logs as histories of DIDs: how a client shows a mediator, which knows neither the relationship
/// nor the ledger, whose DID it registers (recipient_proof.hpp). The entries of a microledger name
/// keys and addresses of this one relationship; nothing in them leads to another one or to a
/// person. Those of a public identity are on its ledger for everybody; showing them tells the
/// mediator that this client is that identity.

#include "protocol/recipient_proof.hpp"

namespace kith::ledger {

/// Reads logs of kinds pair and did. What is shown is judged as if received now, but a recover or
/// veto on a ledger that gives receipts by when that one says it was anchored (time_receipts.hpp);
/// without its receipt a log with a recover never settles here, its waiting time being longer than
/// that, and is refused. No ledger is asked, so an end that is left out of a log, or a veto, cannot
/// be missed, unless it was shown here before.
class LogHistory final : public protocol::DidHistory {
 public:
  [[nodiscard]] protocol::ShownHistory kept(Host& host, const Did& did) const override;
  [[nodiscard]] Result<protocol::HistoryKeys> read(
      Host& host, const Did& did, const protocol::ShownHistory& shown,
      const std::optional<protocol::RecipientClaim>& known) const override;
};

}  // namespace kith::ledger
