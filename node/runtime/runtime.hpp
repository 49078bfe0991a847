#pragma once

/// The shell around one Agent: event loop, store, HTTP, control socket, clocks. It performs the
/// Agent's effects and hands their results back as events. Used by `kith run` (run) and by commands
/// without a running node (call, settle).
///
/// One thread besides the worker. After a failed write it stops: what is on the disk is then known
/// only after a new start.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/key_ops.hpp"
#include "crypto/limits.hpp"
#include "crypto/result.hpp"
#include "node/keys/key_host.hpp"
#include "node/runtime/alert_rules.hpp"
#include "node/runtime/request.hpp"
#include "node/storage/home.hpp"
#include "node/wiring.hpp"
#include "protocol/store.hpp"

namespace kith::node {

/// Record meta/home: chosen when the home is made.
struct HomeSettings {
  bool test = false;             ///< Short windows; never for real use.
  bool private_network = false;  ///< Addresses of this machine and its network may be contacted.
  template <class V>
  void visit(V& v) {
    v("test", test), v("private_network", private_network);
  }
};

struct RuntimeOptions {
  std::string listen;  ///< "ADDRESS:PORT" ("[::1]:0"); empty: no listener.
  std::string public_url;
  std::size_t connections_per_address = limits::kHttpConnectionsPerAddressMax;
  std::size_t new_connections_per_minute = limits::kHttpNewConnectionsPerMinute;  ///< Per address.
  bool mediate = false;
  bool ledger_serve = false;
  std::string ledger_replica_of;  ///< Keep a copy of the ledger there, and serve it as the ledger.
  bool witness = false;           ///< Cosign checkpoints of the ledgers that this node watches.
  std::vector<std::string> ledger_witnesses;  ///< Of this home's ledger: "VERIFIER-KEY URL".
  std::int64_t ledger_witnesses_needed = 0;   ///< 0: more than half.
  bool private_network = false;
  std::string tls_certificate;  ///< PEM file with the chain: the listener speaks TLS 1.3 alone.
  std::string tls_key;          ///< Its private key, PEM.
  std::string tls_ca;           ///< Further CAs to trust when connecting; empty: the home's ca.pem.
  std::string ledger_login;     ///< File with name and password for a ledger in etcd; then kept.
  protocol::MediationPolicy mediation;  ///< With `mediate`: whom it serves, and how far.
  std::string metrics_listen;           ///< "ADDRESS:PORT" of this machine; empty: no metrics.
  bool keep_agreements = true;          ///< SoftwareKeys::keep_agreements.
  std::int64_t stop_grace_s = 10;       ///< Time for answers under way when the node stops.
  std::string program_digest;           ///< NodeConfig::program_digest.
  bool serve_control = false;           ///< Listen on the home's control socket.
  std::string readers_socket;           ///< With it: where others may read; empty: nowhere.
  std::int64_t auto_lock_s = 0;         ///< Locks after so long without a command; 0: never.
  std::int64_t lock_after_s = 0;        ///< Locks after so long in any case; 0: never.
  std::int64_t wrong_tries = 0;         ///< Wrong passphrases while it was locked.
  AuditOutlets outlets;                 ///< With `serve_control`: the journal, alerts.
  /// For tests: what stands between the agent and its keys. Gets the keys, which outlive it.
  std::function<std::unique_ptr<crypto::KeyOps>(crypto::KeyOps&)> wrap_keys = {};
  /// For tests: what stands between the agent and its disk. Gets the store, which outlives it.
  std::function<std::unique_ptr<protocol::Store>(protocol::Store&)> wrap_store = {};
  std::optional<HomeSettings> new_home;  ///< Set once, by init.
};

/// Hears which hosts and ledgers are waited for; there may be none with a name.
using SayWaiting = std::function<void(const std::vector<std::string>& places)>;
/// So long, what was open before a command has the chance to go on beside it.
inline constexpr std::chrono::milliseconds kOthersGrace{1000};
inline constexpr std::chrono::milliseconds kSilence{3000};

class Runtime {
 public:
  /// Errors: of the store, the listener (bad_url, unreachable), the TLS files (io, bad_key), usage
  /// (options that do not fit).
  [[nodiscard]] static Result<std::unique_ptr<Runtime>> start(Home home,
                                                              std::unique_ptr<KeyHost> keys,
                                                              RuntimeOptions options);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// The last step of making a home (Home::finish_create).
  [[nodiscard]] Result<void> finish_new_home();
  /// `kith init` has come to its end (Home::finish_first_steps).
  [[nodiscard]] Result<void> finish_first_steps();

  /// Until SIGINT, SIGTERM or stop(): takes nothing new, and ends when whoever waits has its
  /// answer, or the grace is over; at once on a second signal. Errors: the store failed, keys_gone.
  [[nodiscard]] Result<void> run();
  void stop();
  /// It stopped in order to be locked.
  [[nodiscard]] bool lock_wanted() const;
  /// At the end: whoever takes over gets the home and its lock.
  [[nodiscard]] Home take_home();

  /// Runs the loop until the reply is there. Errors: timeout, the store failed.
  [[nodiscard]] Result<std::string> call(std::string request_json,
                                         std::chrono::milliseconds timeout);
  /// Runs the loop until no effect is open, or the time has passed. What commands did not begin is
  /// not waited for any longer than `kOthersGrace`. `say` hears once, after `kSilence`, what is
  /// waited for. Errors: the store failed.
  [[nodiscard]] Result<void> settle(std::chrono::milliseconds timeout,
                                    const SayWaiting& say = nullptr);

  /// Makes a ledger on the chain of `url`: EvmLedgers::deploy. Errors: of that, timeout, the store
  /// failed.
  [[nodiscard]] Result<JsonObject> deploy_ledger(const std::string& url,
                                                 std::chrono::milliseconds timeout);

  /// Runs the loop for so long. Errors: the store failed.
  [[nodiscard]] Result<void> run_for(std::chrono::milliseconds time);

  [[nodiscard]] std::uint16_t port() const;          ///< Of the listener; 0 without one.
  [[nodiscard]] std::uint16_t metrics_port() const;  ///< 0: no metrics.
  [[nodiscard]] const std::string& public_url() const;
  [[nodiscard]] const std::string& witness_url() const;  ///< Empty: it is no witness.
  [[nodiscard]] const HomeSettings& settings() const;
  [[nodiscard]] std::string default_ledger_url() const;

 private:
  class Impl;
  explicit Runtime(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kith::node
