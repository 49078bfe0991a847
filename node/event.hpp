#pragma once

/// What reaches an Agent, and what comes back.

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocol/effect.hpp"
#include "protocol/module.hpp"

namespace kith::node {

/// The shell's clocks at the time of an event. `steady` counts from the start of the process and
/// never goes back.
struct ClockReading {
  Time now{};
  Duration steady{};
};

struct EnvelopeArrived {
  Bytes envelope;
  std::string channel;   ///< Names the waiting connection it came on; empty: none waits.
  bool lasting = false;  ///< That connection stays open after an answer. No two ever share a name.
};
struct CommandGiven {
  Command command;
};
/// The time that next_wakeup() named has come.
struct WokenUp {};

using Event = std::variant<EnvelopeArrived, CommandGiven, protocol::EffectResult, WokenUp>;

/// All of it is durable already: perform the effects, answer the command.
struct Outcome {
  std::vector<protocol::Effect> effects;
  std::optional<Result<JsonObject>> reply;  ///< Of a command.
  std::optional<Error> refused;             ///< Why an envelope was dropped.
  std::string sender = {};                  ///< The DID that authenticated an envelope; or empty.
};

}  // namespace kith::node
