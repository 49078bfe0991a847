#pragma once

/// Who wants its answers on a lasting connection. The header `return_route` need stand in one
/// message of a connection only (extension return_route; pickup, "Return Route"), so it is
/// remembered for the others: by connection and sender, for one socket may carry several DIDs.
///
/// In memory: connections do not outlive the agent. At most limits::kWebSocketConnectionsMax pairs;
/// beyond them the oldest is forgotten, and its sender has to say so again.

#include <deque>
#include <set>
#include <string>
#include <utility>

#include "protocol/module.hpp"

namespace kith::node {

class ReturnRoutes {
 public:
  /// Takes the header of `inbound` in, or puts the remembered one there where it says nothing. A
  /// route for the message's own thread becomes one for all: its answers are of that thread.
  void apply(Inbound& inbound);

 private:
  void remember(Inbound& inbound);

  using Route = std::pair<std::string, std::string>;  ///< Connection, DID.

  std::set<Route> routes_;
  std::deque<Route> by_age_;
};

}  // namespace kith::node
