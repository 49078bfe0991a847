#pragma once

/// The WebSockets of a node: those that others opened to it, and those it opens itself. What comes
/// on one reaches the agent as an envelope with the connection's name, under which answers and
/// deliveries go back.
///
/// A message counts as sent when the other side has confirmed it (WebSocket::send); a message of
/// theirs is confirmed when its unit of work is durable.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "node/net/websocket.hpp"
#include "node/runtime/event_queue.hpp"
#include "node/runtime/peer_channels.hpp"

namespace kith::node {

struct LinkOptions {
  ConnectOptions connect;
  WebSocketLimits limits;
  std::chrono::milliseconds open_timeout = limits::kHttpRequestTimeout;
  std::chrono::milliseconds idle_timeout = limits::kWebSocketIdleTimeout;
  std::size_t connections = limits::kWebSocketClientConnectionsMax;
  /// Of those that others opened.
  std::size_t per_peer = limits::kWebSocketConnectionsPerPeerMax;
  /// Begins the names of connections: no two lives of a node may share one.
  std::string prefix;
};

class Links {
 public:
  using Done = std::function<void(Result<void>)>;

  /// `events` outlives it.
  Links(boost::asio::io_context& io, EventQueue& events, LinkOptions options);
  ~Links();
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;

  /// One that somebody else opened. When a DID has spoken on more than `per_peer` of them, the
  /// quietest is closed.
  void adopt(std::unique_ptr<WebSocket> socket);

  /// Sends on the connection of that name. False: it is closed, or its reader too slow, in which
  /// case it is cut off.
  [[nodiscard]] bool answer(const std::string& channel, Bytes message);

  /// Sends to a ws or wss address, over the connection that is open to it or a new one. Errors:
  /// those of open_websocket, `limit_exceeded` (too much waits, or too many connections).
  void send(const std::string& uri, Bytes message, Done done);

  /// Keeps a connection to `uri` open; `done` gets the error that ends it. One at a time for each
  /// address: another one fails with `conflict`.
  void hold(const std::string& uri, Done done);

  /// Says goodbye to all; nothing new is opened or taken.
  void stop();

  [[nodiscard]] std::size_t adopted_count() const { return adopted_.size(); }
  [[nodiscard]] std::size_t own_count() const { return own_.size(); }

 private:
  struct Own;
  using OwnPtr = std::shared_ptr<Own>;

  [[nodiscard]] std::string new_name();
  [[nodiscard]] WebSocket::Handlers handlers(const std::string& channel,
                                             std::function<void(const Error&)> closed);
  [[nodiscard]] Result<OwnPtr> own_link(const std::string& uri);
  void spoke(const std::string& channel, const Result<Outcome>& outcome);
  [[nodiscard]] Origin origin_of(const std::string& channel) const;
  void forget(const std::string& channel);  ///< Of those that others opened.
  void opened(const OwnPtr& link, Result<std::unique_ptr<WebSocket>> socket);
  void ended(const OwnPtr& link, const Error& why);
  void watch_idle(const OwnPtr& link);

  boost::asio::io_context& io_;
  EventQueue& events_;
  LinkOptions options_;
  Connector connector_;
  std::map<std::string, std::unique_ptr<WebSocket>> adopted_;  ///< By channel.
  PeerChannels peers_;                                         ///< Of those.
  std::set<std::string> vouched_;                              ///< A contact spoke on it last.
  std::map<std::string, OwnPtr> own_;                          ///< By address.
  std::map<std::string, OwnPtr> own_by_channel_;
  std::uint64_t next_ = 0;
  bool stopping_ = false;
};

}  // namespace kith::node
