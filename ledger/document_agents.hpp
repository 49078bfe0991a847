#pragma once

/// The devices of an owner in the public document of their DID: each has a key that signs and one
/// to agree with, as in the log of a relationship (pair_state.hpp).

#include <string_view>
#include <vector>

#include "ledger/pair_state.hpp"
#include "protocol/host.hpp"

namespace kith::ledger {

/// In the document's order. Errors: unsupported (a document that was not made this way), malformed.
[[nodiscard]] Result<std::vector<PairAgent>> document_agents(const Json& document);
/// The document with these devices in the place of the former ones; its services stay.
/// Errors: malformed.
[[nodiscard]] Result<Json> document_with_agents(std::string_view did, const Json& document,
                                                const std::vector<PairAgent>& agents);
/// Adds a device to the public document of our DID, and posts that; nothing if it stands there.
/// Errors: wrong_state (no identity, the log has ended or is contested), not_found (the log's
/// active keys are not on this device), those above and of post_entry.
[[nodiscard]] Result<void> add_document_agent(Host& host, const PairAgent& agent);

}  // namespace kith::ledger
