#pragma once

/// Resolution of did:kith: from a read log to a DID document and resolution metadata (DID Core 1.0,
/// section 7). JSON on purpose: the caller turns it into the resolver's types.

#include <optional>
#include <string>
#include <string_view>

#include "crypto/json.hpp"
#include "crypto/result.hpp"
#include "ledger/log_reader.hpp"
#include "ledger/pair_state.hpp"

namespace kith::ledger {

/// First in the @context of every document in JSON-LD (DID Core, section 6.3).
inline constexpr std::string_view kDidContext = "https://www.w3.org/ns/did/v1";

struct Resolution {
  Json document;
  /// didDocumentMetadata: created, updated, versionId ("<n>-<hash>"), deactivated (when true), and
  /// kith: {status, contested, pending?, effectiveAt?, unconfirmedMove? (true), headVersionId,
  /// duplicity, test}.
  Json metadata;
};

/// "did:kith:zQm...": prefix and digest. Errors: malformed.
[[nodiscard]] Result<std::string> check_did_kith(std::string_view did);

/// While a recover is pending the document is the last uncontested one, flagged in the metadata.
/// A deactivated log, and a disabled or decried pair, give a document with its id alone.
/// Errors: unsupported (a policy has no DID document).
[[nodiscard]] Result<Resolution> resolve_did_kith(const LogView& view);

/// An earlier version (DID Core, parameters versionId and versionTime): the one of that id, or the
/// one in force at that time (RFC 3339, UTC). Only entries that count have versions; the metadata
/// also say nextVersionId and nextUpdate where a later one follows.
/// Errors: not_found, malformed (both, or not a time), unsupported (a policy).
struct WantedVersion {
  std::optional<std::string> id;
  std::optional<std::string> time;
};
[[nodiscard]] Result<Resolution> resolve_did_kith_version(const LogView& view,
                                                          const WantedVersion& wanted);

/// The document of a pair state. Verification methods have ids did#<multikey>; `auth` keys are for
/// authentication and assertion, `agree` keys for key agreement.
[[nodiscard]] Json pair_document(std::string_view did, const PairState& state);

/// Rule 10 for kind did: id equal, DID Core shape, ids unique, references that resolve.
/// Errors: malformed.
[[nodiscard]] Result<void> check_did_document(std::string_view did, const Json& document);

}  // namespace kith::ledger
