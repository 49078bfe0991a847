#pragma once

/// The script of a ceremony, a TOML file: `name`, and [[step]]s in order, each with
///   say = "..."                          somebody does it by hand, and confirms it
///   command = "did-rotate", args = {..}  the agent does it (ceremony_may)
/// Anything else is refused with its line.

#include <string>
#include <string_view>
#include <vector>

#include "crypto/json.hpp"
#include "crypto/result.hpp"

namespace kith::node {

struct CeremonyStep {
  std::string say;      ///< Or:
  std::string command;  ///< Of the agent.
  crypto::JsonObject args;
};
struct CeremonyScript {
  std::string name;
  std::string digest;  ///< SHA-256 of the file in hex.
  std::vector<CeremonyStep> steps;
};
/// Errors: usage, naming `file`, the line and what is wrong.
[[nodiscard]] Result<CeremonyScript> parse_ceremony_script(std::string_view text,
                                                           const std::string& file);

}  // namespace kith::node
