// How a node opens, room by room; the order stands in Runtime::Impl::open.

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "ledger/witness_module.hpp"
#include "node/control/socket_path.hpp"
#include "node/runtime/fetch.hpp"
#include "node/runtime/listen_address.hpp"
#include "node/runtime/runtime_impl.hpp"
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

/// As far as the system lets us; the listener refuses what does not fit.
void raise_file_limit() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= kFilesWanted) return;
  files.rlim_cur = std::min(files.rlim_max, kFilesWanted);
  ::setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace

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
                    {{"kind", alert.kind}, {"text", alert_words(alert)}},
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

}  // namespace kith::node
