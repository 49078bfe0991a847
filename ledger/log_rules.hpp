#pragma once

/// The rules between an entry and what stood before it, one function an operation (log-protocol
/// section 3). Pure; used by log_machine.cpp alone. Position in the log and time are judged there.

#include <optional>
#include <string>
#include <string_view>

#include "ledger/entry.hpp"
#include "ledger/log_reader.hpp"

namespace kith::ledger {

struct Refusal {
  Rule rule;
  std::string detail;
};
/// Empty when nothing speaks against the entry.
using Verdict = std::optional<Refusal>;
[[nodiscard]] inline Verdict refuse(Rule rule, std::string_view detail) {
  return Refusal{rule, std::string(detail)};
}

/// Rules 3, 10, 11. `blob` is the entry as it came.
[[nodiscard]] Verdict check_genesis(std::string_view subject, const Entry& entry, ByteView blob);
/// Rules 4, 10, 11: in a policy by its agents, in a pair state by agents or active keys.
[[nodiscard]] Verdict check_update(const LogContent& before, const Entry& entry);
/// Rules 5, 10, 11.
[[nodiscard]] Verdict check_rotate(const LogContent& before, const Entry& entry, bool test);
/// Rules 8, 11. Where it is anchored is judged elsewhere.
[[nodiscard]] Verdict check_move(const LogContent& before, const Entry& entry);
/// Does this recover reveal the super-quorum of the fork point?
[[nodiscard]] bool is_super_quorum(const LogContent& fork, const Entry& recover);
/// Rules 6, 10, 11; `fork` is the content at the fork point.
[[nodiscard]] Verdict check_recover(const LogContent& fork, const Entry& entry, bool test);
/// Rules 7, 11; `fork` is the content at the fork point of the pending recover, which is the
/// super-quorum's or an ordinary one.
[[nodiscard]] Verdict check_veto(const LogContent& fork, const Entry& entry, bool of_super_quorum);
/// Rules 9, 11.
[[nodiscard]] Verdict check_deactivate(const LogContent& before, const Entry& entry);

}  // namespace kith::ledger
