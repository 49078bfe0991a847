#pragma once

/// A module: handlers for some message types, commands, timers and effects. Modules hold no state
/// of their own (it lives in records), so one object serves any number of units. The Agent wires
/// them by hand and routes by the names they give; a name claimed twice is our own bug (asserted).

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/envelope.hpp"
#include "protocol/host.hpp"
#include "protocol/message.hpp"
#include "protocol/problem_report.hpp"

namespace kith::protocol {

/// The `channel` of a message whose connection was over before it could be opened (look_up.hpp). No
/// connection has this name.
inline constexpr std::string_view kChannelOver = "over";

/// A message that passed every envelope check.
struct Inbound {
  Message message;
  EnvelopeInfo info;
  std::string channel;   ///< The connection it came on, when the sender waits for a reply there.
  bool lasting = false;  ///< `channel` stays open and takes any number of messages (WebSocket).
  /// Where it comes from, enough became clients lately.
  bool no_new_clients = false;
};

/// A command of the node's user. `id` is chosen by the client: the same id is never done twice.
struct Command {
  std::string id;
  std::string name;
  JsonObject args;
  std::optional<StepUp> step_up;  ///< The passphrase was given with this command.
};

/// The argument of a command that is true or false, and false when absent. Errors: usage.
[[nodiscard]] inline Result<bool> flag_argument(const JsonObject& args, std::string_view name) {
  const crypto::Json* value = args.if_contains(name);
  if (value == nullptr) return false;
  if (!value->is_bool()) return crypto::fail(Errc::usage, std::string(name) + " is true or false");
  return value->get_bool();
}

class Module {
 public:
  virtual ~Module() = default;
  /// Owner name of its timers and effects.
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// Message type URIs handled.
  [[nodiscard]] virtual std::vector<std::string> message_types() const { return {}; }
  [[nodiscard]] virtual std::vector<std::string> commands() const { return {}; }
  /// Reading requests leave no inbox mark and no stored command reply: repeating one runs it again.
  [[nodiscard]] virtual bool only_reads(std::string_view message_type_or_command) const {
    static_cast<void>(message_type_or_command);
    return false;
  }

  /// An error undoes all the handler did and answers with a problem report.
  [[nodiscard]] virtual Result<void> on_message(Host& host, const Inbound& inbound) {
    static_cast<void>(host), static_cast<void>(inbound);
    return fail(Errc::unknown_type);
  }
  /// An error undoes all the handler did and is shown to the user.
  [[nodiscard]] virtual Result<JsonObject> on_command(Host& host, const Command& command) {
    static_cast<void>(host), static_cast<void>(command);
    return fail(Errc::usage);
  }
  virtual void on_timer(Host& host, std::string_view timer) {
    static_cast<void>(host), static_cast<void>(timer);
  }
  /// The effect ended: succeeded, failed for good, or expired.
  virtual void on_effect(Host& host, const Effect& effect, const Result<Bytes>& outcome) {
    static_cast<void>(host), static_cast<void>(effect), static_cast<void>(outcome);
  }
  /// A peer reports that a message of one of this module's protocols failed on its side.
  virtual void on_problem(Host& host, const Inbound& inbound, const ProblemReport& report) {
    static_cast<void>(host), static_cast<void>(inbound), static_cast<void>(report);
  }
  /// The peer acknowledges messages of ours: `inbound.message.ack`, oldest first, whatever else the
  /// message says. Every module is told, for ids alone do not say whose they are.
  virtual void on_acks(Host& host, const Inbound& inbound) {
    static_cast<void>(host), static_cast<void>(inbound);
  }
  /// Every start of the agent, in a unit of its own.
  virtual void on_start(Host& host) { static_cast<void>(host); }
};

}  // namespace kith::protocol

namespace kith {
using protocol::Command;
using protocol::Inbound;
using protocol::Module;
}  // namespace kith
