#pragma once

/// What the commands of a short-lived runtime have begun and is not over: their effects, and those
/// that came of these. So a command waits for its own, and not for what was open before it.
///
/// Single-threaded.

#include <map>
#include <string>
#include <vector>

#include "node/agent.hpp"

namespace kith::node {

class UnderWay {
 public:
  /// After `event` was handled.
  void note(const Event& event, const Outcome& outcome);
  /// What the agent has open no longer is forgotten. True: nothing is left.
  [[nodiscard]] bool is_over(const Agent& agent);
  /// Hosts and ledgers that are waited for, as of the last is_over().
  [[nodiscard]] std::vector<std::string> places() const;

 private:
  std::map<std::string, std::string> effects_;  ///< Place by effect id; "": none can be named.
};

}  // namespace kith::node
