#include "node/runtime/runtime.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "crypto/random.hpp"
#include "ledger/witness_module.hpp"
#include "node/control/server.hpp"
#include "node/control/socket_path.hpp"
#include "node/keys/key_watch.hpp"
#include "node/net/http.hpp"
#include "node/runtime/alert_desk.hpp"
#include "node/runtime/command_desk.hpp"
#include "node/runtime/crash_points.hpp"
#include "node/runtime/effect_runner.hpp"
#include "node/runtime/event_queue.hpp"
#include "node/runtime/fetch.hpp"
#include "node/runtime/ledger_desk.hpp"
#include "node/runtime/links.hpp"
#include "node/runtime/listen_address.hpp"
#include "node/runtime/lock_timer.hpp"
#include "node/runtime/metrics.hpp"
#include "node/runtime/reception.hpp"
#include "node/runtime/replica_desk.hpp"
#include "node/runtime/rule_files.hpp"
#include "node/runtime/system_clock.hpp"
#include "node/runtime/worker.hpp"
#include "node/storage/group_store.hpp"
#include "node/storage/leveldb_store.hpp"
#include "node/version.hpp"

namespace kith::node {
namespace {

using std::chrono::milliseconds;

/// Test wallets look for mail at least this often.
constexpr milliseconds kTestIdle{400};
/// ... and for their mediator.
constexpr milliseconds kTestReconnect{2000};
/// ... and compare its list of their DIDs with their own.
constexpr milliseconds kTestDidCheck{3000};
/// Files for kConnectionsMax connections and as many others.
constexpr rlim_t kFilesWanted = 8192;
/// How often a node that stops looks whether it is done.
constexpr milliseconds kStopLook{20};

/// As far as the system lets us; the listener refuses what does not fit.
void raise_file_limit() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= kFilesWanted) return;
  files.rlim_cur = std::min(files.rlim_max, kFilesWanted);
  ::setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace

/// Wires the rooms together: who owns whom, in which order they open and close.
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
  Result<std::string> call(std::string request, milliseconds timeout);
  Result<void> settle(milliseconds timeout, const SayWaiting& say);
  Result<void> run_for(milliseconds time);
  Result<JsonObject> deploy_ledger(const std::string& url, milliseconds timeout);

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
  void look_whether_done(milliseconds after);
  [[nodiscard]] NodeNumbers numbers() const;
  void accuse(const ledger::LedgerEvidence& evidence);
  void watch_ledger();
  [[nodiscard]] NodeConfig agent_config() const;
  template <class Done>
  Result<void> pump(milliseconds timeout, Done done);

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

Result<void> Runtime::Impl::open_store() {
  const char* crash_at = std::getenv("KITH_CRASH_AT");
  TRY(crash_points_, CrashPoints::parse(crash_at == nullptr ? "" : crash_at));
  TRY(disk_, LeveldbStore::open(home_.database(), keys_));
  if (options_.wrap_store) wrapped_store_ = options_.wrap_store(*disk_);
  protocol::Store& inner = wrapped_store_ ? *wrapped_store_ : *disk_;
  guarded_store_ = std::make_unique<KeyGuardedStore>(inner, *host_);
  store_ = std::make_unique<CrashingStore>(*guarded_store_, crash_points_);
  if (options_.new_home) {
    settings_ = *options_.new_home;
    return store_->commit({{{"meta", "home"}, protocol::encode_record(settings_)}});
  }
  TRY(const auto stored, store_->get({"meta", "home"}));
  if (!stored) return fail(Errc::storage_corrupt, "the settings of the home are missing");
  TRY(settings_, protocol::decode_record<HomeSettings>(*stored));
  return {};
}

Result<void> Runtime::Impl::open_clients() {
  ClientOptions client;
  client.policy.allow_private = settings_.private_network || options_.private_network;
  TRY(client.tls, trust_of(home_.directory(), options_.tls_ca));
  client_ = std::make_unique<HttpClient>(io_, client);
  TRY(auto login, ledger_login(*store_, options_.ledger_login));
  etcd_ = std::make_unique<EtcdLedgers>(io_, *client_, random_, std::move(login), settings_.test);
  evm_ = std::make_unique<EvmLedgers>(io_, *client_, *store_, keys_, settings_.test);
  desk_->add("ledger-account", [this](const JsonObject&) { return evm_->account(); });
  LinkOptions links;
  links.connect.policy = client.policy;
  links.connect.tls = client.tls;
  links.prefix = "w" + crypto::hex(random_.bytes(8)) + "-";
  links_ = std::make_unique<Links>(io_, events_, std::move(links));
  return {};
}

Result<void> Runtime::Impl::open_listener() {
  if (options_.tls_certificate.empty() != options_.tls_key.empty()) {
    return fail(Errc::usage, "--tls-cert and --tls-key belong together");
  }
  if (options_.listen.empty()) {
    if (!options_.tls_certificate.empty()) return fail(Errc::usage, "--tls-cert needs --listen");
    if (options_.mediate || options_.ledger_serve || options_.witness) {
      return fail(Errc::usage, "serving others needs --listen");
    }
    return {};
  }
  TRY(const ListenAddress address, parse_listen(options_.listen));
  auto handler = [this](HttpRequest request, HttpRespond respond) {
    reception_->handle(std::move(request), std::move(respond));
    watch_ledger();
  };
  ServerExtras extras;
  extras.on_websocket = [this](std::unique_ptr<WebSocket> socket) {
    links_->adopt(std::move(socket));
  };
  const bool secure = !options_.tls_certificate.empty();
  if (secure) {
    TRY(extras.tls, TlsContext::server(options_.tls_certificate, options_.tls_key));
  }
  raise_file_limit();
  ServerLimits limits;
  limits.connections_per_address = options_.connections_per_address;
  limits.new_connections_per_minute = options_.new_connections_per_minute;
  TRY(http_, HttpServer::listen(io_, address.host, address.port, std::move(handler), limits,
                                std::move(extras)));
  if (options_.witness) {
    witness_url_ = options_.public_url;
    if (witness_url_.empty()) {
      TRY(witness_url_, url_of(address.host, http_->port(), secure));
    }
    while (witness_url_.ends_with('/')) witness_url_.pop_back();
    witness_url_ += ledger::kWitnessPath;
  }
  if (options_.public_url.empty() && options_.mediate) {
    TRY(options_.public_url, url_of(address.host, http_->port(), secure));
  }
  return {};
}

Result<void> Runtime::Impl::open_ledger() {
  TRY(HomeWitnesses witnesses,
      home_witnesses(options_.ledger_witnesses, options_.ledger_witnesses_needed));
  ledger_ = std::make_unique<HomeLedger>(home_.ledger(), *store_, keys_, random_, settings_.test,
                                         std::move(witnesses));
  ledger_desk_ = std::make_unique<LedgerDesk>(
      io_, *client_, *ledger_, [this](const Error& error) { events_.fail_with(error); });
  desk_->add("ledger-host", [this](const JsonObject&) { return ledger_desk_->report(); });
  replica_desk_ = std::make_unique<ReplicaDesk>(
      io_, *client_, *store_, home_.ledger_copy(),
      [this](const ledger::LedgerEvidence& evidence) { accuse(evidence); },
      [this](const Error& error) { events_.fail_with(error); });
  desk_->add("ledger-replica", [this](const JsonObject&) { return replica_desk_->report(); });
  return {};
}

Result<void> Runtime::Impl::open_reception() {
  Services services;
  services.mediate = options_.mediate;
  services.witness = options_.witness;
  if (!options_.ledger_replica_of.empty()) {
    CHECK(replica_desk_->follow(options_.ledger_replica_of));
    services.ledger = [this](const ledger::HttpQuestion& question, LedgerDesk::Respond respond) {
      replica_desk_->handle(question, respond);
    };
  } else if (options_.ledger_serve) {
    CHECK(ledger_desk_->serve());
    services.ledger = [this](const ledger::HttpQuestion& question, LedgerDesk::Respond respond) {
      ledger_desk_->handle(question, std::move(respond));
    };
  }
  reception_ = std::make_unique<Reception>(events_, answers_, random_, services);
  return {};
}

Result<void> Runtime::Impl::open_control() {
  if (!options_.serve_control) return {};
  TRY(const std::string path, control_socket_path(home_.directory()));
  locking_ = std::make_unique<LockTimer>(io_, options_.auto_lock_s, options_.lock_after_s,
                                         host_->has_passphrase(), [this] { stop(); });
  locking_->add_to(*desk_);
  auto handler = [this](std::string request, ControlRespond respond) {
    locking_->used();
    desk_->handle(std::move(request), std::move(respond));
  };
  TRY(control_, ControlServer::listen(io_, path, std::move(handler)));
  if (options_.readers_socket.empty()) return {};
  auto read_only = [this](std::string request, ControlRespond respond) {
    desk_->handle_reader(std::move(request), std::move(respond));
  };
  ControlLimits limits;
  limits.peers = ControlPeers::group;
  TRY(readers_, ControlServer::listen(io_, options_.readers_socket, std::move(read_only), limits));
  return {};
}

NodeNumbers Runtime::Impl::numbers() const {
  NodeNumbers now;
  now.events = events_.counts();
  now.open_effects = events_.idle() ? 0 : 1;
  now.connections = http_ ? http_->connection_count() : 0;
  now.waiting_answers = answers_.size();
  now.mediates = options_.mediate;
  now.policy = options_.mediation;
  const auto stored = store_->get({"meta", "mail-total"});
  if (stored.has_value() && stored->has_value()) {
    const auto use = protocol::decode_record<protocol::MailUse>(**stored);
    if (use.has_value()) now.mail = *use;
  }
  return now;
}

Result<void> Runtime::Impl::open_metrics() {
  if (options_.metrics_listen.empty()) return {};
  TRY(const ListenAddress address, parse_metrics_listen(options_.metrics_listen));
  auto handler = [this](const HttpRequest& request, const HttpRespond& respond) {
    if (request.method != "GET" || request.path != "/metrics") return respond({404, {}, {}, {}});
    respond({200,
             "text/plain; version=0.0.4; charset=utf-8",
             crypto::to_bytes(prometheus_text(metrics_of(numbers()))),
             {}});
  };
  TRY(metrics_, HttpServer::listen(io_, address.host, address.port, std::move(handler)));
  return {};
}

/// Before the agent starts: what it notes then is told too.
Result<void> Runtime::Impl::open_alerts() {
  if (!options_.serve_control) {
    desk_->add("alerts-test", [](const JsonObject&) -> Result<JsonObject> {
      return fail(Errc::wrong_state, "alerts come from a node that runs: kith run");
    });
    return {};
  }
  auto notice = [this](const Alert& alert, const AlertDone& done) {
    Command command{"alert-" + crypto::hex(random_.bytes(8)),
                    "alert-notice",
                    {{"kind", alert.kind}, {"text", alert.text}},
                    {}};
    events_.submit(CommandGiven{std::move(command)}, [done](const Result<Outcome>& outcome) {
      done(outcome.has_value() ? "" : "it could not be stored");
    });
  };
  TRY(alerts_, AlertDesk::open(io_, *store_, options_.outlets, std::move(notice)));
  alerts_->add_to(*desk_);
  return {};
}

NodeConfig Runtime::Impl::agent_config() const {
  NodeConfig config;
  config.version = std::string(kVersion);
  config.program_digest = options_.program_digest;
  config.keystore_mark = home_.keystore_mark();
  config.test_mode = settings_.test;
  config.private_network = settings_.private_network || options_.private_network;
  config.has_passphrase = host_->has_passphrase();
  config.mediate = options_.mediate;
  config.mediation = options_.mediation;
  // A node that runs for one command only would open a connection to close it again.
  config.pickup.live = options_.serve_control;
  if (settings_.test) {
    config.pickup.idle_max = kTestIdle;
    config.pickup.did_check = kTestDidCheck;
    config.pickup.reconnect_max = kTestReconnect;
  }
  config.public_url = options_.public_url;
  config.witness_url = witness_url_;
  return config;
}

Result<void> Runtime::Impl::start_agent() {
  if (options_.wrap_keys) wrapped_keys_ = options_.wrap_keys(keys_);
  crypto::KeyOps& agent_keys = wrapped_keys_ ? *wrapped_keys_ : keys_;
  effects_ = std::make_unique<EffectRunner>(
      EffectTools{*client_, *links_, *ledger_desk_, *etcd_, *evm_, answers_, crash_points_},
      [this](Event event) { events_.submit(std::move(event)); });
  group_ = std::make_unique<GroupStore>(*store_);
  auto agent = std::make_unique<Agent>(AgentSeams{*group_, agent_keys, random_, settings_.test},
                                       make_modules(agent_config()));
  if (!options_.serve_control) events_.watch_commands();
  return events_.start(
      std::move(agent), *group_,
      [this](const protocol::Effect& effect) {
        effects_->perform(effect);
        watch_ledger();
      },
      [this] { stop(); });
}

/// One unit of work: evidence is a record like others.
void Runtime::Impl::accuse(const ledger::LedgerEvidence& evidence) {
  JsonObject args{{"evidence", crypto::json_text(ledger::evidence_json(evidence))}};
  Command command{"copy-" + crypto::hex(random_.bytes(8)), "ledger-accuse", std::move(args), {}};
  events_.submit(CommandGiven{std::move(command)});
}

/// A ledger that cannot write stops the node as a store does: it would refuse everything for good.
void Runtime::Impl::watch_ledger() {
  if (const auto failure = ledger_->failure()) events_.fail_with(*failure);
}

Result<void> Runtime::Impl::open() {
  CHECK(open_store());
  CHECK(open_clients());
  CHECK(open_listener());
  CHECK(open_ledger());
  CHECK(open_reception());
  CHECK(open_control());
  CHECK(open_metrics());
  CHECK(open_alerts());
  TRY(key_watch_,
      KeyWatch::start(io_, *host_, [this] { events_.fail_with(fail(Errc::keys_gone)); }));
  if (options_.serve_control) watch_signals();
  CHECK(start_agent());
  if (options_.wrong_tries > 0) desk_->note_wrong_passphrases(options_.wrong_tries);
  if (!options_.serve_control) return {};
  watch_for_reload();
  take_rule_files();
  return {};
}

/// Hands the policy documents of the home to the agent; its owner is told of those that it cannot
/// take, and those before stay in force.
void Runtime::Impl::take_rule_files() {
  const auto submit = [this](std::string_view name, JsonObject args, EventQueue::After after) {
    Command command{"rules-" + crypto::hex(random_.bytes(8)), std::string(name), std::move(args),
                    host_->standing()};
    events_.submit(CommandGiven{std::move(command)}, std::move(after));
  };
  const auto tell = [submit](const Error& error) {
    submit("policy-load-failed", {{"why", error.detail}}, {});
  };
  auto files = read_rule_files(home_.directory());
  if (!files.has_value()) return tell(files.error());
  submit("policy-load", std::move(*files), [tell](const Result<Outcome>& outcome) {
    if (!outcome.has_value() || !outcome->reply || outcome->reply->has_value()) return;
    tell(outcome->reply->error());
  });
}

void Runtime::Impl::watch_for_reload() {
  if (!reload_) reload_.emplace(io_, SIGHUP);
  reload_->async_wait([this](const boost::system::error_code& error, int) {
    if (error || stop_deadline_ms_ != 0) return;
    take_rule_files();
    watch_for_reload();
  });
}

/// From here on the process ends in order; whoever is told that the node runs may rely on it.
void Runtime::Impl::watch_signals() {
  signals_.emplace(io_, SIGINT, SIGTERM);
  signals_->async_wait([this](const boost::system::error_code& error, int) {
    if (error) return;
    signals_->async_wait([this](const boost::system::error_code& second, int) {
      if (!second) io_.stop();  // Nothing acknowledged is lost: it was synced before.
    });
    stop();
  });
}

Result<void> Runtime::Impl::run() {
  io_.restart();
  io_.run();
  if (events_.failure()) return *events_.failure();
  return {};
}

/// Takes nothing new; whoever waits for an answer gets it within the grace.
void Runtime::Impl::stop() {
  if (stop_deadline_ms_ != 0) return;
  stop_deadline_ms_ = read_clocks().steady_ms + options_.stop_grace_s * 1000;
  if (http_) http_->stop();
  if (control_) control_->stop();
  if (readers_) readers_->stop();
  if (locking_) locking_->stop();
  if (key_watch_) key_watch_->stop();
  if (links_) links_->stop();
  if (metrics_) metrics_->stop();
  if (client_) client_->close_idle();
  look_whether_done(milliseconds{0});
}

/// Sends that are still open are in the store and go on after the next start.
void Runtime::Impl::stop_when_done() {
  const bool answered = answers_.size() == 0 && (!http_ || http_->connection_count() == 0) &&
                        (!control_ || control_->connection_count() == 0);
  if (answered || read_clocks().steady_ms >= stop_deadline_ms_) return io_.stop();
  look_whether_done(kStopLook);
}

void Runtime::Impl::look_whether_done(milliseconds after) {
  stop_timer_.expires_after(after);
  stop_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) stop_when_done();
  });
}

template <class Done>
Result<void> Runtime::Impl::pump(milliseconds timeout, Done done) {
  const std::int64_t deadline_ms = read_clocks().steady_ms + timeout.count();
  while (!done() && !events_.failure()) {
    const std::int64_t left_ms = deadline_ms - read_clocks().steady_ms;
    if (left_ms <= 0) return fail(Errc::timeout);
    if (io_.stopped()) io_.restart();
    io_.run_one_for(milliseconds{std::min<std::int64_t>(left_ms, 100)});
  }
  if (events_.failure()) return *events_.failure();
  return {};
}

Result<std::string> Runtime::Impl::call(std::string request, milliseconds timeout) {
  auto reply = std::make_shared<std::optional<std::string>>();
  desk_->handle(std::move(request), [reply](std::string text) { *reply = std::move(text); });
  CHECK(pump(timeout, [&] { return reply->has_value(); }));
  return **reply;
}

Result<void> Runtime::Impl::settle(milliseconds timeout, const SayWaiting& say) {
  const std::int64_t begin_ms = read_clocks().steady_ms;
  const auto has_passed = [&](milliseconds time) {
    return read_clocks().steady_ms - begin_ms >= time.count();
  };
  bool said = !say;
  const auto settled = pump(timeout, [&] {
    if (events_.commands_over()) return events_.idle() || has_passed(kOthersGrace);
    if (!said && has_passed(kSilence)) {
      said = true;
      say(events_.waits_for());
    }
    return false;
  });
  if (settled.has_value() || settled.error() == Errc::timeout) return {};
  return settled;
}

Result<void> Runtime::Impl::run_for(milliseconds time) {
  const auto ended = pump(time, [] { return false; });
  if (ended.has_value() || ended.error() == Errc::timeout) return {};
  return ended;
}

Result<JsonObject> Runtime::Impl::deploy_ledger(const std::string& url, milliseconds timeout) {
  // Later than the timeout the answer is still written, to nobody.
  const auto deployed = std::make_shared<std::optional<Result<JsonObject>>>();
  evm_->deploy(url, [deployed](Result<JsonObject> made) { *deployed = std::move(made); });
  CHECK(pump(timeout, [&] { return deployed->has_value(); }));
  if (!*deployed) return fail(Errc::timeout);
  return std::move(**deployed);
}

// --- The facade

Result<std::unique_ptr<Runtime>> Runtime::start(Home home, std::unique_ptr<KeyHost> keys,
                                                RuntimeOptions options) {
  auto impl = std::make_unique<Impl>(std::move(home), std::move(keys), std::move(options));
  CHECK(impl->open());
  return std::unique_ptr<Runtime>(new Runtime(std::move(impl)));
}

Runtime::Runtime(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Runtime::~Runtime() = default;
Result<void> Runtime::finish_new_home() {
  return impl_->finish_new_home();
}
Result<void> Runtime::finish_first_steps() {
  return impl_->finish_first_steps();
}
Result<void> Runtime::run() {
  return impl_->run();
}
void Runtime::stop() {
  impl_->stop();
}
bool Runtime::lock_wanted() const {
  return impl_->lock_wanted();
}
Home Runtime::take_home() {
  return impl_->take_home();
}
Result<std::string> Runtime::call(std::string request_json, milliseconds timeout) {
  return impl_->call(std::move(request_json), timeout);
}
Result<void> Runtime::settle(milliseconds timeout, const SayWaiting& say) {
  return impl_->settle(timeout, say);
}
std::uint16_t Runtime::port() const {
  return impl_->port();
}
std::uint16_t Runtime::metrics_port() const {
  return impl_->metrics_port();
}
const std::string& Runtime::public_url() const {
  return impl_->public_url();
}
const std::string& Runtime::witness_url() const {
  return impl_->witness_url();
}
const HomeSettings& Runtime::settings() const {
  return impl_->settings();
}
std::string Runtime::default_ledger_url() const {
  return impl_->default_ledger_url();
}
Result<void> Runtime::run_for(milliseconds time) {
  return impl_->run_for(time);
}
Result<JsonObject> Runtime::deploy_ledger(const std::string& url, milliseconds timeout) {
  return impl_->deploy_ledger(url, timeout);
}

}  // namespace kith::node
