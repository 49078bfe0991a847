#pragma once

/// Microledgers as histories of DIDs: how a client shows a mediator, which is no party to the
/// relationship, whose DID it registers (recipient_proof.hpp). The entries name keys and addresses
/// of this one relationship; nothing in them leads to another one or to a person.

#include "protocol/recipient_proof.hpp"

namespace kith::ledger {

/// Reads logs of kind pair. What is shown is judged as if received now, so a log with a pending
/// recover never settles here: it is refused.
class PairHistory final : public protocol::DidHistory {
 public:
  [[nodiscard]] std::vector<Bytes> entries(Host& host, const Did& did) const override;
  [[nodiscard]] Result<protocol::HistoryKeys> read(Host& host, const Did& did,
                                                   const std::vector<Bytes>& entries,
                                                   std::string_view known_head) const override;
};

}  // namespace kith::ledger
