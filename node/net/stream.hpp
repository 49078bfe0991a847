#pragma once

/// A byte stream over TCP, with or without TLS: what Beast reads from and writes to. One type for
/// all of them, with type-erased handlers, so that Beast's templates are instantiated once.
///
/// One read and one write at a time. All on the thread of the io_context.

#include <array>
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "node/net/tls.hpp"

namespace kith::node {

/// Read from a stream at once.
inline constexpr std::size_t kStreamPieceBytes = std::size_t{16} * 1024;

class Stream {
 public:
  using executor_type = boost::asio::any_io_executor;
  using IoDone = boost::asio::any_completion_handler<void(boost::system::error_code, std::size_t)>;
  /// The error is empty when it succeeded.
  using HandshakeDone = std::function<void(const std::string& failure)>;

  explicit Stream(boost::asio::ip::tcp::socket socket);
  Stream(Stream&&) noexcept = default;
  Stream& operator=(Stream&&) = delete;
  ~Stream();

  /// Before anything is read or written. `server_name` as in TlsSession. The deadline of
  /// expires_after() counts.
  void start_tls(std::shared_ptr<const TlsContext> context, const std::string& server_name,
                 HandshakeDone done);

  [[nodiscard]] executor_type get_executor();
  [[nodiscard]] boost::asio::ip::tcp::socket& socket();

  template <class MutableBuffers, class Token>
  auto async_read_some(const MutableBuffers& buffers, Token&& token) {
    boost::asio::mutable_buffer first;
    for (auto it = boost::asio::buffer_sequence_begin(buffers);
         it != boost::asio::buffer_sequence_end(buffers) && first.size() == 0; ++it) {
      first = *it;
    }
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [](auto&& handler, std::shared_ptr<State> state, boost::asio::mutable_buffer buffer) {
          read(state, buffer, IoDone(std::forward<decltype(handler)>(handler)));
        },
        token, state_, first);
  }

  template <class ConstBuffers, class Token>
  auto async_write_some(const ConstBuffers& buffers, Token&& token) {
    Pieces pieces{};
    std::size_t count = 0;
    for (auto it = boost::asio::buffer_sequence_begin(buffers);
         it != boost::asio::buffer_sequence_end(buffers) && count < pieces.size(); ++it) {
      const boost::asio::const_buffer piece = *it;
      if (piece.size() > 0) pieces[count++] = piece;
    }
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [](auto&& handler, std::shared_ptr<State> state, const Pieces& all) {
          write(state, all, IoDone(std::forward<decltype(handler)>(handler)));
        },
        token, state_, pieces);
  }

  /// Closes the stream at that time, unless it is moved before.
  void expires_after(std::chrono::milliseconds time);
  void expires_never();

  /// Pending operations end with operation_aborted.
  void close();
  /// Nothing more will be written; reading goes on.
  void shutdown_send(boost::system::error_code& error);

  /// After so many more bytes reads fail with `no_buffer_space`; counts from now.
  void allow_bytes(std::uint64_t bytes);
  /// Since the beginning, as the layer above sees them.
  [[nodiscard]] std::uint64_t bytes_received() const;
  [[nodiscard]] std::uint64_t bytes_sent() const;

  /// Neither closed by the other side nor holding bytes that nobody asked for. Only between
  /// operations.
  [[nodiscard]] bool is_quiet();

 private:
  struct State;
  using Pieces = std::array<boost::asio::const_buffer, 8>;

  static void read(const std::shared_ptr<State>& state, boost::asio::mutable_buffer buffer,
                   IoDone done);
  static void write(const std::shared_ptr<State>& state, const Pieces& pieces, IoDone done);

  std::shared_ptr<State> state_;
};

}  // namespace kith::node
