#pragma once

/// What would let two people find out that they know the same person: keys, ids or addresses that
/// documents share which are meant for one relationship each (requirements RFC-22, RFC-47).
///
/// A key or an id in two documents is refused; so is an address, unless mail for it is wrapped for
/// a mediator (routing keys): that address is all of its clients'. Pure. Any thread.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/did_document.hpp"
#include "protocol/host.hpp"

namespace kith::ledger {

enum class SharedKind : std::uint8_t { id = 1, key = 2, address = 3 };
[[nodiscard]] std::string_view shared_name(SharedKind kind);

struct Shared {
  SharedKind kind = SharedKind::key;
  std::string value;              ///< A DID, a Multikey or a URI.
  std::vector<std::string> dids;  ///< Of the documents that hold it, two or more; in their order.
  bool by_mediator = false;       ///< An address of a mediator: told, and not refused.
};

/// In the order of kind and value.
[[nodiscard]] std::vector<Shared> find_shared(std::span<const DidDocument> documents);

/// {checked, ok, shared: [{what, value, dids, refused}]}
[[nodiscard]] JsonObject lint_report(std::span<const DidDocument> documents);

/// Command did-lint {}: of this agent's own documents, the public one among them.
[[nodiscard]] Result<JsonObject> lint_own(Host& host);
/// A JSON array of documents. Errors: malformed, bad_key, limit_exceeded.
[[nodiscard]] Result<JsonObject> lint_file(std::string_view file);

}  // namespace kith::ledger
