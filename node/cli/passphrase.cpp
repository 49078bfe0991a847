#include "node/cli/commands.hpp"
#include "node/cli/terminal.hpp"
#include "node/keys/key_host.hpp"
#include "node/storage/home.hpp"

/// `passphrase`: the process of the keys asks for both, old and new, and writes the keystore again.

namespace kith::node {
namespace {

Result<void> change_passphrase(const Invocation& invocation) {
  TRY(const std::string directory, home_of(invocation));
  const std::string new_file = invocation.value("--new-passphrase-file");
  if (new_file.empty() && !is_terminal()) {
    return fail(Errc::usage, "name --new-passphrase-file");
  }
  TRY(Home home, Home::open(directory));
  KeyStart start{home.directory(), PassphraseFrom::nowhere, invocation.passphrase_file};
  if (home.has_passphrase()) {
    start.from = start.passphrase_file.empty() ? PassphraseFrom::terminal : PassphraseFrom::file;
  }
  start.change = true;
  start.token_uri = invocation.value("--token");
  start.no_token = invocation.has("--no-token");
  if (start.no_token && !start.token_uri.empty()) {
    return fail(Errc::usage, "leave one of --token and --no-token out");
  }
  start.new_passphrase_file = new_file;
  // That is all: the next agent to start here notes it in the audit log (NodeModule).
  TRY(const auto keys, start_key_process(std::move(start)));
  return {};
}

}  // namespace

int run_passphrase(const Invocation& invocation, const Output& output) {
  const auto changed = change_passphrase(invocation);
  if (changed.has_error()) return output.error(changed.error());
  output.print({{"changed", true}});
  output.say(
      "The old passphrase still opens copies of this wallet that were made before: if somebody may "
      "have both, see docs/incident-response.md.");
  return 0;
}

}  // namespace kith::node
