#include "sim/faults.hpp"

#include "sim/chance.hpp"

namespace kith::sim {
namespace {

std::uint32_t maybe(Random& random, std::uint32_t most) {
  const bool on = per_mille(random, 500);
  const auto rate = static_cast<std::uint32_t>(1 + random.below(most));
  return on ? rate : 0;
}

}  // namespace

Faults no_faults() {
  return {};
}

Faults draw_faults(Random& random) {
  Faults faults;
  faults.delay_mean = between(random, Duration{5}, Duration{400});
  faults.slow = maybe(random, 20);
  faults.lost = maybe(random, 150);
  faults.duplicated = maybe(random, 150);
  faults.refused = maybe(random, 100);
  faults.clogged = maybe(random, 5);
  faults.crash_commit = maybe(random, 60);
  faults.crash_effect = maybe(random, 60);
  faults.read_error = maybe(random, 10);
  faults.crash_phases = per_mille(random, 700);
  faults.down_mean = between(random, Duration{1'000}, Duration{300'000});
  faults.ledger_unknown = maybe(random, 200);
  const Duration up = between(random, std::chrono::hours{1}, std::chrono::hours{24});
  if (per_mille(random, 500)) faults.ledger_up_mean = up;
  faults.wrong_code = maybe(random, 150);
  return faults;
}

}  // namespace kith::sim
