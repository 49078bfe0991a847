#pragma once

/// The rules between an entry and what stood before it, one function an operation (log-protocol
/// section 3): what it may change, and whose signatures it bears. Pure; used by log_machine.cpp
/// alone, but for the words of one refusal. Position in the log and time are judged there, and
/// check_signatures() comes last: whoever sends junk shall not make readers verify signatures.

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

/// What is said of an entry that lacks signatures and nothing else.
inline constexpr std::string_view kTooFewSignatures = "too few signatures";

/// Rules 3, 10. `blob` is the entry as it came.
[[nodiscard]] Verdict check_genesis(std::string_view subject, const Entry& entry, ByteView blob);
/// Rules 4, 10: in a policy by its agents, in a pair state by agents or active keys.
[[nodiscard]] Verdict check_update(const LogContent& before, const Entry& entry);
/// Rules 5, 10.
[[nodiscard]] Verdict check_rotate(const LogContent& before, const Entry& entry, bool test);
/// Rule 8. Where it is anchored is judged elsewhere.
[[nodiscard]] Verdict check_move(const LogContent& before, const Entry& entry);
/// Does this recover reveal the super-quorum of the fork point?
[[nodiscard]] bool is_super_quorum(const LogContent& fork, const Entry& recover);
/// Rules 6, 10; `fork` is the content at the fork point.
[[nodiscard]] Verdict check_recover(const LogContent& fork, const Entry& entry, bool test);
/// Rule 7; `fork` is the content at the fork point of the pending recover, which is the
/// super-quorum's or an ordinary one.
[[nodiscard]] Verdict check_veto(const LogContent& fork, const Entry& entry, bool of_super_quorum);
/// Rule 9.
[[nodiscard]] Verdict check_deactivate(const LogContent& before, const Entry& entry);

/// Rule 11: distinct signers, every signature canonical and right. One bad signature spoils the
/// blob, not the entry: a good blob of the same entry may still come.
[[nodiscard]] Verdict check_signatures(const Entry& entry, const EntryDigest& digest);

}  // namespace kith::ledger
