#include <algorithm>

#include "crypto/random.hpp"
#include "node/cli/commands.hpp"
#include "node/cli/terminal.hpp"
#include "node/net/url_policy.hpp"
#include "node/runtime/fetch.hpp"

namespace kith::node {
namespace {

constexpr std::int64_t kWaitDefault = 30;

/// The answers that a home is made from.
struct Wishes {
  std::string name;
  std::string ledger;
  std::string mediator;
  bool with_identity = true;
  bool test = false;
  bool private_network = false;
  std::optional<SecretBytes> passphrase;  ///< None: a key file.
};

Result<SecretBytes> new_passphrase() {
  while (true) {
    TRY(SecretBytes first, ask_passphrase("Choose a passphrase (several words are good)"));
    TRY(const SecretBytes second, ask_passphrase("The same once more"));
    if (crypto::equal_constant_time(first.expose(), second.expose())) return first;
    say_progress("Those were two different ones; please try again.");
  }
}

Result<void> check_url(const std::string& url) {
  if (url.starts_with("leveldb:")) return {};
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    return fail(Errc::bad_url, "use http://HOST, https://HOST or, for a ledger, leveldb:DIR");
  }
  CHECK(parse_http_url(url, UrlPolicy{true}));
  return {};
}

/// Fills what the options leave open; every Enter is a safe answer.
Result<Wishes> gather(const Invocation& invocation) {
  Wishes wishes;
  wishes.name = invocation.value("--name");
  wishes.ledger = invocation.value("--ledger");
  wishes.mediator = invocation.value("--mediator");
  wishes.with_identity = !invocation.has("--no-identity");
  wishes.test = invocation.has("--test");
  const bool person = is_terminal() && !invocation.yes && !invocation.json;
  if (person && wishes.with_identity && !invocation.has("--name")) {
    wishes.name = ask("What should others call you? (Enter: nothing)").value_or("");
  }
  if (person && wishes.with_identity && !invocation.has("--mediator")) {
    wishes.mediator =
        ask("Address of a mediator that keeps your mail (Enter: none for now)").value_or("");
  }
  if (!wishes.mediator.empty()) CHECK(check_url(wishes.mediator));
  if (!wishes.ledger.empty()) CHECK(check_url(wishes.ledger));
  wishes.private_network = invocation.has("--private-network") || wishes.test ||
                           is_private_url(wishes.mediator) || is_private_url(wishes.ledger);
  if (invocation.has("--no-passphrase")) return wishes;
  if (!invocation.passphrase_file.empty()) {
    TRY(wishes.passphrase, read_passphrase_file(invocation.passphrase_file));
    return wishes;
  }
  if (!person) return fail(Errc::usage, "name --passphrase-file, or --no-passphrase");
  TRY(wishes.passphrase, new_passphrase());
  return wishes;
}

Result<std::unique_ptr<Runtime>> make_home(const std::string& directory, const Wishes& wishes) {
  crypto::OsRandom random;
  auto parameters = crypto::new_passphrase_parameters(random);
  if (wishes.test) {
    parameters.memory_bytes = limits::kArgonMemoryBytesMin;
    parameters.ops = limits::kArgonOpsMin;
  }
  const SecretBytes* passphrase = wishes.passphrase ? &*wishes.passphrase : nullptr;
  TRY(auto made, Keystore::make(passphrase, parameters, random));
  TRY(Home home, Home::create(directory, made.keystore));
  RuntimeOptions options;
  options.keep_step_up = true;
  options.new_home = HomeSettings{wishes.test, wishes.private_network};
  return Runtime::start(std::move(home), std::move(made.keys), std::move(options));
}

/// The steps after the home exists; each may fail without harm and be repeated later.
class FirstSteps {
 public:
  FirstSteps(Session& session, const Invocation& invocation, const Output& output)
      : session_(session), invocation_(invocation), output_(output) {}

  std::optional<ErrorReport> run(const Wishes& wishes, JsonObject& summary) {
    if (!wishes.name.empty()) {
      if (auto error = failed(session_.command("profile-set", {{"name", wishes.name}}))) {
        return error;
      }
      summary["name"] = wishes.name;
    }
    // The identity first: it makes the vault, which keeps the next keys of the logs that follow.
    if (wishes.with_identity) {
      if (auto error = make_identity(wishes)) return error;
    }
    if (!wishes.mediator.empty()) {
      if (auto error = connect(wishes.mediator, summary)) return error;
    }
    if (!wishes.with_identity) return std::nullopt;
    return wait_for_identity(summary);
  }

 private:
  static std::optional<ErrorReport> failed(const ControlReply& reply) {
    if (const auto* error = std::get_if<ErrorReport>(&reply)) return *error;
    return std::nullopt;
  }
  void progress(const std::string& text) const {
    if (!output_.json) say_progress(text);
  }
  [[nodiscard]] std::int64_t wait_s() const { return invocation_.wait_seconds(kWaitDefault); }

  std::optional<ErrorReport> connect(const std::string& mediator, JsonObject& summary) {
    progress("Connecting to the mediator ...");
    auto accepted = accept_invitation(
        session_, {{"url", mediator}, {"name", "mediator"}, {"role", "mediator"}}, wait_s());
    if (const auto* error = std::get_if<ErrorReport>(&accepted)) return *error;
    summary["mediator"] = std::get<AcceptResult>(accepted).connected ? "connected" : "waiting";
    return std::nullopt;
  }

  std::optional<ErrorReport> make_identity(const Wishes& wishes) {
    progress("Making your identity ...");
    const std::string ledger =
        wishes.ledger.empty() ? session_.runtime()->default_ledger_url() : wishes.ledger;
    return failed(session_.command("identity-create", {{"name", wishes.name}, {"ledger", ledger}}));
  }

  std::optional<ErrorReport> wait_for_identity(JsonObject& summary) {
    const auto polled =
        poll_until(session_, "identity-status", {}, wait_s(), {}, [](const JsonObject& status) {
          const Json* state = status.if_contains("state");
          return state != nullptr && state->is_string() && state->get_string() == "posted";
        });
    if (const auto* error = std::get_if<ErrorReport>(&polled)) return *error;
    summary["identity"] = std::get<Polled>(polled).reply;
    return std::nullopt;
  }

  Session& session_;
  const Invocation& invocation_;
  const Output& output_;
};

void say_next(const Wishes& wishes, const Output& output) {
  if (wishes.test) output.say("This is a TEST wallet: short waiting times, weak protection.");
  if (!wishes.passphrase) {
    output.say("There is no passphrase: whoever reads this directory has the wallet.");
  }
  if (!wishes.with_identity) return output.say("Start it with `kith run`.");
  if (wishes.mediator.empty()) {
    output.say("Next: find a mediator for your mail: kith accept http://...");
  }
  output.say(
      "Next: invite people you trust (kith invite), then choose those who can give you back\n"
      "your keys: kith recovery setup --threshold 2 --trustees A,B,C");
}

}  // namespace

int run_init(const Invocation& invocation, const Output& output) {
  const auto directory = home_of(invocation);
  if (!directory.has_value()) return output.error(directory.error());
  if (Home::exists(*directory)) {
    return output.error(fail(Errc::wrong_state, "there is a wallet in " + *directory));
  }
  if (invocation.dry_run) {
    output.print({{"dry_run", true}, {"home", *directory}});
    return 0;
  }
  const auto wishes = gather(invocation);
  if (!wishes.has_value()) return output.error(wishes.error());
  auto runtime = make_home(*directory, *wishes);
  if (!runtime.has_value()) return output.error(runtime.error());
  const auto finished = (*runtime)->finish_new_home();
  if (!finished.has_value()) return output.error(finished.error());

  Session session(invocation, std::move(*runtime));
  JsonObject summary{{"home", *directory},
                     {"test", wishes->test},
                     {"passphrase", wishes->passphrase.has_value()},
                     {"private_network", wishes->private_network}};
  FirstSteps steps(session, invocation, output);
  if (const auto error = steps.run(*wishes, summary)) {
    output.say("The wallet is made, but not all is set up; what is missing can be repeated.");
    return output.error(*error);
  }
  const auto settled = session.settle();
  if (!settled.has_value()) return output.error(settled.error());
  output.print(summary);
  say_next(*wishes, output);
  return 0;
}

}  // namespace kith::node
