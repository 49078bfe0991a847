#include "node/cli/session.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "crypto/random.hpp"
#include "node/cli/output.hpp"
#include "node/cli/terminal.hpp"
#include "node/control/socket_path.hpp"

namespace kith::node {
namespace {

constexpr std::chrono::seconds kSettleMax{30};

std::string random_prefix() {
  crypto::OsRandom random;
  return "cli-" + crypto::hex(random.bytes(12)) + "-";
}

Result<SecretBytes> passphrase_of(const Invocation& invocation) {
  if (!invocation.passphrase_file.empty()) {
    return read_passphrase_file(invocation.passphrase_file);
  }
  return ask_passphrase("Your passphrase");
}

/// The passphrase, and behind a line end the PIN of the wallet's token.
Result<SecretBytes> with_pin(const Invocation& invocation, const SecretBytes& passphrase) {
  TRY(const SecretBytes pin, invocation.passphrase_file.empty()
                                 ? ask_pin("The PIN of your key token")
                                 : read_pin_in_file(invocation.passphrase_file));
  SecretBytes both(passphrase.size() + 1 + pin.size());
  const auto out = both.expose_mutable();
  std::ranges::copy(passphrase.expose(), out.begin());
  out[passphrase.size()] = '\n';
  std::ranges::copy(pin.expose(), out.subspan(passphrase.size() + 1).begin());
  return both;
}

bool says(const Result<ControlReply>& reply, Errc code) {
  const auto* const error = reply.has_value() ? std::get_if<ErrorReport>(&*reply) : nullptr;
  return error != nullptr && error->code == crypto::error_text(code).code;
}

/// What systemd handed to a service for this wallet (systemd.exec(5), LoadCredentialEncrypted=).
std::string passphrase_credential() {
  const char* const directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (directory == nullptr || directory[0] != '/') return {};
  const std::string path = std::string(directory) + "/kith.passphrase";
  return ::access(path.c_str(), R_OK) == 0 ? path : std::string();
}

void say_waiting(const std::vector<std::string>& places) {
  std::string names;
  for (const std::string& place : places) names += (names.empty() ? "" : ", ") + printable(place);
  if (names.empty()) names = "others";
  say_progress("Waiting for " + names + ", at most " + std::to_string(kSettleMax.count()) +
               " s. What is not done then goes on while `kith run` runs; Ctrl-C loses nothing.");
}

}  // namespace

Result<std::string> home_of(const Invocation& invocation) {
  if (!invocation.home.empty()) return invocation.home;
  return Home::default_directory();
}

Result<std::unique_ptr<KeyHost>> keys_of(const Home& home, const Invocation& invocation,
                                         bool keep_step_up) {
  KeyStart start{home.directory(), PassphraseFrom::nowhere, invocation.passphrase_file};
  start.keep_step_up = keep_step_up;
  if (home.has_passphrase()) {
    if (start.passphrase_file.empty()) start.passphrase_file = passphrase_credential();
    start.from = start.passphrase_file.empty() ? PassphraseFrom::terminal : PassphraseFrom::file;
  }
  return start_key_process(std::move(start));
}

Session::Session(const Invocation& invocation, std::unique_ptr<Runtime> runtime)
    : invocation_(&invocation), runtime_(std::move(runtime)), id_prefix_(random_prefix()) {}

Result<Session> Session::of_running_node(const Invocation& invocation) {
  if (!invocation.reader.empty()) {
    TRY(ControlClient reader, ControlClient::connect(invocation.reader, ControlPeers::group));
    Session session(invocation, nullptr);
    session.client_ = std::move(reader);
    return session;
  }
  TRY(const std::string directory, home_of(invocation));
  if (!Home::exists(directory)) return fail(Errc::home_missing, directory);
  TRY(const std::string path, control_socket_path(directory));
  TRY(ControlClient client, ControlClient::connect(path));
  Session session(invocation, nullptr);
  session.client_ = std::move(client);
  return session;
}

Result<Session> Session::open(const Invocation& invocation) {
  auto running = of_running_node(invocation);
  if (running.has_value() || running.error().code != Errc::unreachable ||
      !invocation.reader.empty()) {
    return running;
  }
  TRY(const std::string directory, home_of(invocation));
  TRY(Home home, Home::open(directory));
  TRY(auto keys, keys_of(home, invocation, true));
  TRY(auto runtime, Runtime::start(std::move(home), std::move(keys), {}));
  return Session(invocation, std::move(runtime));
}

Result<ControlReply> Session::call(ControlRequest request) {
  std::string text = encode_request(request);
  if (runtime_) {
    TRY(const std::string reply, runtime_->call(std::move(text), limits::kControlRespondTimeout));
    return parse_reply(reply);
  }
  auto reply = client_->call(text);
  crypto::wipe(text);
  TRY(const std::string reply_text, std::move(reply));
  return parse_reply(reply_text);
}

ControlReply Session::command(std::string_view name, JsonObject args) {
  ControlRequest request{
      id_prefix_ + std::to_string(commands_++), std::string(name), std::move(args), {}};
  auto reply = call({request.id, request.command, request.args, {}});
  if (!reply.has_value()) return report_of(reply.error());
  if (!says(reply, Errc::step_up_required) || runtime_) return *reply;
  auto passphrase = passphrase_of(*invocation_);
  if (!passphrase.has_value()) return report_of(passphrase.error());
  reply = call({request.id, request.command, request.args, passphrase->clone()});
  if (says(reply, Errc::token_pin_needed)) {  // A locked node; before any try at the token.
    auto both = with_pin(*invocation_, *passphrase);
    if (!both.has_value()) return report_of(both.error());
    reply = call({request.id, request.command, request.args, std::move(*both)});
  }
  return reply.has_value() ? *reply : ControlReply(report_of(reply.error()));
}

Result<void> Session::wait(std::chrono::milliseconds time) {
  if (runtime_) return runtime_->run_for(time);
  ::poll(nullptr, 0, static_cast<int>(time.count()));
  return {};
}

Result<void> Session::settle() {
  if (!runtime_) return {};
  if (invocation_->json || !is_watched()) return runtime_->settle(kSettleMax);
  return runtime_->settle(kSettleMax, say_waiting);
}

}  // namespace kith::node
