#pragma once

/// The rules of DID Core 1.0 on the shape of a document (section 5) and of its representations
/// (section 6), and what a DID URL means in a document (section 7.2).

#include <string>
#include <string_view>

#include "protocol/did_document.hpp"

namespace kith::protocol {

/// How the document came: DID Core knows one form with a meaning for @context and one without.
enum class Representation : std::uint8_t {
  unknown,  ///< @context may be there; then it is only checked for its types.
  json,     ///< application/did+json (section 6.2): the same.
  json_ld,  ///< application/did+ld+json (section 6.3): @context begins with that of DID Core.
};
/// From a media type, with or without parameters; `unknown` for others.
[[nodiscard]] Representation representation_of(std::string_view media_type);

/// Shape alone: types of all members that DID Core names, ids that are unique, the context of the
/// representation. Keys are judged by read_did_document, which calls this first. Members that DID
/// Core does not name may be anything. Errors: malformed, limit_exceeded, not_authentic (the
/// document is about another DID).
[[nodiscard]] Result<void> check_did_core(const JsonObject& document, const Did& subject,
                                          Representation representation = Representation::unknown);

/// What a DID URL leads to.
struct Dereferenced {
  std::string media_type;  ///< "application/did+json" or, for an address, "text/uri-list".
  Json content;            ///< A document, a part of one, or an address as text.
};

/// The resource that `url` names in `document`, which is that of its DID (and version):
///   did                       the document
///   did#fragment              the verification method or service with that id
///   did?service=S[&relativeRef=R][#F]   the address of that service, with R resolved against it
/// The parameters versionId and versionTime are the resolver's matter and ignored here.
/// Errors: malformed (not this DID, a parameter twice or in a wrong form, a relativeRef that would
/// lead to another host), not_found, unsupported (a path, other parameters).
[[nodiscard]] Result<Dereferenced> dereference(const DidDocument& document, const DidUrl& url);

/// The value of `parameter` in the query of `url`, percent-decoded; nullopt when it is not there.
/// Errors: malformed (twice, or not UTF-8 text).
[[nodiscard]] Result<std::optional<std::string>> did_url_parameter(const DidUrl& url,
                                                                   std::string_view parameter);

/// RFC 3986 section 5.2 for a reference that stays on its host: no scheme, no authority.
/// Errors: malformed.
[[nodiscard]] Result<std::string> resolve_relative(std::string_view base,
                                                   std::string_view reference);

}  // namespace kith::protocol
