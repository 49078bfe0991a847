#pragma once

/// What goes wrong in a run, and how often. Each kind is on or off by seed (swarm testing), because
/// a run where everything fails a little never reaches the states behind a long quiet stretch.

#include <cstdint>

#include "crypto/random.hpp"
#include "protocol/time.hpp"

namespace kith::sim {

struct Faults {
  // Network, rates in 1/1000 of the messages.
  Duration delay_mean{40};  ///< One way, exponential.
  std::uint32_t slow = 0;   ///< Takes the heavy tail instead:
  Duration slow_mean{std::chrono::minutes{10}};
  std::uint32_t lost = 0;
  std::uint32_t duplicated = 0;
  std::uint32_t refused = 0;  ///< Connection refused: the sender knows at once.
  std::uint32_t clogged = 0;  ///< The link to the receiver stalls for a while, then all arrives.
  Duration clog_mean{std::chrono::minutes{2}};
  Duration timeout{std::chrono::seconds{60}};  ///< A request without answer fails after this.

  // Processes and disks, in 1/10000 of the commits and effects.
  std::uint32_t crash_commit = 0;
  std::uint32_t crash_effect = 0;
  std::uint32_t read_error = 0;  ///< In 1/100000 of the reads.
  bool crash_phases = false;     ///< And once or more in each phase of interest (crashes.hpp).
  Duration down_mean{std::chrono::seconds{30}};

  // Ledger
  std::uint32_t ledger_unknown = 0;  ///< Done, but the answer is lost (1/1000).
  Duration ledger_up_mean{0};        ///< Zero: never out.
  Duration ledger_out_mean{std::chrono::minutes{20}};

  // People
  std::uint32_t wrong_code = 0;  ///< In 1/1000 of the codes typed.
};

[[nodiscard]] Faults no_faults();
[[nodiscard]] Faults draw_faults(Random& random);

}  // namespace kith::sim
