#include <poll.h>

#include <charconv>
#include <utility>

#include "node/cli/commands.hpp"
#include "node/runtime/system_clock.hpp"

/// `lock` and `unlock`: of a running node alone.

namespace kith::node {
namespace {

/// A node closes its database before, and opens it after.
constexpr std::int64_t kChangeMaxMs = 60'000;
constexpr int kLookEveryMs = 30;

bool says_locked(const ControlReply& reply, bool locked) {
  const auto* status = std::get_if<JsonObject>(&reply);
  return status != nullptr && crypto::json_true(*status, "locked") == locked;
}

/// Between the two states nobody answers for a moment.
std::optional<Error> wait_until(const Invocation& invocation, bool locked) {
  const std::int64_t deadline_ms = read_clocks().steady_ms + kChangeMaxMs;
  while (read_clocks().steady_ms < deadline_ms) {
    auto session = Session::of_running_node(invocation);
    if (session.has_value()) {
      if (says_locked(session->command("status"), locked)) return std::nullopt;
    } else if (session.error() != Errc::unreachable) {
      return session.error();
    }
    ::poll(nullptr, 0, kLookEveryMs);
  }
  return fail(Errc::timeout, locked ? "the node does not lock" : "the node does not come back");
}

}  // namespace

Result<std::int64_t> seconds_of(std::string_view text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  const std::int64_t factor = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  constexpr std::int64_t kMax = std::chrono::seconds{limits::kAutoLockMax}.count();
  if (error != std::errc() || factor == 0 || number < 1 || number > kMax / factor) {
    return fail(Errc::usage, "a time is a number with s, m or h, and at most 30 days: 15m");
  }
  return number * factor;
}

int run_lock(const Invocation& invocation, const Output& output) {
  auto session = Session::of_running_node(invocation);
  if (!session.has_value() && session.error() == Errc::unreachable) {
    output.print({{"locked", true}, {"running", false}});
    output.say("No node is running here: without the passphrase nothing opens this wallet.");
    return 0;
  }
  if (!session.has_value()) return output.error(session.error());
  const auto told = session->command("lock");
  if (const auto* error = std::get_if<ErrorReport>(&told)) return output.error(*error);
  { const Session closed = std::move(*session); }  // The node waits for who is connected.
  if (const auto error = wait_until(invocation, true)) return output.error(*error);
  output.print({{"locked", true}, {"running", true}});
  output.say("Mail waits until `kith unlock`.");
  return 0;
}

int run_unlock(const Invocation& invocation, const Output& output) {
  JsonObject args;
  if (invocation.has("--for")) {
    const auto time = seconds_of(invocation.value("--for"));
    if (!time.has_value()) return output.error(time.error());
    args["for_s"] = *time;
  }
  auto session = Session::of_running_node(invocation);
  if (!session.has_value() && session.error() == Errc::unreachable) {
    return output.error(
        fail(Errc::wrong_state, "no node is running here; start it with `kith run`"));
  }
  if (!session.has_value()) return output.error(session.error());
  const auto told = session->command("unlock", args);
  if (const auto* error = std::get_if<ErrorReport>(&told)) return output.error(*error);
  { const Session closed = std::move(*session); }
  if (const auto error = wait_until(invocation, false)) return output.error(*error);
  output.print({{"locked", false}, {"running", true}});
  return 0;
}

}  // namespace kith::node
