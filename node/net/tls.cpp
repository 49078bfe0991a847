#include "node/net/tls.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <mutex>
#include <utility>

#include "crypto/assert.hpp"

namespace kith::node {
namespace {

struct ContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct SessionFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using ContextPtr = std::unique_ptr<SSL_CTX, ContextFree>;
using SessionPtr = std::unique_ptr<SSL, SessionFree>;

// HTTP/1.1 in the wire form of ALPN (RFC 7301): a length and the name.
constexpr std::array<unsigned char, 9> kAlpn{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

// --- A BIO over a socket. OpenSSL's own writes with write(2), which raises SIGPIPE on a closed
// connection.

int socket_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

bool would_block() {
  return errno == EAGAIN || errno == EINTR;
}

int bio_write(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t sent =
      ::send(socket_of(bio), data, static_cast<std::size_t>(size), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent >= 0) return static_cast<int>(sent);
  if (would_block()) BIO_set_retry_write(bio);
  return -1;
}

int bio_read(BIO* bio, char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t got = ::recv(socket_of(bio), data, static_cast<std::size_t>(size), MSG_DONTWAIT);
  if (got >= 0) return static_cast<int>(got);
  if (would_block()) BIO_set_retry_read(bio);
  return -1;
}

long bio_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* bio_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "kith socket");
    ASSERT(made != nullptr);
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return method;
}

// --- Contexts

int choose_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                unsigned int in_size, void*) {
  unsigned char* chosen = nullptr;
  const int found =
      SSL_select_next_proto(&chosen, out_size, kAlpn.data(), kAlpn.size(), in, in_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

/// No prompt for the passphrase of an encrypted key: it is an error.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

Result<ContextPtr> new_context(const SSL_METHOD* method) {
  ContextPtr context(SSL_CTX_new(method));
  ASSERT(context != nullptr);
  ASSERT(SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) == 1);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_default_passwd_cb(context.get(), no_passphrase);
  // Each connection stands for itself: nothing to resume, nothing to link two of them by.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  ERR_clear_error();
  return context;
}

/// Errors: io.
Result<struct stat> look_at(const std::string& file) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) {
    return fail(Errc::io, file + " cannot be read");
  }
  return found;
}

/// What OpenSSL's last error means for someone who opens a connection.
std::string explain(unsigned long error) {
  switch (ERR_GET_REASON(error)) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
      return "the other side does not speak TLS";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
    case SSL_R_BAD_PROTOCOL_VERSION_NUMBER:
      return "the other side does not speak TLS 1.3";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
      return "the other side does not trust our certificate";
    default:
      return "the TLS connection failed";
  }
}

}  // namespace

struct TlsContext::Impl {
  ContextPtr context;
  bool is_server = false;
  std::once_flag system_cas_read;

  /// Hundreds of certificates, tens of milliseconds: most commands never open a TLS connection.
  void read_system_cas() {
    std::call_once(system_cas_read, [this] {
      SSL_CTX_set_default_verify_paths(context.get());
      ERR_clear_error();  // A machine without a CA store can still use an extra file.
    });
  }
};

TlsContext::TlsContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<const TlsContext>> TlsContext::server(const std::string& certificate_file,
                                                             const std::string& key_file) {
  CHECK(look_at(certificate_file));
  TRY(const struct stat key, look_at(key_file));
  if ((key.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(Errc::bad_key,
                "other users of this machine can read " + key_file + "; use chmod 600");
  }
  TRY(ContextPtr context, new_context(TLS_server_method()));
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_alpn_select_cb(context.get(), choose_alpn, nullptr);
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) != 1) {
    return fail(Errc::bad_key, certificate_file + " holds no certificate in PEM form");
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    const bool other = ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH;
    return fail(Errc::bad_key, other ? "the key does not belong to the certificate"
                                     : key_file + " holds no unencrypted private key in PEM form");
  }
  if (SSL_CTX_check_private_key(context.get()) != 1) {
    return fail(Errc::bad_key, "the key does not belong to the certificate");
  }
  auto impl = std::make_unique<Impl>();
  impl->context = std::move(context);
  impl->is_server = true;
  return std::shared_ptr<const TlsContext>(new TlsContext(std::move(impl)));
}

Result<std::shared_ptr<const TlsContext>> TlsContext::client(const std::string& extra_ca_file) {
  TRY(ContextPtr context, new_context(TLS_client_method()));
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (!extra_ca_file.empty()) {
    CHECK(look_at(extra_ca_file));
    if (SSL_CTX_load_verify_locations(context.get(), extra_ca_file.c_str(), nullptr) != 1) {
      return fail(Errc::bad_key, extra_ca_file + " holds no certificate in PEM form");
    }
  }
  // 0 is success here, unlike elsewhere.
  ASSERT(SSL_CTX_set_alpn_protos(context.get(), kAlpn.data(), kAlpn.size()) == 0);
  ERR_clear_error();
  auto impl = std::make_unique<Impl>();
  impl->context = std::move(context);
  return std::shared_ptr<const TlsContext>(new TlsContext(std::move(impl)));
}

struct TlsSession::Impl {
  std::shared_ptr<const TlsContext> context;
  SessionPtr ssl;
  std::string failure;
  bool handshaken = false;
  bool broken = false;  ///< After a fatal error nothing may be called, not even a goodbye.

  State outcome(int result);
};

TlsSession::TlsSession(std::shared_ptr<const TlsContext> context, int socket,
                       const std::string& server_name)
    : impl_(std::make_unique<Impl>()) {
  if (!context->impl_->is_server) context->impl_->read_system_cas();
  impl_->ssl.reset(SSL_new(context->impl_->context.get()));
  SSL* ssl = impl_->ssl.get();
  ASSERT(ssl != nullptr);
  BIO* bio = BIO_new(bio_method());
  ASSERT(bio != nullptr);
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
  if (context->impl_->is_server) {
    SSL_set_accept_state(ssl);
  } else {
    SSL_set_connect_state(ssl);
    X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    const bool is_address = X509_VERIFY_PARAM_set1_ip_asc(wanted, server_name.c_str()) == 1;
    if (!is_address) {
      // Without a name to compare, any certificate of any CA would do.
      ASSERT(!server_name.empty());
      ASSERT(SSL_set1_host(ssl, server_name.c_str()) == 1);
      SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
               const_cast<char*>(server_name.c_str()));
    }
    ERR_clear_error();
  }
  impl_->context = std::move(context);
}

TlsSession::~TlsSession() = default;

TlsSession::State TlsSession::Impl::outcome(int result) {
  const int error = SSL_get_error(ssl.get(), result);
  switch (error) {
    case SSL_ERROR_WANT_READ:
      return State::kWantRead;
    case SSL_ERROR_WANT_WRITE:
      return State::kWantWrite;
    case SSL_ERROR_ZERO_RETURN:
      return State::kClosed;
    default:
      break;
  }
  broken = true;
  const long verdict = SSL_get_verify_result(ssl.get());
  if (!handshaken && !context->impl_->is_server && verdict != X509_V_OK) {
    failure =
        std::string("its certificate is not trusted: ") + X509_verify_cert_error_string(verdict);
  } else if (error == SSL_ERROR_SSL && ERR_peek_error() != 0) {
    failure = explain(ERR_peek_error());
  } else {
    failure = "the TLS connection broke";
  }
  ERR_clear_error();
  return State::kFailed;
}

TlsSession::State TlsSession::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(impl_->ssl.get());
  if (result != 1) return impl_->outcome(result);
  impl_->handshaken = true;
  return State::kDone;
}

TlsSession::State TlsSession::read(void* data, std::size_t size, std::size_t& got) {
  if (impl_->broken) return State::kFailed;
  ERR_clear_error();
  const int result = SSL_read_ex(impl_->ssl.get(), data, size, &got);
  return result == 1 ? State::kDone : impl_->outcome(result);
}

TlsSession::State TlsSession::write(const void* data, std::size_t size, std::size_t& put) {
  if (impl_->broken) return State::kFailed;
  ERR_clear_error();
  const int result = SSL_write_ex(impl_->ssl.get(), data, size, &put);
  return result == 1 ? State::kDone : impl_->outcome(result);
}

void TlsSession::say_goodbye() {
  if (impl_->broken || !impl_->handshaken) return;
  ERR_clear_error();
  SSL_shutdown(impl_->ssl.get());
  ERR_clear_error();
}

const std::string& TlsSession::failure() const {
  return impl_->failure;
}

}  // namespace kith::node
