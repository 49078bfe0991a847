#pragma once

/// How many problems one thread may have (DIDComm v2.1, "Cascading Problems"): ours and theirs are
/// counted together; at limits::kThreadProblemsMax the thread is given up with
/// e.p.req.max-errors-exceeded, and from then on nobody answers in it.
///
/// Collection `problem-count`, at most limits::kThreadsCountedMax records; the oldest is forgotten
/// first.

#include <string_view>

#include "protocol/host.hpp"
#include "protocol/module.hpp"

namespace kith::protocol {

inline constexpr std::string_view kMaxErrorsExceeded = "e.p.req.max-errors-exceeded";

enum class Budget : std::uint8_t {
  within,    ///< Go on as usual.
  used_up,   ///< This problem was one too many: say so, instead of what was to be said.
  silenced,  ///< It was said before: say nothing.
};

/// Counts a problem in `thread` between our DID and the peer's.
[[nodiscard]] Budget count_problem(Host& host, const Did& own, const Did& peer,
                                   std::string_view thread);

/// Whether the thread was given up.
[[nodiscard]] bool is_silenced(Host& host, const Did& own, const Did& peer,
                               std::string_view thread);

}  // namespace kith::protocol
