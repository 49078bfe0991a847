#include "node/runtime/command_desk.hpp"

#include <memory>
#include <utility>

#include "node/reader_role.hpp"
#include "node/runtime/system_clock.hpp"

namespace kith::node {

void CommandDesk::handle(std::string text, ControlRespond respond) {
  auto request = parse_request(text);
  if (!request.has_value()) return respond(encode_reply(request.error()));
  if (const auto found = of_shell_.find(request->command); found != of_shell_.end()) {
    return respond(encode_reply(found->second(request->args)));
  }
  if (keys_.standing() || !request->passphrase) {
    return run(std::move(*request), {}, std::move(respond));
  }
  auto shared = std::make_shared<ControlRequest>(std::move(*request));
  const auto started = worker_.run([this, shared] { return keys_.prove(*shared->passphrase); },
                                   [this, shared, respond](Result<PassphraseProof> proof) {
                                     if (!proof.has_value()) {
                                       if (proof.error() == Errc::wrong_passphrase) {
                                         note_wrong_passphrases(1);
                                       }
                                       return respond(encode_reply(proof.error()));
                                     }
                                     run(std::move(*shared), std::move(*proof), respond);
                                   });
  if (!started.has_value()) respond(encode_reply(started.error()));
}

void CommandDesk::handle_reader(std::string text, ControlRespond respond) {
  auto request = parse_request(text);
  if (!request.has_value()) return respond(encode_reply(request.error()));
  if (!reader_may(request->command)) {
    submit({"reader-" + request->id, "reader-refused", {{"command", request->command}}, {}}, {},
           [](const std::string&) {});
    return respond(encode_reply(
        fail(Errc::refused, "this socket is for reading: " + request->command.substr(0, 100) +
                                " is not to be had here")));
  }
  if (const auto found = of_shell_.find(request->command); found != of_shell_.end()) {
    return respond(encode_reply(found->second(request->args)));
  }
  submit({"reader-" + request->id, std::move(request->command), std::move(request->args), {}}, {},
         std::move(respond));
}

void CommandDesk::add(std::string name, Answer answer) {
  of_shell_.emplace(std::move(name), std::move(answer));
}

void CommandDesk::note_wrong_passphrases(std::int64_t tries) {
  // An id that no request has: whoever guesses cannot have it taken for a repeat.
  const std::string id =
      "guess-" + std::to_string(read_clocks().wall_ms) + "-" + std::to_string(++noted_);
  events_.submit(CommandGiven{{id, "passphrase-wrong", {{"tries", tries}}, {}}});
}

void CommandDesk::run(ControlRequest request, std::optional<PassphraseProof> proof,
                      ControlRespond respond) {
  protocol::Command command{
      std::move(request.id), std::move(request.command), std::move(request.args), {}};
  std::optional<StepUp> held;
  if (proof) held = keys_.hold(std::move(*proof));
  command.step_up = held ? held : keys_.standing();
  submit(std::move(command), held, std::move(respond));
}

void CommandDesk::submit(protocol::Command command, std::optional<StepUp> held,
                         ControlRespond respond) {
  events_.submit(CommandGiven{std::move(command)},
                 [this, held, respond](const Result<Outcome>& outcome) {
                   if (held) keys_.drop(*held);
                   if (!outcome.has_value()) return respond(encode_reply(outcome.error()));
                   respond(encode_reply(outcome->reply.value_or(Result<JsonObject>(JsonObject{}))));
                 });
}

}  // namespace kith::node
