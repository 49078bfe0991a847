#include "node/runtime/links.hpp"

#include <boost/asio/post.hpp>
#include <utility>

#include "node/inbox.hpp"

namespace kith::node {

namespace asio = boost::asio;

/// A connection that this node opened.
struct Links::Own {
  explicit Own(asio::io_context& io) : idle(io) {}

  struct Waiting {
    Bytes message;
    Done done;
  };

  std::string uri;
  std::string channel;
  std::unique_ptr<WebSocketOpening> opening;
  std::unique_ptr<WebSocket> socket;
  std::deque<Waiting> waiting;  ///< For the connection to be open.
  std::size_t waiting_bytes = 0;
  Done held;  ///< Told at the end; empty: it may close when idle.
  asio::steady_timer idle;
  bool used = true;  ///< Since the last look.
};

Links::Links(asio::io_context& io, EventQueue& events, LinkOptions options)
    : io_(io),
      events_(events),
      options_(std::move(options)),
      connector_(io, options_.connect),
      peers_(options_.per_peer) {}

Links::~Links() {
  // Their callbacks hold the links, and would hold themselves.
  for (const auto& [uri, link] : own_) {
    link->idle.cancel();
    link->opening.reset();
    link->socket.reset();
  }
}

std::string Links::new_name() {
  return options_.prefix + std::to_string(next_++);
}

WebSocket::Handlers Links::handlers(const std::string& channel,
                                    std::function<void(const Error&)> closed) {
  const auto message = [this, channel](Bytes envelope, WebSocket::Sent done) {
    if (const auto own = own_by_channel_.find(channel); own != own_by_channel_.end()) {
      own->second->used = true;
    }
    events_.submit(EnvelopeArrived{std::move(envelope), channel, true}, origin_of(channel),
                   [this, channel, done = std::move(done)](const Result<Outcome>& outcome) {
                     spoke(channel, outcome);
                     if (!outcome.has_value()) return done(outcome.error());
                     const auto& refused = outcome->refused;
                     // What can never be taken is confirmed: another try would not change it.
                     const bool again = refused && may_succeed_later(refused->code);
                     done(again ? Result<void>(*refused) : Result<void>());
                   });
  };
  return {message, std::move(closed)};
}

/// What comes on a connection of our own was asked for.
Origin Links::origin_of(const std::string& channel) const {
  const auto found = adopted_.find(channel);
  if (found == adopted_.end()) return {};
  return {found->second->remote_address(), vouched_.contains(channel)};
}

void Links::forget(const std::string& channel) {
  adopted_.erase(channel);
  vouched_.erase(channel);
  peers_.forget(channel);
}

/// Somebody who comes back must get in, whatever became of the connections before.
void Links::spoke(const std::string& channel, const Result<Outcome>& outcome) {
  if (!outcome.has_value() || outcome->sender.empty() || !adopted_.contains(channel)) return;
  if (outcome->opened_for == OpenedFor::contact) {
    vouched_.insert(channel);
  } else {
    vouched_.erase(channel);
  }
  const auto surplus = peers_.spoke(channel, outcome->sender);
  if (!surplus) return;
  if (const auto found = adopted_.find(*surplus); found != adopted_.end()) found->second->close();
}

void Links::adopt(std::unique_ptr<WebSocket> socket) {
  if (stopping_) return;
  const std::string channel = new_name();
  WebSocket& open = *socket;
  adopted_[channel] = std::move(socket);
  open.start(handlers(channel, [this, channel](const Error&) { forget(channel); }));
}

bool Links::answer(const std::string& channel, Bytes message) {
  if (const auto own = own_by_channel_.find(channel); own != own_by_channel_.end()) {
    own->second->used = true;
    return own->second->socket->send(std::move(message));
  }
  const auto found = adopted_.find(channel);
  if (found == adopted_.end()) return false;
  if (found->second->send(std::move(message))) return true;
  // From the loop: the caller may be inside a callback of this connection.
  asio::post(io_, [this, channel] { forget(channel); });
  return false;
}

Result<Links::OwnPtr> Links::own_link(const std::string& uri) {
  if (const auto found = own_.find(uri); found != own_.end()) return found->second;
  if (stopping_) return fail(Errc::unreachable, "the node is stopping");
  if (own_.size() >= options_.connections) {
    return fail(Errc::limit_exceeded, "too many connections are open");
  }
  auto link = std::make_shared<Own>(io_);
  link->uri = uri;
  link->channel = new_name();
  own_[uri] = link;
  link->opening = open_websocket(
      io_, connector_, options_.connect.policy, uri, options_.limits, options_.open_timeout,
      [this, link](Result<std::unique_ptr<WebSocket>> socket) { opened(link, std::move(socket)); });
  return link;
}

void Links::opened(const OwnPtr& link, Result<std::unique_ptr<WebSocket>> socket) {
  if (!socket.has_value()) return ended(link, socket.error());
  link->socket = std::move(*socket);
  own_by_channel_[link->channel] = link;
  link->socket->start(
      handlers(link->channel, [this, link](const Error& why) { ended(link, why); }));
  link->waiting_bytes = 0;
  for (Own::Waiting& each : std::exchange(link->waiting, {})) {
    if (!link->socket->send(std::move(each.message), each.done)) {
      each.done(fail(Errc::limit_exceeded, "too much waits to be sent there"));
    }
  }
  watch_idle(link);
}

void Links::ended(const OwnPtr& link, const Error& why) {
  if (const auto found = own_.find(link->uri); found != own_.end() && found->second == link) {
    own_.erase(found);
  }
  own_by_channel_.erase(link->channel);
  link->idle.cancel();
  const Done held = std::exchange(link->held, nullptr);
  for (const Own::Waiting& each : std::exchange(link->waiting, {})) each.done(why);
  if (held) held(why);
}

void Links::send(const std::string& uri, Bytes message, Done done) {
  const auto link = own_link(uri);
  if (!link.has_value()) {
    return asio::post(io_, [done, error = link.error()] { done(error); });
  }
  Own& own = **link;
  own.used = true;
  const Error full = fail(Errc::limit_exceeded, "too much waits to be sent there");
  if (own.socket) {
    if (own.socket->send(std::move(message), done)) return;
    return asio::post(io_, [done, full] { done(full); });
  }
  if (!own.waiting.empty() && own.waiting_bytes + message.size() > options_.limits.queue_bytes) {
    return asio::post(io_, [done, full] { done(full); });
  }
  own.waiting_bytes += message.size();
  own.waiting.push_back({std::move(message), std::move(done)});
}

void Links::hold(const std::string& uri, Done done) {
  const auto link = own_link(uri);
  if (!link.has_value() || (*link)->held) {
    const Error error =
        link.has_value() ? fail(Errc::conflict, "that connection is held already") : link.error();
    return asio::post(io_, [done, error] { done(error); });
  }
  (*link)->held = std::move(done);
}

void Links::watch_idle(const OwnPtr& link) {
  link->used = false;
  link->idle.expires_after(options_.idle_timeout);
  link->idle.async_wait(
      [this, weak = std::weak_ptr(link)](const boost::system::error_code& cancelled) {
        const OwnPtr quiet = weak.lock();
        if (cancelled || !quiet) return;
        if (quiet->held || quiet->used || !quiet->socket->quiet()) return watch_idle(quiet);
        quiet->socket->close();
      });
}

void Links::stop() {
  stopping_ = true;
  for (const auto& [channel, socket] : adopted_) socket->close();
  for (const auto& [uri, link] : own_) {
    if (link->socket) link->socket->close();
  }
}

}  // namespace kith::node
