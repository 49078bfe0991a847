#pragma once

/// What the tests of the transports share: a loop with a deadline and a peer that sends raw bytes.

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "node/runtime/system_clock.hpp"

namespace kith::test {

/// Runs the loop until `condition` holds; false after five seconds, which no test should need.
template <class Condition>
[[nodiscard]] bool run_until(boost::asio::io_context& io, Condition condition) {
  const auto deadline_ms = node::read_clocks().steady_ms + 5000;
  while (!condition()) {
    if (node::read_clocks().steady_ms >= deadline_ms) return false;
    io.restart();
    io.run_one_for(std::chrono::milliseconds{20});
  }
  return true;
}

/// Runs what is ready and what becomes ready within `duration`: for "nothing more happens".
inline void run_for(boost::asio::io_context& io, std::chrono::milliseconds duration) {
  io.restart();
  io.run_for(duration);
}

/// A TCP client without manners. Collects what it receives.
class RawPeer {
 public:
  RawPeer(boost::asio::io_context& io, std::uint16_t port, bool reading = true)
      : state_(std::make_shared<State>(io)) {
    state_->socket.connect({boost::asio::ip::address_v4::loopback(), port});
    if (reading) read(state_);
  }
  ~RawPeer() { close(); }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  void send(std::string_view bytes) {
    boost::system::error_code ignored;  // The server may have closed already.
    boost::asio::write(state_->socket, boost::asio::buffer(bytes), ignored);
  }
  void close() {
    boost::system::error_code ignored;
    state_->socket.close(ignored);
  }

  [[nodiscard]] const std::string& received() const { return state_->received; }
  [[nodiscard]] bool closed() const { return state_->closed; }  ///< By the other side.
  [[nodiscard]] bool has(std::string_view text) const {
    return state_->received.find(text) != std::string::npos;
  }
  void forget() { state_->received.clear(); }

 private:
  struct State {
    explicit State(boost::asio::io_context& io) : socket(io) {}
    boost::asio::ip::tcp::socket socket;
    std::array<char, 4096> piece{};
    std::string received;
    bool closed = false;
  };

  static void read(const std::shared_ptr<State>& state) {
    state->socket.async_read_some(
        boost::asio::buffer(state->piece),
        [state](const boost::system::error_code& error, std::size_t size) {
          state->received.append(state->piece.data(), size);
          if (!error) return read(state);
          state->closed = true;
        });
  }

  std::shared_ptr<State> state_;
};

}  // namespace kith::test
