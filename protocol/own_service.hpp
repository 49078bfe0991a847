#pragma once

/// Where others reach this agent: through its mediator, or at its own public address.

#include <optional>
#include <string>
#include <string_view>

#include "protocol/did_document.hpp"
#include "protocol/host.hpp"

namespace kith::protocol {

/// Record meta/mediator: written by the pickup module when the mediator granted mediation.
struct MediatorGrant {
  std::string contact_id;
  std::string uri;          ///< The mediator's transport address.
  std::string routing_did;  ///< Goes into routing_keys of every DID of ours.
  template <class V>
  void visit(V& v) {
    v("contact_id", contact_id), v("uri", uri), v("routing_did", routing_did);
  }
};

/// Record meta/public-url: set by `kith run --public-url`.
struct PublicUrl {
  std::string url;
  template <class V>
  void visit(V& v) {
    v("url", url);
  }
};

[[nodiscard]] std::optional<MediatorGrant> mediator_grant(Host& host);
/// Errors: wrong_state (neither a mediator nor a public address yet).
[[nodiscard]] Result<ServiceEndpoint> own_service(Host& host);

/// Module and timer that hear of a change of own_service(): contacts have to learn it.
inline constexpr std::string_view kAddressModule = "connection";
inline constexpr std::string_view kAddressTimer = "address";

/// The same place as browsers know it: "wss://.." -> "https://..". Other addresses stay as are.
[[nodiscard]] std::string web_address(const std::string& uri);
/// ... and as a WebSocket: "https://.." -> "wss://..". Empty if it is neither.
[[nodiscard]] std::string websocket_address(const std::string& uri);

}  // namespace kith::protocol
