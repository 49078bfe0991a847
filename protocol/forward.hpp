#pragma once

/// Routing 2.0: wrapping an envelope for mediators, and reading a forward as a mediator.

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/key_ops.hpp"
#include "protocol/did_document.hpp"
#include "protocol/envelope.hpp"
#include "protocol/message.hpp"
#include "protocol/resolver.hpp"

namespace kith::protocol {

inline constexpr std::string_view kForwardType = "https://didcomm.org/routing/2.0/forward";

/// Where an envelope goes, and through whom.
struct Route {
  std::string uri;                ///< A transport address, never a DID.
  std::vector<std::string> hops;  ///< DIDs or DID URLs, the first hop first; empty: direct.
};

/// A `uri` that is a DID names a mediator: its keys come first and its own uri is used (once: a
/// mediator's uri that is a DID again is `unsupported`).
/// Errors: unknown_peer (detail: the DID to fetch), limit_exceeded, malformed, unsupported.
[[nodiscard]] Result<Route> plan_route(const ServiceEndpoint& endpoint, Resolver& resolver);

/// What the relays on the way are told.
struct RelayTerms {
  std::int64_t expires_time = 0;
  /// Each holds the message back: this long, or if negative a random time up to it.
  std::chrono::milliseconds delay{0};
};

/// Wraps `envelope` for every hop, the last hop innermost; the innermost `next` is `recipient`.
/// Errors: as plan_route and pack_anoncrypt.
[[nodiscard]] Result<std::string> wrap_forwards(std::string envelope, const Did& recipient,
                                                const Route& route, const RelayTerms& terms,
                                                Resolver& resolver, KeyOps& keys, Random& random);

/// One forward message around `envelope`. Errors: malformed (not a JSON object).
[[nodiscard]] Result<Message> make_forward(std::string_view next, std::string_view envelope,
                                           const RelayTerms& terms, Random& random);

/// The receiver of mail, in the eyes of the relay that hands it over.
struct Receiver {
  std::string next;  ///< As in the forward that brought it: a DID or DID URL.
  Did client;        ///< Who fetches mail for it.
};

/// Rewrapping: `envelope` in a fresh forward to its receiver, who opens both. Encrypted for `next`
/// where its keys are known here, else for the client, who is the receiver's own agent.
/// Errors: those of make_forward and pack_anoncrypt; unknown_peer.
[[nodiscard]] Result<std::string> rewrap(std::string_view envelope, const Receiver& receiver,
                                         const RelayTerms& terms, Resolver& resolver, KeyOps& keys,
                                         Random& random);

struct Forward {
  std::string next;                    ///< A DID or DID URL.
  std::vector<std::string> envelopes;  ///< The payloads, each to be handed on as it is.
  bool encrypted = true;               ///< All of them look like a JWE: all that a relay can see.
  std::chrono::milliseconds delay{0};  ///< `delay_milli`, as RelayTerms::delay.
  std::int64_t expires_time = 0;       ///< Of the forward; 0: it says nothing.
};

/// How long a relay holds a message back: at most limits::kRelayDelayMax.
[[nodiscard]] std::chrono::milliseconds relay_delay(std::chrono::milliseconds asked,
                                                    Random& random);

[[nodiscard]] bool is_forward(const Message& message);
/// One attachment or more, each with data.json or data.base64: a JSON object. What a link leads to
/// is not fetched: a relay that calls addresses of strangers is a tool against others.
/// Errors: malformed, limit_exceeded (limits::kForwardEnvelopesMax), unsupported (links only).
[[nodiscard]] Result<Forward> parse_forward(const Message& message);
/// Whether `next` (DID or DID URL of a key) names `did`.
[[nodiscard]] bool next_is(std::string_view next, const Did& did);

}  // namespace kith::protocol
