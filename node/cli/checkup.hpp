#pragma once

/// What is to be said of a device and its home, from facts that others gathered (doctor.cpp). Pure:
/// asks nobody.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "node/cli/next_steps.hpp"

namespace kith::node {

struct MachineFacts {
  bool memory_locked = true;  ///< Secrets cannot be swapped out.
  bool swap = false;
  bool dumps = false;              ///< A crash would write memory to disk.
  std::optional<bool> clock_kept;  ///< By a time service; nullopt: the system does not say.
  std::optional<std::uint64_t> free_bytes;
  std::string wrong_algorithm;  ///< That does not give its known answer; empty: all do.
};

struct HomeFacts {
  std::string directory;
  std::string broken;                   ///< Why it cannot be used; empty: it can.
  std::string mend;                     ///< What helps then.
  std::vector<std::string> open_files;  ///< That others on this machine can read or write.
  std::optional<bool> has_passphrase;   ///< nullopt: the running node holds it.
};

struct NodeFacts {
  bool running = false;
  std::string program_version;  ///< Of this program, not of the node.
  Situation situation;          ///< Empty where no node runs.
  std::string
      audit_broken;  ///< Why its audit log does not verify; empty: it does, or was not asked.
};

struct Finding {
  enum class Level {
    good,
    advice,   ///< Could be better.
    problem,  ///< Needs mending.
  };
  std::string check;
  Level level = Level::good;
  std::string found;
  std::string next;  ///< What to do; empty where nothing is to be done.
};

/// Free space below this is a problem: a node that cannot write stops.
inline constexpr std::uint64_t kFreeBytesWanted = std::uint64_t{64} << 20;

/// In the order in which a person would mend them.
[[nodiscard]] std::vector<Finding> examine(const HomeFacts& home, const MachineFacts& machine,
                                           const NodeFacts& node);

}  // namespace kith::node
