#include "node/return_routes.hpp"

#include <algorithm>

#include "crypto/limits.hpp"

namespace kith::node {

void ReturnRoutes::apply(Inbound& inbound) {
  remember(inbound);
  // What is answered belongs to the thread of what is asked, and to no other.
  Message& message = inbound.message;
  if (message.return_route == "thread" && message.return_route_thread == message.thread()) {
    message.return_route = "all";
  }
}

void ReturnRoutes::remember(Inbound& inbound) {
  if (!inbound.lasting || !inbound.info.authenticated || !inbound.info.sender) return;
  Route route{inbound.channel, inbound.info.sender->text()};
  auto& header = inbound.message.return_route;
  if (!header) {
    if (routes_.contains(route)) header = "all";
    return;
  }
  if (*header != "all") {
    if (routes_.erase(route) > 0) std::erase(by_age_, route);
    return;
  }
  if (!routes_.insert(route).second) return;
  by_age_.push_back(std::move(route));
  if (by_age_.size() <= limits::kWebSocketConnectionsMax) return;
  routes_.erase(by_age_.front());
  by_age_.pop_front();
}

}  // namespace kith::node
