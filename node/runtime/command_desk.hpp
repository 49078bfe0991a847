#pragma once

/// The user's commands: takes a request, opens the keystore where a passphrase came with it (on the
/// worker, since that takes a second), and answers when the command's unit of work is durable.

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "crypto/software_keys.hpp"
#include "node/control/server.hpp"
#include "node/runtime/event_queue.hpp"
#include "node/runtime/request.hpp"
#include "node/runtime/worker.hpp"
#include "node/storage/keystore.hpp"

namespace kith::node {

class CommandDesk {
 public:
  /// `step_up`: every command has it. All references outlive it.
  CommandDesk(EventQueue& events, Worker& worker, crypto::SoftwareKeys& keys,
              const Keystore& keystore, std::optional<SecretBytes> step_up);

  /// `text` is an encode_request; `respond` gets an encode_reply.
  void handle(std::string text, ControlRespond respond);
  /// A command that the shell answers, not the agent: it reads what only the shell knows.
  void add(std::string name, std::function<Result<JsonObject>()> answer);

 private:
  void run(ControlRequest request, std::optional<SecretBytes> step_up, ControlRespond respond);

  EventQueue& events_;
  Worker& worker_;
  crypto::SoftwareKeys& keys_;
  const Keystore& keystore_;
  std::optional<SecretBytes> step_up_;
  std::map<std::string, std::function<Result<JsonObject>()>> of_shell_;
};

}  // namespace kith::node
