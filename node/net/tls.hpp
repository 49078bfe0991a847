#pragma once

/// TLS 1.3, and nothing older, over the sockets of node/net: the only place outside crypto/ that
/// knows OpenSSL. Certificates and keys come from PEM files.

#include <cstddef>
#include <memory>
#include <string>

#include "crypto/result.hpp"

namespace kith::node {

/// What all connections of one listener, or of one client, have in common. Immutable; any thread.
class TlsContext {
 public:
  /// For a listener: its certificate with the chain that leads to a CA, and the private key.
  /// Errors: io (a file cannot be read), bad_key (not a certificate or key, they do not belong
  /// together, the key is encrypted or open to other users of this machine).
  [[nodiscard]] static Result<std::shared_ptr<const TlsContext>> server(
      const std::string& certificate_file, const std::string& key_file);

  /// For connecting: trusts the CAs of the system, read at the first connection, and those in
  /// `extra_ca_file`, if named, read here.
  /// Errors: io, bad_key (that file holds no certificate).
  [[nodiscard]] static Result<std::shared_ptr<const TlsContext>> client(
      const std::string& extra_ca_file = {});

  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

 private:
  friend class TlsSession;
  struct Impl;
  explicit TlsContext(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// One connection's TLS over a non-blocking socket, which outlives it. Never blocks: kWantRead and
/// kWantWrite mean "call again when the socket is ready for that".
class TlsSession {
 public:
  enum class State {
    kDone,
    kWantRead,
    kWantWrite,
    kClosed,  ///< By the other side, properly.
    kFailed,  ///< The connection broke, or is not TLS 1.3 with a trusted certificate: failure().
  };

  /// `server_name`: for clients, the name or address that the certificate must carry; for servers
  /// empty.
  TlsSession(std::shared_ptr<const TlsContext> context, int socket, const std::string& server_name);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  [[nodiscard]] State handshake();
  [[nodiscard]] State read(void* data, std::size_t size, std::size_t& got);
  [[nodiscard]] State write(const void* data, std::size_t size, std::size_t& put);
  /// Tells the other side that nothing more comes, as far as that is possible at once.
  void say_goodbye();

  [[nodiscard]] const std::string& failure() const;  ///< A plain sentence; no text of the peer.

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kith::node
