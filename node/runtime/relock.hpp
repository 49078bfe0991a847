#pragma once

/// How an unlocked node becomes a locked one: the process starts this program anew in its own
/// place, so that nothing of what it knew is left in memory. Its number, the lock of its home and
/// the port that it listened on stay.

#include <cstdint>
#include <optional>

#include "crypto/result.hpp"
#include "node/storage/home.hpp"

namespace kith::node {

/// What the program before handed over: come up locked.
struct Handover {
  int lock_descriptor = -1;
  std::uint16_t port = 0;
};
/// Read once: a child of this process must not find it.
[[nodiscard]] std::optional<Handover> take_handover();

/// Does not return when it works: the command line is the same, and what is handed over says that
/// it comes up locked. Nothing else may run in this process. Errors: io.
[[nodiscard]] Error start_anew_locked(Home home, std::uint16_t port);

}  // namespace kith::node
