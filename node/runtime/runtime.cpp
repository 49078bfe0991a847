#include "node/runtime/runtime.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include "node/runtime/rule_files.hpp"
#include "node/runtime/runtime_impl.hpp"
#include "node/runtime/system_clock.hpp"

namespace kith::node {
namespace {

/// How often a node that stops looks whether it is done.
constexpr std::chrono::milliseconds kStopLook{20};

}  // namespace

using std::chrono::milliseconds;

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
