#pragma once

/// What the process that holds the keys gives up before it serves anybody. Linux; the filter is
/// seccomp's own (seccomp(2)), written out as it needs a few dozen rows and no library.

#include "crypto/result.hpp"

namespace kith::node {

/// From the first moment: no core dumps, no tracing by others of this user, no new privileges by
/// exec, and death with the parent. Errors: io.
[[nodiscard]] Result<void> close_up_key_process();
/// From `first` on; whatever this process inherited. Errors: io.
[[nodiscard]] Result<void> close_descriptors_from(int first);

/// For good, and for all threads: from here on this process can only speak on the descriptors that
/// it has, take and give back memory, draw randomness, read clocks and end. Opening a file is
/// refused; anything else kills it. Does nothing where a sanitizer watches, which needs more.
/// Errors: io (the kernel has no seccomp filters).
[[nodiscard]] Result<void> enter_sandbox();

}  // namespace kith::node
