#pragma once

/// Wires the rooms of a running node together: who owns whom, in which order they open
/// (runtime_open.cpp), run and close (runtime.cpp). For these two files alone.

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "crypto/random.hpp"
#include "node/control/server.hpp"
#include "node/keys/key_watch.hpp"
#include "node/net/http.hpp"
#include "node/runtime/alert_desk.hpp"
#include "node/runtime/command_desk.hpp"
#include "node/runtime/crash_points.hpp"
#include "node/runtime/effect_runner.hpp"
#include "node/runtime/event_queue.hpp"
#include "node/runtime/ledger_desk.hpp"
#include "node/runtime/links.hpp"
#include "node/runtime/lock_timer.hpp"
#include "node/runtime/metrics.hpp"
#include "node/runtime/reception.hpp"
#include "node/runtime/replica_desk.hpp"
#include "node/runtime/runtime.hpp"
#include "node/runtime/worker.hpp"
#include "node/storage/group_store.hpp"
#include "node/storage/leveldb_store.hpp"

namespace kith::node {

class Runtime::Impl {
 public:
  Impl(Home home, std::unique_ptr<KeyHost> keys, RuntimeOptions options)
      : home_(std::move(home)),
        options_(std::move(options)),
        host_(std::move(keys)),
        keys_(host_->ops()),
        stop_timer_(io_),
        worker_(io_),
        events_(io_) {
    if (!options_.keep_agreements) host_->keep_agreements(0);
    desk_ = std::make_unique<CommandDesk>(events_, worker_, *host_);
  }
  ~Impl() {
    // Callbacks into this object end before its members do.
    alerts_.reset();
    key_watch_.reset();
    locking_.reset();
    metrics_.reset();
    http_.reset();
    control_.reset();
    readers_.reset();
    links_.reset();
    replica_desk_.reset();
    ledger_desk_.reset();
    client_.reset();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> open();
  Result<void> finish_new_home() { return home_.finish_create(); }
  Result<void> finish_first_steps() { return home_.finish_first_steps(); }
  Result<void> run();
  void stop();
  [[nodiscard]] bool lock_wanted() const { return locking_ && locking_->lock_wanted(); }
  [[nodiscard]] Home take_home() { return std::move(home_); }
  Result<std::string> call(std::string request, std::chrono::milliseconds timeout);
  Result<void> settle(std::chrono::milliseconds timeout, const SayWaiting& say);
  Result<void> run_for(std::chrono::milliseconds time);
  Result<JsonObject> deploy_ledger(const std::string& url, std::chrono::milliseconds timeout);

  [[nodiscard]] std::uint16_t port() const { return http_ ? http_->port() : std::uint16_t{0}; }
  [[nodiscard]] std::uint16_t metrics_port() const {
    return metrics_ ? metrics_->port() : std::uint16_t{0};
  }
  [[nodiscard]] const std::string& public_url() const { return options_.public_url; }
  [[nodiscard]] const std::string& witness_url() const { return witness_url_; }
  [[nodiscard]] const HomeSettings& settings() const { return settings_; }
  [[nodiscard]] std::string default_ledger_url() const { return ledger_->default_url(); }

 private:
  Result<void> open_store();
  Result<void> open_clients();
  Result<void> open_listener();
  Result<void> open_ledger();
  Result<void> open_reception();
  Result<void> open_control();
  Result<void> open_metrics();
  Result<void> open_alerts();
  Result<void> start_agent();
  void watch_signals();
  void take_rule_files();
  void watch_for_reload();
  void stop_when_done();
  void look_whether_done(std::chrono::milliseconds after);
  [[nodiscard]] NodeNumbers numbers() const;
  void accuse(const ledger::LedgerEvidence& evidence);
  void watch_ledger();
  [[nodiscard]] NodeConfig agent_config() const;
  template <class Done>
  Result<void> pump(std::chrono::milliseconds timeout, Done done);

  Home home_;
  RuntimeOptions options_;
  crypto::OsRandom random_;
  std::unique_ptr<KeyHost> host_;
  crypto::KeyOps& keys_;
  std::unique_ptr<crypto::KeyOps> wrapped_keys_;
  boost::asio::io_context io_;
  boost::asio::steady_timer stop_timer_;
  std::optional<boost::asio::signal_set> signals_;
  std::optional<boost::asio::signal_set> reload_;
  Worker worker_;
  CrashPoints crash_points_;
  std::unique_ptr<LeveldbStore> disk_;
  std::unique_ptr<protocol::Store> wrapped_store_;
  std::unique_ptr<KeyGuardedStore> guarded_store_;
  std::unique_ptr<CrashingStore> store_;
  std::unique_ptr<GroupStore> group_;  ///< The agent's way to `store_`.
  HomeSettings settings_;
  std::string witness_url_;  ///< Where this node cosigns; empty: it does not.
  std::unique_ptr<HomeLedger> ledger_;
  std::unique_ptr<LedgerDesk> ledger_desk_;
  std::unique_ptr<ReplicaDesk> replica_desk_;
  EventQueue events_;
  WaitingAnswers answers_;
  std::unique_ptr<CommandDesk> desk_;
  std::unique_ptr<Reception> reception_;
  std::unique_ptr<EffectRunner> effects_;
  std::unique_ptr<HttpClient> client_;
  std::unique_ptr<EtcdLedgers> etcd_;
  std::unique_ptr<EvmLedgers> evm_;
  std::unique_ptr<Links> links_;
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<ControlServer> control_;
  std::unique_ptr<ControlServer> readers_;
  std::unique_ptr<HttpServer> metrics_;
  std::unique_ptr<LockTimer> locking_;
  std::unique_ptr<KeyWatch> key_watch_;
  std::unique_ptr<AlertDesk> alerts_;
  std::int64_t stop_deadline_ms_ = 0;  ///< 0: not told to stop.
};

}  // namespace kith::node
