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
  // The shell's decisions about where it comes from (node/runtime/gate.hpp).
  bool contacts_only = false;   ///< Others are refused as busy, before a private key is used.
  bool no_new_clients = false;  ///< Who asks for mediation anew has to wait.
  std::string answers = {};     ///< The effect that it came back for; empty: nobody asked.
};
struct CommandGiven {
  Command command;
};
/// The time that next_wakeup() named has come.
struct WokenUp {};

using Event = std::variant<EnvelopeArrived, CommandGiven, protocol::EffectResult, WokenUp>;

/// Whom the use of a private key was for, or of a public one to check a signature.
enum class OpenedFor : std::uint8_t {
  nobody,        ///< None was used, or the envelope came inside another one.
  contact,       ///< Somebody known here, proven.
  mailbox,       ///< Nobody says who sent it, but it is mail for a client of ours, and new.
  stranger,      ///< All else.
  impersonator,  ///< It named a contact as its sender and could not be opened.
};

/// A timer that ran, "<module>|<name>", and what it began: ids of effects, and timers.
struct Ran {
  std::string timer;
  std::vector<std::string> effects;
  std::vector<std::string> due;
};

/// All of it is durable already: perform the effects, answer the command.
struct Outcome {
  std::vector<protocol::Effect> effects;
  std::optional<Result<JsonObject>> reply;   ///< Of a command.
  std::optional<Error> refused;              ///< Why an envelope was dropped.
  std::string sender = {};                   ///< The DID that authenticated an envelope; or empty.
  OpenedFor opened_for = OpenedFor::nobody;  ///< Of an envelope.
  bool new_client = false;                   ///< It was granted mediation for the first time.
  std::vector<std::string> due = {};         ///< Timers set to the present: work that it began.
  std::vector<Ran> ran = {};                 ///< Of WokenUp.
};

}  // namespace kith::node
