#include "protocol/own_service.hpp"

namespace kith::protocol {

std::optional<MediatorGrant> mediator_grant(Host& host) {
  return load<MediatorGrant>(host, "meta", "mediator");
}

Result<ServiceEndpoint> own_service(Host& host) {
  ServiceEndpoint service;
  service.accept = {"didcomm/v2"};
  if (const auto grant = mediator_grant(host)) {
    service.uri = grant->uri;
    service.routing_keys = {grant->routing_did};
    return service;
  }
  if (const auto own = load<PublicUrl>(host, "meta", "public-url")) {
    service.uri = own->url;
    return service;
  }
  return fail(Errc::wrong_state,
              "this node has no address yet: it needs a mediator (kith accept http://...) or "
              "--public-url");
}

std::string web_address(const std::string& uri) {
  const bool socket = uri.starts_with("ws://") || uri.starts_with("wss://");
  return socket ? "http" + uri.substr(2) : uri;
}

std::string websocket_address(const std::string& uri) {
  if (uri.starts_with("ws://") || uri.starts_with("wss://")) return uri;
  const bool web = uri.starts_with("http://") || uri.starts_with("https://");
  return web ? "ws" + uri.substr(4) : std::string();
}

}  // namespace kith::protocol
