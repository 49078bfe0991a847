#include "node/runtime/command_desk.hpp"

#include <memory>
#include <utility>

namespace kith::node {

CommandDesk::CommandDesk(EventQueue& events, Worker& worker, crypto::SoftwareKeys& keys,
                         const Keystore& keystore, std::optional<SecretBytes> step_up)
    : events_(events),
      worker_(worker),
      keys_(keys),
      keystore_(keystore),
      step_up_(std::move(step_up)) {}

void CommandDesk::handle(std::string text, ControlRespond respond) {
  auto request = parse_request(text);
  if (!request.has_value()) return respond(encode_reply(request.error()));
  if (const auto found = of_shell_.find(request->command); found != of_shell_.end()) {
    return respond(encode_reply(found->second()));
  }
  if (step_up_) return run(std::move(*request), step_up_->clone(), std::move(respond));
  if (!request->passphrase) return run(std::move(*request), {}, std::move(respond));

  auto shared = std::make_shared<ControlRequest>(std::move(*request));
  auto keystore = std::make_shared<Keystore>(keystore_.clone());
  const auto started = worker_.run(
      [keystore, shared]() -> Result<UnlockedKeys> {
        return keystore->unlock(&*shared->passphrase);
      },
      [this, shared, respond](Result<UnlockedKeys> keys) {
        if (!keys.has_value()) return respond(encode_reply(keys.error()));
        run(std::move(*shared), std::move(keys->step_up), respond);
      });
  if (!started.has_value()) respond(encode_reply(started.error()));
}

void CommandDesk::add(std::string name, std::function<Result<JsonObject>()> answer) {
  of_shell_.emplace(std::move(name), std::move(answer));
}

void CommandDesk::run(ControlRequest request, std::optional<SecretBytes> step_up,
                      ControlRespond respond) {
  protocol::Command command{
      std::move(request.id), std::move(request.command), std::move(request.args), {}};
  if (step_up) command.step_up = keys_.hold_step_up(std::move(*step_up));
  const auto held = command.step_up;
  events_.submit(CommandGiven{std::move(command)},
                 [this, held, respond](const Result<Outcome>& outcome) {
                   if (held) keys_.drop_step_up(*held);
                   if (!outcome.has_value()) return respond(encode_reply(outcome.error()));
                   respond(encode_reply(outcome->reply.value_or(Result<JsonObject>(JsonObject{}))));
                 });
}

}  // namespace kith::node
