#pragma once

/// What the commands do. Each returns the exit code (docs/cli.md) after printing its result.

#include <string>
#include <vector>

#include "node/cli/args.hpp"
#include "node/cli/output.hpp"
#include "node/cli/session.hpp"

namespace kith::node {

/// Of commands that wait for somebody's answer, in seconds.
inline constexpr std::int64_t kWaitDefault = 30;

/// The whole program but for the process's own set-up.
[[nodiscard]] int run_cli(const std::vector<std::string>& words);

/// One command of the agent, or the special.
[[nodiscard]] int run_command(const Invocation& invocation, const Output& output);
[[nodiscard]] int run_init(const Invocation& invocation, const Output& output);
[[nodiscard]] int run_node(const Invocation& invocation, const Output& output);
[[nodiscard]] int run_lock(const Invocation& invocation, const Output& output);
[[nodiscard]] int run_unlock(const Invocation& invocation, const Output& output);
[[nodiscard]] int run_passphrase(const Invocation& invocation, const Output& output);
/// "90s", "15m", "2h". Errors: usage.
[[nodiscard]] Result<std::int64_t> seconds_of(std::string_view text);
/// `export` and `import`, `home erase` and `home keep`: without a running node.
[[nodiscard]] int run_export(const Invocation& invocation, const Output& output);
[[nodiscard]] int run_import(const Invocation& invocation, const Output& output);
[[nodiscard]] int run_home_erase(const Invocation& invocation, const Output& output);
[[nodiscard]] int run_home_keep(const Invocation& invocation, const Output& output);
[[nodiscard]] int run_doctor(const Invocation& invocation, const Output& output);
[[nodiscard]] int run_version(const Output& output);
/// `message pack` and `message unpack`: without a home.
[[nodiscard]] int run_message(const Invocation& invocation, const Output& output);
/// `slip39 split|combine` and `shamir split|combine`: without a home.
[[nodiscard]] int run_shares(const Invocation& invocation, const Output& output);
/// `recovery plan`: without a home.
[[nodiscard]] int run_recovery_plan(const Invocation& invocation, const Output& output);
[[nodiscard]] int run_ledger_verify(const Invocation& invocation, const Output& output);
[[nodiscard]] int run_did_verify(const Invocation& invocation, const Output& output);
/// `audit verify FILE`: without a home.
[[nodiscard]] int run_audit_verify(const Invocation& invocation, const Output& output);
/// What `audit verify` asks the agent. Errors: those of read_input and checkpoint_in.
[[nodiscard]] Result<JsonObject> audit_verify_arguments(const Invocation& invocation);
[[nodiscard]] int do_thaw(Session& session, const Output& output);
[[nodiscard]] int do_alerts_test(Session& session, const Invocation& invocation,
                                 const Output& output);
[[nodiscard]] int do_recovery_setup(Session& session, const Invocation& invocation,
                                    const Output& output);
[[nodiscard]] int do_audit_export(Session& session, const Invocation& invocation,
                                  const Output& output);
[[nodiscard]] int do_policy_explain(Session& session, const Invocation& invocation,
                                    const Output& output);
[[nodiscard]] int do_policy_reload(Session& session, const Invocation& invocation,
                                   const Output& output);
[[nodiscard]] int do_ceremony_run(Session& session, const Invocation& invocation,
                                  const Output& output);
/// `ceremony verify`: without a home.
[[nodiscard]] int run_ceremony_verify(const Invocation& invocation, const Output& output);
/// `did lint FILE`.
[[nodiscard]] int run_did_lint(const Invocation& invocation, const Output& output);

/// The end of every command with a session: the reply is printed, then what it began leaves before
/// the home is released.
[[nodiscard]] int finish(Session& session, const Output& output, const JsonObject& reply,
                         int exit_code = 0);

/// `did lint`, of the agent's own documents.
[[nodiscard]] int do_did_lint(Session& session, const Output& output);
[[nodiscard]] int do_did_resolve(Session& session, const Invocation& invocation,
                                 const Output& output);

/// `audit anchor` and `audit verify`: both wait for the ledger's answer.
[[nodiscard]] int do_audit_anchor(Session& session, const Invocation& invocation,
                                  const Output& output);
[[nodiscard]] int do_audit_verify(Session& session, const Invocation& invocation,
                                  const Output& output);

/// `ledger deploy`: without a running node.
[[nodiscard]] int do_ledger_deploy(Session& session, const Invocation& invocation,
                                   const Output& output);
/// `ledger status`: of the identity's ledger, of the one that this home keeps, and of others that
/// it has seen or copies.
[[nodiscard]] int do_ledger_status(Session& session, const Output& output);
/// `ledger witness`.
[[nodiscard]] int do_ledger_move(Session& session, const Invocation& invocation,
                                 const Output& output);
[[nodiscard]] int do_ledger_witness(Session& session, const Invocation& invocation,
                                    const Output& output);
[[nodiscard]] int do_did_take(Session& session, const Invocation& invocation, const Output& output);
/// `ledger evidence` and `ledger receipt`.
[[nodiscard]] int do_ledger_file(Session& session, const Invocation& invocation,
                                 const Output& output);

/// `invite`, with short addresses and QR codes (invite.cpp).
[[nodiscard]] int do_invite(Session& session, const Invocation& invocation, const Output& output);
/// Puts the long form in place of a short address in args.url; nothing happens to other addresses.
[[nodiscard]] std::optional<ErrorReport> lengthen_url(Session& session, JsonObject& args,
                                                      std::int64_t wait_s);

/// Looks up who made the invitation in args.url, when its DID does not say its own keys. `ledger`:
/// where, if not at our own (empty).
[[nodiscard]] std::optional<ErrorReport> look_up_inviter(Session& session, const JsonObject& args,
                                                         const std::string& ledger,
                                                         std::int64_t wait_s);

/// Connects to a mediator by its address, or accepts an invitation; waits as asked. The result is
/// printed. Shared by `accept` and `init`.
struct AcceptResult {
  JsonObject reply;
  bool connected = false;
};
[[nodiscard]] std::variant<AcceptResult, ErrorReport> accept_invitation(Session& session,
                                                                        JsonObject args,
                                                                        std::int64_t wait_s);

/// Asks `command` until `done` says so or the time is over; `progress` is shown once.
/// The last reply, and whether it was done.
struct Polled {
  JsonObject reply;
  bool done = false;
};
[[nodiscard]] std::variant<Polled, ErrorReport> poll_until(
    Session& session, std::string_view command, const JsonObject& args, std::int64_t wait_s,
    const std::string& progress, const std::function<bool(const JsonObject&)>& done);

}  // namespace kith::node
