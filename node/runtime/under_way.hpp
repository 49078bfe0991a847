#pragma once

/// What the commands of a short-lived runtime have begun and is not over: their effects, the timers
/// that they set to the present, and what came of these, HTTP's answers included; a WebSocket does
/// not say what it answers. So a command waits for its own, and not for what was open before it.
///
/// Single-threaded.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "node/agent.hpp"

namespace kith::node {

class UnderWay {
 public:
  /// After `event` was handled.
  void note(const Event& event, const Outcome& outcome);
  /// What the agent has open no longer, or put off, is forgotten. True: nothing is left.
  [[nodiscard]] bool is_over(const Agent& agent, Time now);
  /// Hosts and ledgers that are waited for, as of the last is_over().
  [[nodiscard]] std::vector<std::string> places() const;

 private:
  void note_timers(const Outcome& outcome);

  std::map<std::string, std::string> effects_;  ///< Place by effect id; "": none can be named.
  std::set<std::string> timers_;                ///< Due and not run yet.
};

}  // namespace kith::node
