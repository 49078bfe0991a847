#pragma once

/// Who may connect to a listener: how many connections there are altogether, from one group of
/// addresses, and as WebSockets, and how many came lately. No sockets here, and no clock.

#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "node/net/arrivals.hpp"
#include "node/net/http.hpp"

namespace kith::node {

/// Owned by the listener and by every place that it gave away; one thread.
class Admission : public std::enable_shared_from_this<Admission> {
 public:
  /// A connection is counted as long as its place lives, also beyond its listener.
  class Place {
   public:
    Place(std::shared_ptr<Admission> admission, std::string group);
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    /// From now on it counts as a WebSocket. False: there are too many, and nothing changed. Once.
    [[nodiscard]] bool become_websocket();

   private:
    std::shared_ptr<Admission> admission_;
    std::string group_;
    bool is_websocket_ = false;
  };

  explicit Admission(const ServerLimits& limits)
      : limits_(limits), arrivals_(limits.new_connections_per_minute) {}

  /// A place for one more connection from there; null if that is too many. `now_ms` never goes
  /// back.
  [[nodiscard]] std::unique_ptr<Place> admit(const boost::asio::ip::address& address,
                                             std::int64_t now_ms);
  [[nodiscard]] std::size_t websockets() const { return websockets_; }

 private:
  ServerLimits limits_;
  Arrivals arrivals_;
  std::map<std::string, std::size_t> counts_;  ///< Per address group; no zero entries.
  std::size_t requests_ = 0;                   ///< Connections that are no WebSockets.
  std::size_t websockets_ = 0;
};

}  // namespace kith::node
