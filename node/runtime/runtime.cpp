#include "node/runtime/runtime.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <map>
#include <utility>

#include "crypto/random.hpp"
#include "crypto/software_keys.hpp"
#include "ledger/ledger_effects.hpp"
#include "ledger/remote/service.hpp"
#include "node/agent.hpp"
#include "node/control/server.hpp"
#include "node/control/socket_path.hpp"
#include "node/inbox.hpp"
#include "node/net/http.hpp"
#include "node/runtime/crash_points.hpp"
#include "node/runtime/ledgers.hpp"
#include "node/runtime/system_clock.hpp"
#include "node/runtime/worker.hpp"
#include "node/storage/leveldb_store.hpp"
#include "node/version.hpp"

namespace kith::node {
namespace {

using protocol::Effect;
using protocol::EffectKind;
using protocol::EffectResult;
using std::chrono::milliseconds;

constexpr std::string_view kEncrypted = "application/didcomm-encrypted+json";
constexpr std::string_view kJson = "application/json";
/// The wall clock may jump; timers are looked at again at least this often.
constexpr milliseconds kLongestNap{60'000};
/// Test wallets look for mail at least this often.
constexpr milliseconds kTestIdle{400};
/// Time for answers under way when the node is told to stop.
constexpr milliseconds kStopGrace{500};

bool is_envelope_type(std::string_view content_type) {
  return content_type.substr(0, content_type.find(';')) == kEncrypted;
}

HttpResponse json_response(unsigned status, const Json& body) {
  return {status, std::string(kJson), crypto::to_bytes(crypto::json_text(body)), {}};
}

HttpResponse error_response(unsigned status, const Error& error) {
  return json_response(status, JsonObject{{"error", to_json(report_of(error))}});
}

unsigned refusal_status(Errc code) {
  if (may_succeed_later(code)) return 503;
  return code == Errc::limit_exceeded ? 413 : 400;
}

/// Statuses that another try may change (RFC 9110); all of 5xx counts.
bool may_change(unsigned status) {
  return status == 408 || status == 413 || status == 429 || status >= 500;
}

bool retryable(Errc code) {
  return code == Errc::unreachable || code == Errc::timeout || code == Errc::limit_exceeded ||
         code == Errc::malformed;
}

struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;
};

Result<ListenAddress> parse_listen(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const auto wrong = [&] {
    return fail(Errc::usage, "--listen takes ADDRESS:PORT, such as 127.0.0.1:8000");
  };
  if (colon == std::string::npos) return wrong();
  ListenAddress address;
  address.host = text.substr(0, colon);
  if (address.host.starts_with('[') && address.host.ends_with(']')) {
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, address.port);
  if (error != std::errc() || stop != end || address.host.empty()) return wrong();
  return address;
}

}  // namespace

class Runtime::Impl {
 public:
  Impl(Home home, UnlockedKeys keys, RuntimeOptions options)
      : home_(std::move(home)),
        options_(std::move(options)),
        keys_(keys.root, random_),
        wakeup_(io_),
        worker_(io_) {
    if (options_.keep_step_up || !home_.keystore().has_passphrase()) {
      step_up_ = std::move(keys.step_up);
    }
    steady_base_ms_ = read_clocks().steady_ms;
  }
  ~Impl() {
    // Callbacks into this object end before its members do.
    http_.reset();
    control_.reset();
    client_.reset();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> open();
  Result<void> finish_new_home() { return home_.finish_create(); }
  Result<void> run();
  void stop();
  Result<std::string> call(std::string request, milliseconds timeout);
  Result<void> settle(milliseconds timeout);
  Result<void> run_for(milliseconds time);

  [[nodiscard]] std::uint16_t port() const { return http_ ? http_->port() : std::uint16_t{0}; }
  [[nodiscard]] const std::string& public_url() const { return options_.public_url; }
  [[nodiscard]] const HomeSettings& settings() const { return settings_; }
  [[nodiscard]] std::string default_ledger_url() const { return ledger_->default_url(); }

 private:
  using After = std::function<void(const Outcome&)>;
  struct Queued {
    Event event;
    After after;
  };

  Result<void> open_store();
  Result<void> open_listener();
  Result<void> open_ledger_service();

  ClockReading clock() const;
  ledger::AnchorTime anchor_now() const { return ledger::anchor_time_ms(read_clocks().wall_ms); }
  void submit(Event event, After after = {});
  void drain();
  void arm();
  void fail_with(Error error);

  void on_request(std::string text, ControlRespond respond);
  void run_command(ControlRequest request, std::optional<SecretBytes> step_up,
                   ControlRespond respond);

  void on_http(HttpRequest request, HttpRespond respond);
  void on_envelope(HttpRequest request, HttpRespond respond);
  void on_invitation(const HttpRespond& respond);

  void perform(const Effect& effect);
  void send(const Effect& effect);
  void answer(const Effect& effect, protocol::SendPayload payload);
  void on_ledger(const Effect& effect, const std::string& ledger_url);
  void fetch_effect(const Effect& effect);
  void finished(const std::string& id, Result<Bytes> outcome, bool retry = false);

  template <class Done>
  Result<void> pump(milliseconds timeout, Done done);

  Home home_;
  RuntimeOptions options_;
  crypto::OsRandom random_;
  crypto::SoftwareKeys keys_;
  std::unique_ptr<crypto::KeyOps> wrapped_keys_;
  std::optional<SecretBytes> step_up_;
  boost::asio::io_context io_;
  boost::asio::steady_timer wakeup_;
  Worker worker_;
  CrashPoints crash_points_;
  std::unique_ptr<LeveldbStore> disk_;
  std::unique_ptr<CrashingStore> store_;
  HomeSettings settings_;
  std::unique_ptr<HomeLedger> ledger_;
  std::unique_ptr<ledger::LedgerService> ledger_service_;
  std::unique_ptr<Agent> agent_;
  std::unique_ptr<HttpClient> client_;
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<ControlServer> control_;
  std::int64_t steady_base_ms_ = 0;

  std::deque<Queued> queue_;
  bool draining_ = false;
  std::optional<Error> failure_;
  std::map<std::string, HttpRespond> channels_;  ///< Requests that wait for their answer.
  std::uint64_t next_channel_ = 0;
};

// --- Start and stop

Result<void> Runtime::Impl::open_store() {
  const char* crash_at = std::getenv("KITH_CRASH_AT");
  TRY(crash_points_, CrashPoints::parse(crash_at == nullptr ? "" : crash_at));
  TRY(disk_, LeveldbStore::open(home_.database(), keys_));
  store_ = std::make_unique<CrashingStore>(*disk_, crash_points_);
  if (options_.new_home) {
    settings_ = *options_.new_home;
    return store_->commit({{{"meta", "home"}, protocol::encode_record(settings_)}});
  }
  TRY(const auto stored, store_->get({"meta", "home"}));
  if (!stored) return fail(Errc::storage_corrupt, "the settings of the home are missing");
  TRY(settings_, protocol::decode_record<HomeSettings>(*stored));
  return {};
}

Result<void> Runtime::Impl::open_listener() {
  if (options_.listen.empty()) {
    if (options_.mediate || options_.ledger_serve) {
      return fail(Errc::usage, "serving others needs --listen");
    }
    return {};
  }
  TRY(const ListenAddress address, parse_listen(options_.listen));
  auto handler = [this](HttpRequest request, HttpRespond respond) {
    on_http(std::move(request), std::move(respond));
  };
  TRY(http_, HttpServer::listen(io_, address.host, address.port, std::move(handler)));
  if (options_.public_url.empty() && options_.mediate) {
    if (address.host == "0.0.0.0" || address.host == "::") {
      return fail(Errc::usage, "name the address that others use with --public-url");
    }
    const bool v6 = address.host.find(':') != std::string::npos;
    options_.public_url = "http://" + (v6 ? "[" + address.host + "]" : address.host) + ":" +
                          std::to_string(http_->port()) + "/";
  }
  return {};
}

Result<void> Runtime::Impl::open_ledger_service() {
  if (!options_.ledger_serve) return {};
  TRY(ledger::Ledger * served, ledger_->open(ledger_->default_url()));
  ledger_service_ = std::make_unique<ledger::LedgerService>(*served);
  return {};
}

Result<void> Runtime::Impl::open() {
  CHECK(open_store());
  ClientOptions client;
  client.policy.allow_private = settings_.private_network || options_.private_network;
  client_ = std::make_unique<HttpClient>(io_, client);
  CHECK(open_listener());
  ledger_ = std::make_unique<HomeLedger>(home_.ledger(), *store_, keys_, random_, settings_.test);
  CHECK(open_ledger_service());

  NodeConfig config;
  config.version = std::string(kVersion);
  config.test_mode = settings_.test;
  config.private_network = client.policy.allow_private;
  config.has_passphrase = home_.keystore().has_passphrase();
  config.mediate = options_.mediate;
  if (settings_.test) config.pickup.idle_max = kTestIdle;
  config.public_url = options_.public_url;
  if (options_.wrap_keys) wrapped_keys_ = options_.wrap_keys(keys_);
  crypto::KeyOps& agent_keys = wrapped_keys_ ? *wrapped_keys_ : keys_;
  agent_ = std::make_unique<Agent>(AgentSeams{*store_, agent_keys, random_, settings_.test},
                                   make_modules(config));
  if (options_.serve_control) {
    TRY(const std::string path, control_socket_path(home_.directory()));
    auto handler = [this](std::string request, ControlRespond respond) {
      on_request(std::move(request), std::move(respond));
    };
    TRY(control_, ControlServer::listen(io_, path, std::move(handler)));
  }
  TRY(const Outcome outcome, agent_->start(clock()));
  for (const Effect& effect : outcome.effects) perform(effect);
  drain();
  if (failure_) return *failure_;
  return {};
}

Result<void> Runtime::Impl::run() {
  boost::asio::signal_set signals(io_, SIGINT, SIGTERM);
  signals.async_wait([this](const boost::system::error_code& error, int) {
    if (!error) stop();
  });
  io_.restart();
  io_.run();
  if (failure_) return *failure_;
  return {};
}

void Runtime::Impl::stop() {
  if (http_) http_->stop();
  if (control_) control_->stop();
  if (client_) client_->close_idle();
  wakeup_.expires_after(kStopGrace);
  wakeup_.async_wait([this](const boost::system::error_code&) { io_.stop(); });
}

void Runtime::Impl::fail_with(Error error) {
  if (failure_) return;
  failure_ = std::move(error);
  queue_.clear();
  io_.stop();
}

template <class Done>
Result<void> Runtime::Impl::pump(milliseconds timeout, Done done) {
  const std::int64_t deadline_ms = read_clocks().steady_ms + timeout.count();
  while (!done() && !failure_) {
    const std::int64_t left_ms = deadline_ms - read_clocks().steady_ms;
    if (left_ms <= 0) return fail(Errc::timeout);
    if (io_.stopped()) io_.restart();
    io_.run_one_for(milliseconds{std::min<std::int64_t>(left_ms, 100)});
  }
  if (failure_) return *failure_;
  return {};
}

Result<std::string> Runtime::Impl::call(std::string request, milliseconds timeout) {
  auto reply = std::make_shared<std::optional<std::string>>();
  on_request(std::move(request), [reply](std::string text) { *reply = std::move(text); });
  CHECK(pump(timeout, [&] { return reply->has_value(); }));
  return **reply;
}

Result<void> Runtime::Impl::settle(milliseconds timeout) {
  const auto settled = pump(timeout, [&] { return agent_->idle() && queue_.empty(); });
  if (settled.has_value() || settled.error() == Errc::timeout) return {};
  return settled;
}

Result<void> Runtime::Impl::run_for(milliseconds time) {
  const auto ended = pump(time, [] { return false; });
  if (ended.has_value() || ended.error() == Errc::timeout) return {};
  return ended;
}

// --- Events

ClockReading Runtime::Impl::clock() const {
  const MachineClocks now = read_clocks();
  return {protocol::from_epoch_ms(now.wall_ms), Duration{now.steady_ms - steady_base_ms_}};
}

void Runtime::Impl::submit(Event event, After after) {
  if (failure_) return;
  queue_.push_back({std::move(event), std::move(after)});
  drain();
}

/// Events are handled one after the other; those that effects cause at once wait in the queue.
void Runtime::Impl::drain() {
  if (draining_ || !agent_) return;
  draining_ = true;
  while (!queue_.empty() && !failure_) {
    const Queued next = std::move(queue_.front());
    queue_.pop_front();
    const auto outcome = agent_->handle(next.event, clock());
    if (!outcome.has_value()) {
      fail_with(outcome.error());
      break;
    }
    for (const Effect& effect : outcome->effects) perform(effect);
    if (next.after) next.after(*outcome);
  }
  draining_ = false;
  if (!failure_) arm();
}

void Runtime::Impl::arm() {
  const ClockReading now = clock();
  Duration nap = kLongestNap;
  if (agent_->next_wakeup() < now.now + kLongestNap) {
    nap = std::max(Duration{0}, agent_->next_wakeup() - now.now);
  }
  wakeup_.expires_after(nap);
  wakeup_.async_wait([this](const boost::system::error_code& error) {
    if (!error) submit(WokenUp{});
  });
}

// --- Commands

void Runtime::Impl::on_request(std::string text, ControlRespond respond) {
  auto request = parse_request(text);
  if (!request.has_value()) return respond(encode_reply(request.error()));
  if (step_up_) return run_command(std::move(*request), step_up_->clone(), std::move(respond));
  if (!request->passphrase) return run_command(std::move(*request), {}, std::move(respond));

  auto shared = std::make_shared<ControlRequest>(std::move(*request));
  auto keystore = std::make_shared<Keystore>(home_.keystore().clone());
  const auto started = worker_.run(
      [keystore, shared]() -> Result<UnlockedKeys> {
        return keystore->unlock(&*shared->passphrase);
      },
      [this, shared, respond](Result<UnlockedKeys> keys) {
        if (!keys.has_value()) return respond(encode_reply(keys.error()));
        run_command(std::move(*shared), std::move(keys->step_up), respond);
      });
  if (!started.has_value()) respond(encode_reply(started.error()));
}

void Runtime::Impl::run_command(ControlRequest request, std::optional<SecretBytes> step_up,
                                ControlRespond respond) {
  protocol::Command command{
      std::move(request.id), std::move(request.command), std::move(request.args), {}};
  if (step_up) command.step_up = keys_.hold_step_up(std::move(*step_up));
  const auto held = command.step_up;
  submit(CommandGiven{std::move(command)}, [this, held, respond](const Outcome& outcome) {
    if (held) keys_.drop_step_up(*held);
    respond(encode_reply(outcome.reply ? *outcome.reply : Result<JsonObject>(JsonObject{})));
  });
  if (failure_) respond(encode_reply(*failure_));
}

// --- HTTP

void Runtime::Impl::on_http(HttpRequest request, HttpRespond respond) {
  const std::string target =
      request.query.empty() ? request.path : request.path + "?" + request.query;
  if (ledger_service_ && ledger::LedgerService::handles(target)) {
    const auto reply = ledger_service_->handle(
        {request.method, target, std::string(crypto::as_text(request.body))}, anchor_now());
    return respond(HttpResponse{static_cast<unsigned>(reply.status),
                                reply.content_type,
                                crypto::to_bytes(std::string_view(reply.body)),
                                {}});
  }
  if (request.method == "GET" && request.path == "/invitation" && options_.mediate) {
    return on_invitation(respond);
  }
  if (request.method == "POST") return on_envelope(std::move(request), std::move(respond));
  respond(error_response(404, fail(Errc::not_found)));
}

void Runtime::Impl::on_envelope(HttpRequest request, HttpRespond respond) {
  if (!is_envelope_type(request.content_type)) {
    return respond(error_response(415, fail(Errc::unsupported, std::string(kEncrypted))));
  }
  const std::string channel = "c" + std::to_string(next_channel_++);
  channels_[channel] = std::move(respond);
  submit(EnvelopeArrived{std::move(request.body), channel}, [this, channel](const Outcome& out) {
    auto waiting = channels_.extract(channel);
    if (waiting.empty()) return;  // Answered.
    if (out.refused) {
      return waiting.mapped()(error_response(refusal_status(out.refused->code), *out.refused));
    }
    waiting.mapped()({202, {}, {}, {}});
  });
}

void Runtime::Impl::on_invitation(const HttpRespond& respond) {
  Command command{"http-" + crypto::hex(random_.bytes(8)), "mediator-invitation", {}, {}};
  submit(CommandGiven{std::move(command)}, [respond](const Outcome& outcome) {
    if (!outcome.reply || !outcome.reply->has_value()) {
      return respond(error_response(503, fail(Errc::wrong_state)));
    }
    respond(json_response(200, **outcome.reply));
  });
}

// --- Effects

void Runtime::Impl::finished(const std::string& id, Result<Bytes> outcome, bool retry) {
  submit(EffectResult{id, std::move(outcome), retry});
}

void Runtime::Impl::perform(const Effect& effect) {
  crash_points_.pass("effect");
  if (effect.kind == EffectKind::send) return send(effect);
  const std::string ledger_url = ledger::ledger_of(effect);
  if (!ledger_url.empty()) return on_ledger(effect, ledger_url);
  if (effect.kind == EffectKind::fetch) return fetch_effect(effect);
  finished(effect.id, fail(Errc::unsupported, "no ledger is named"));
}

void Runtime::Impl::send(const Effect& effect) {
  auto payload = protocol::decode_record<protocol::SendPayload>(effect.payload);
  if (!payload.has_value()) return finished(effect.id, payload.error());
  if (!payload->channel.empty()) return answer(effect, std::move(*payload));
  HttpCall call;
  call.url = payload->uri;
  call.content_type = std::string(kEncrypted);
  call.body = std::move(payload->packed);
  client_->request(std::move(call), [this, id = effect.id](Result<HttpReply> reply) {
    if (!reply.has_value()) {
      return finished(id, reply.error(), retryable(reply.error().code));
    }
    if (reply->status < 200 || reply->status > 299) {
      const bool again = may_change(reply->status);
      return finished(id,
                      fail(again ? Errc::unreachable : Errc::refused,
                           "answered with " + std::to_string(reply->status)),
                      again);
    }
    // The answer first: if the node stops in between, the message is sent again, not its answer
    // lost.
    if (is_envelope_type(reply->content_type) && !reply->body.empty()) {
      submit(EnvelopeArrived{std::move(reply->body), {}});
    }
    finished(id, Bytes{});
  });
}

void Runtime::Impl::answer(const Effect& effect, protocol::SendPayload payload) {
  auto waiting = channels_.extract(payload.channel);
  if (waiting.empty()) {
    return finished(effect.id, fail(Errc::unreachable, "the connection is closed"));
  }
  waiting.mapped()({200, std::string(kEncrypted), std::move(payload.packed), {}});
  finished(effect.id, Bytes{});
}

void Runtime::Impl::on_ledger(const Effect& effect, const std::string& ledger_url) {
  if (HomeLedger::is_local(ledger_url)) {
    const auto local = ledger_->open(ledger_url);
    if (!local.has_value()) return finished(effect.id, local.error());
    submit(ledger::perform_on(**local, effect, anchor_now()));
    return;
  }
  auto question = ledger::question_of(effect);
  if (!question.has_value()) return finished(effect.id, question.error());
  HttpCall call;
  call.method = question->method;
  call.url = question->target;
  call.body = crypto::to_bytes(std::string_view(question->body));
  if (!call.body.empty()) call.content_type = std::string(kJson);
  client_->request(std::move(call), [this, effect](Result<HttpReply> reply) {
    if (!reply.has_value() && !retryable(reply.error().code)) {
      return finished(effect.id, reply.error());
    }
    if (!reply.has_value()) return submit(ledger::result_of(effect, reply.error()));
    submit(ledger::result_of(effect,
                             ledger::HttpReply{static_cast<int>(reply->status), reply->content_type,
                                               std::string(crypto::as_text(reply->body))}));
  });
}

void Runtime::Impl::fetch_effect(const Effect& effect) {
  const auto payload = protocol::decode_record<protocol::FetchPayload>(effect.payload);
  if (!payload.has_value()) return finished(effect.id, payload.error());
  HttpCall call;
  call.method = "GET";
  call.url = payload->url;
  client_->request(std::move(call), [this, id = effect.id](Result<HttpReply> reply) {
    if (!reply.has_value()) {
      return finished(id, reply.error(), retryable(reply.error().code));
    }
    if (reply->status == 200) return finished(id, std::move(reply->body));
    finished(id, fail(Errc::unreachable, "answered with " + std::to_string(reply->status)),
             may_change(reply->status));
  });
}

// --- The facade

Result<std::unique_ptr<Runtime>> Runtime::start(Home home, UnlockedKeys keys,
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
Result<void> Runtime::run() {
  return impl_->run();
}
void Runtime::stop() {
  impl_->stop();
}
Result<std::string> Runtime::call(std::string request_json, milliseconds timeout) {
  return impl_->call(std::move(request_json), timeout);
}
Result<void> Runtime::settle(milliseconds timeout) {
  return impl_->settle(timeout);
}
std::uint16_t Runtime::port() const {
  return impl_->port();
}
const std::string& Runtime::public_url() const {
  return impl_->public_url();
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

}  // namespace kith::node
