#pragma once

/// The user's commands: takes a request, has the passphrase proven where one came with it (on the
/// worker, since that takes a second), and answers when the command's unit of work is durable.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "node/control/server.hpp"
#include "node/keys/key_host.hpp"
#include "node/runtime/event_queue.hpp"
#include "node/runtime/request.hpp"
#include "node/runtime/worker.hpp"

namespace kith::node {

class CommandDesk {
 public:
  /// All references outlive it.
  CommandDesk(EventQueue& events, Worker& worker, KeyHost& keys)
      : events_(events), worker_(worker), keys_(keys) {}

  /// `text` is an encode_request; `respond` gets an encode_reply.
  void handle(std::string text, ControlRespond respond);
  /// The same of somebody who may only read (node/reader_role.hpp); a passphrase is not looked at.
  void handle_reader(std::string text, ControlRespond respond);
  /// A command that the shell answers, not the agent: it reads what only the shell knows.
  using Answer = std::function<Result<JsonObject>(const JsonObject& args)>;
  void add(std::string name, Answer answer);
  /// Puts them into the audit log.
  void note_wrong_passphrases(std::int64_t tries);

 private:
  void submit(protocol::Command command, std::optional<StepUp> held, ControlRespond respond);
  /// `proof`: of this command's passphrase; dropped with its outcome.
  void run(ControlRequest request, std::optional<PassphraseProof> proof, ControlRespond respond);

  EventQueue& events_;
  Worker& worker_;
  KeyHost& keys_;
  std::map<std::string, Answer> of_shell_;
  std::uint64_t noted_ = 0;
};

}  // namespace kith::node
