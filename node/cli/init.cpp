#include "crypto/random.hpp"
#include "ledger/descriptor.hpp"
#include "ledger/etcd/address.hpp"
#include "ledger/evm/location.hpp"
#include "node/cli/commands.hpp"
#include "node/cli/first_steps.hpp"
#include "node/cli/recovery_offer.hpp"
#include "node/cli/terminal.hpp"
#include "node/net/url_policy.hpp"
#include "node/runtime/fetch.hpp"

namespace kith::node {
namespace {

constexpr std::int64_t kWaitForPeople = 1800;

bool asks_person(const Invocation& invocation) {
  return is_terminal() && !invocation.yes && !invocation.json;
}

std::int64_t people_wait_s(const Invocation& invocation) {
  return invocation.wait_seconds(kWaitForPeople);
}

Result<void> check_url(const std::string& url) {
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    return fail(Errc::bad_url,
                "use http://HOST, https://HOST or, for a ledger, etcd://HOST,..., "
                "evm://HOST/CHAIN/0x... or leveldb:DIR");
  }
  CHECK(parse_http_url(url, UrlPolicy{true}));
  return {};
}

Result<void> check_ledger(const std::string& url) {
  if (ledger::is_home_ledger(url)) return {};
  if (ledger::evm::is_url(url)) {
    TRY(const ledger::evm::Location where, ledger::evm::Location::parse(url));
    return check_url(where.rpc_url());
  }
  if (!ledger::is_etcd_url(url)) return check_url(url);
  TRY(const ledger::EtcdAddress address, ledger::EtcdAddress::parse(url));
  for (std::size_t i = 0; i < address.servers.size(); ++i) CHECK(check_url(address.base_url(i)));
  return {};
}

/// Asks again until the address could be one; Enter: none.
std::string ask_mediator() {
  while (true) {
    const auto url = ask("Address of a mediator that keeps your mail (Enter: none for now)");
    if (!url || url->empty()) return {};
    const auto good = check_url(*url);
    if (good.has_value()) return *url;
    say_progress(report_of(good.error()).message);
  }
}

/// Fills what the options leave open; every Enter is a safe answer.
Result<Wishes> gather(const Invocation& invocation) {
  Wishes wishes;
  wishes.name = invocation.value("--name");
  wishes.ledger = invocation.value("--ledger");
  wishes.mediator = invocation.value("--mediator");
  wishes.with_identity = !invocation.has("--no-identity");
  wishes.test = invocation.has("--test");
  wishes.ca_file = invocation.value("--tls-ca");
  wishes.login_file = invocation.value("--ledger-login");
  if (!wishes.mediator.empty()) CHECK(check_url(wishes.mediator));
  if (!wishes.ledger.empty()) CHECK(check_ledger(wishes.ledger));
  if (asks_person(invocation) && wishes.with_identity) {
    if (!invocation.has("--name")) {
      wishes.name = ask("What should others call you? (Enter: nothing)").value_or("");
    }
    if (!invocation.has("--mediator")) wishes.mediator = ask_mediator();
  }
  wishes.private_network = invocation.has("--private-network") || wishes.test ||
                           is_private_url(wishes.mediator) || is_private_url(wishes.ledger);
  return wishes;
}

/// Where the process of the keys will find the new passphrase. Errors: usage.
Result<PassphraseFrom> first_passphrase(const Invocation& invocation) {
  if (invocation.has("--no-passphrase")) {
    if (!invocation.has("--token")) return PassphraseFrom::nowhere;
    return fail(Errc::usage,
                "a wallet with a token has a passphrase too: leave one of --token and "
                "--no-passphrase out");
  }
  if (!invocation.passphrase_file.empty()) return PassphraseFrom::file;
  if (asks_person(invocation)) return PassphraseFrom::terminal;
  return fail(Errc::usage, "name --passphrase-file, or --no-passphrase");
}

}  // namespace

Result<std::unique_ptr<Runtime>> make_home(const std::string& directory,
                                           const Invocation& invocation, Wishes& wishes) {
  TRY(const PassphraseFrom from, first_passphrase(invocation));
  TRY(Home home, Home::create(directory));
  KeyStart start{home.directory(), from, invocation.passphrase_file};
  start.keep_step_up = true;
  start.make = true;
  start.test = wishes.test;
  start.token_uri = invocation.value("--token");
  TRY(auto keys, start_key_process(std::move(start)));
  CHECK(home.keystore_was_written());
  wishes.passphrase = keys->has_passphrase();
  if (!wishes.ca_file.empty()) {
    CHECK(TlsContext::client(wishes.ca_file));
    CHECK(home.keep_ca_file(wishes.ca_file));
  }
  RuntimeOptions options;
  options.ledger_login = wishes.login_file;
  options.new_home = HomeSettings{wishes.test, wishes.private_network};
  TRY(auto runtime, Runtime::start(std::move(home), std::move(keys), std::move(options)));
  CHECK(runtime->finish_new_home());
  return runtime;
}

Result<std::unique_ptr<Runtime>> reopen_home(const std::string& directory,
                                             const Invocation& invocation, Wishes& wishes) {
  TRY(Home home, Home::open(directory));
  wishes.passphrase = home.has_passphrase();
  TRY(auto keys, keys_of(home, invocation, true));
  RuntimeOptions options;
  options.ledger_login = wishes.login_file;
  TRY(auto runtime, Runtime::start(std::move(home), std::move(keys), std::move(options)));
  wishes.test = runtime->settings().test;
  wishes.private_network = runtime->settings().private_network;
  return runtime;
}

namespace {

void say_nature(const Wishes& wishes, const Output& output) {
  if (wishes.test) output.say("This is a TEST wallet: short waiting times, weak protection.");
  if (!wishes.passphrase) {
    output.say("There is no passphrase: whoever reads this directory has the wallet.");
  }
}

void say_next(const Wishes& wishes, const Output& output) {
  output.say("Next:");
  output.say("  kith run        runs it until it is stopped");
  if (!wishes.with_identity) return;
  if (wishes.mediator.empty()) output.say("  kith accept http://...   a mediator for your mail");
  output.say(
      "  kith invite     meet people you trust, then choose those who can give you back your "
      "keys:\n"
      "  kith recovery setup --threshold 2 --trustees A,B,C");
}

bool is_connected(const JsonObject& summary) {
  const Json* mediator = summary.if_contains("mediator");
  return mediator != nullptr && *mediator == "connected";
}

/// From the first step to the last sentence; the home is there.
int set_up(const Invocation& invocation, const Output& output, Session& session,
           const Wishes& wishes, JsonObject summary) {
  FirstSteps steps(session, invocation, output);
  if (const auto error = steps.run(wishes, summary)) {
    output.say(
        "The wallet is made, but not all of it is set up: say the same `kith init` once more.");
    return output.error(*error);
  }
  const auto settled = session.settle();
  if (!settled.has_value()) return output.error(settled.error());
  const auto finished = session.runtime()->finish_first_steps();
  if (!finished.has_value()) return output.error(finished.error());
  output.print(summary);
  say_nature(wishes, output);
  if (asks_person(invocation) && wishes.with_identity && is_connected(summary)) {
    if (const auto error = offer_recovery(session, output, people_wait_s(invocation))) {
      return output.error(*error);
    }
    const auto sent = session.settle();
    if (!sent.has_value()) return output.error(sent.error());
  }
  say_next(wishes, output);
  return 0;
}

}  // namespace

int run_init(const Invocation& invocation, const Output& output) {
  const auto directory = home_of(invocation);
  if (!directory.has_value()) return output.error(directory.error());
  const bool begun = Home::exists(*directory);
  if (begun && !Home::has_first_steps_left(*directory)) {
    return output.error(fail(Errc::wrong_state, "there is a wallet in " + *directory));
  }
  if (invocation.dry_run) {
    output.print({{"dry_run", true}, {"home", *directory}});
    return 0;
  }
  if (begun) output.say("Going on with the wallet that was begun in " + *directory + ".");
  auto wishes = gather(invocation);
  if (!wishes.has_value()) return output.error(wishes.error());
  auto runtime = begun ? reopen_home(*directory, invocation, *wishes)
                       : make_home(*directory, invocation, *wishes);
  if (!runtime.has_value()) return output.error(runtime.error());
  Session session(invocation, std::move(*runtime));
  return set_up(invocation, output, session, *wishes,
                {{"home", *directory},
                 {"test", wishes->test},
                 {"passphrase", wishes->passphrase},
                 {"private_network", wishes->private_network}});
}

}  // namespace kith::node
