#pragma once

/// Where the ledgers of a log are reached, as its DID document says it: services of the type
/// "KithLedger". An entry names ledgers by their ids; whoever follows a log that moved needs their
/// addresses (log_trail.hpp). Other services and these leave each other alone.
///
///     {"id":"did:kith:..#ledger-0","type":"KithLedger",
///      "serviceEndpoint":{"ledger":"ledger:zQm..","uri":"https://.."}}

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/json.hpp"

namespace kith::ledger {

struct LedgerAddress {
  std::string id;
  std::string url;
};

/// Addresses that others can use: of web servers. What else there is (a home's own ledger, etcd, a
/// chain) readers name themselves.
[[nodiscard]] bool can_be_told(std::string_view url);

/// The address that the document tells for the ledger of that id.
[[nodiscard]] std::optional<std::string> told_address(const Json& document, std::string_view id);

/// Whether it is a service of this type.
[[nodiscard]] bool is_ledger_service(const Json& service);
/// The services of a document: those of this type, or all others.
[[nodiscard]] JsonArray ledger_services(const Json& document);
[[nodiscard]] JsonArray other_services(const Json& document);

/// The document with these ledgers told, in the place of those it told before; of an address that
/// cannot be told nothing is written. `document` is an object.
[[nodiscard]] Json with_ledgers(std::string_view did, const Json& document,
                                const std::vector<LedgerAddress>& ledgers);

}  // namespace kith::ledger
