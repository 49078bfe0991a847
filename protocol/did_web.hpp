#pragma once

/// did:web: a document on a web server, named by host and path. What is fetched is kept for a while
/// (kept_document.hpp).
///
/// The host is a name, never an address, and never leads into a private network; in test mode it
/// may be this machine, which is then asked over http. Redirects are followed by the caller, at
/// most limits::kHttpRedirectsMax, and may not leave https.

#include <optional>
#include <string>

#include "protocol/did_document.hpp"
#include "protocol/host.hpp"

namespace kith::protocol {

/// "did:web:example.com%3A3000:user:alice" -> "https://example.com:3000/user/alice/did.json".
/// Errors: malformed, unsupported (another method), refused (an address, this machine).
[[nodiscard]] Result<std::string> did_web_url(const Did& did, bool test_mode);

/// The effect that fetches `url`, without owner and context; its outcome is for read_did_web.
[[nodiscard]] Effect did_web_fetch(const std::string& url, Time now, bool test_mode);

struct WebAnswer {
  std::optional<DidDocument> document;
  std::string next_url;  ///< Without a document: the redirect to follow.
};
/// Judges one answer, and keeps the document. Errors: that of `outcome`; not_found (404, 410),
/// unreachable (another status), refused (a redirect to another scheme), malformed, limit_exceeded,
/// not_authentic (the document is about another DID), bad_key.
[[nodiscard]] Result<WebAnswer> read_did_web(Host& host, const Did& did,
                                             const Result<Bytes>& outcome);

}  // namespace kith::protocol
