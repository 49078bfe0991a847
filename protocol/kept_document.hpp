#pragma once

/// DID documents that were looked up, kept for a while so that messages can be handled without
/// waiting (collection `did-web`, named after the first method that was kept there;
/// limits::kDidWebDocumentsKept and kDidWebDocumentLife). KnownDids reads them here.

#include <optional>

#include "protocol/did_document.hpp"
#include "protocol/host.hpp"

namespace kith::protocol {

/// `document` was verified by the caller. The oldest one makes room.
void keep_document(Host& host, const DidDocument& document);
/// The document kept, while it is fresh.
[[nodiscard]] std::optional<DidDocument> kept_document(Host& host, const Did& did);

}  // namespace kith::protocol
