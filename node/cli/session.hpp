#pragma once

/// Commands to the agent of a home: through its running node, or, where none runs, through a
/// runtime of this process that holds the home for so long.

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "node/cli/args.hpp"
#include "node/control/client.hpp"
#include "node/runtime/runtime.hpp"

namespace kith::node {

/// --home, or the default.
[[nodiscard]] Result<std::string> home_of(const Invocation& invocation);
/// The keys of an existing wallet, in a process of their own, which reads the passphrase itself:
/// from --passphrase-file, systemd's credential kith.passphrase, or it asks. `keep_step_up`: it
/// counts for every command. Errors: those of start_key_process.
[[nodiscard]] Result<std::unique_ptr<KeyHost>> keys_of(const Home& home,
                                                       const Invocation& invocation,
                                                       bool keep_step_up);

class Session {
 public:
  /// Errors: those of Home::open, keys_of, Runtime::start, ControlClient.
  [[nodiscard]] static Result<Session> open(const Invocation& invocation);
  /// Errors: home_missing, those of ControlClient: unreachable where none runs.
  [[nodiscard]] static Result<Session> of_running_node(const Invocation& invocation);
  /// Of a home that was just made.
  Session(const Invocation& invocation, std::unique_ptr<Runtime> runtime);

  /// Sends one command; gives the passphrase where the agent asks for it.
  [[nodiscard]] ControlReply command(std::string_view name, JsonObject args = {});
  /// Lets the agent work for a moment between two looks at it.
  [[nodiscard]] Result<void> wait(std::chrono::milliseconds time);
  /// Before the end, without a running node: until what was asked for is sent, or 30 s. Tells a
  /// person at the terminal what it waits for.
  [[nodiscard]] Result<void> settle();
  [[nodiscard]] bool is_running_node() const { return client_.has_value(); }
  [[nodiscard]] const Invocation& invocation() const { return *invocation_; }
  [[nodiscard]] Runtime* runtime() { return runtime_.get(); }

 private:
  [[nodiscard]] Result<ControlReply> call(ControlRequest request);

  const Invocation* invocation_;
  std::optional<ControlClient> client_;
  std::unique_ptr<Runtime> runtime_;
  std::string id_prefix_;
  std::uint64_t commands_ = 0;
};

}  // namespace kith::node
