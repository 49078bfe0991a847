#pragma once

/// The ledgers that the identity's logs left, as long as they have a say: a recover there takes the
/// log back as long as the move is contestable, and what came of it is read there. When each was
/// last read is kept (collection `former-read`, by ledger and log).

#include <optional>
#include <string>
#include <string_view>

#include "ledger/own_log.hpp"

namespace kith::ledger {

/// The log's entries say that it lives on that ledger.
[[nodiscard]] bool lives_on(const LogView& view, std::string_view ledger);

/// The next of the former ledgers, behind `after`, that a reading asks; empty: the identity's own
/// is next. Those are asked on which the log lives (a recover took it back), where a recover is
/// pending, or where one could still come, or could have since they were last read.
[[nodiscard]] std::string next_former(Host& host, const Identity& identity,
                                      std::string_view subject, std::string_view after);

/// The former ledger showed the log.
void note_former_read(Host& host, std::string_view ledger, std::string_view subject);
/// And what it showed was taken over, with what the others did in the same reading.
void note_former_settled(Host& host, std::string_view ledger, std::string_view subject);
/// It was asked in vain. When that has gone on for a day the alarm is raised (audit
/// "identity.former-away"), once until it shows the logs again: as long as it has a say, what it
/// would show may undo the move.
void note_former_away(Host& host, const Identity& identity, std::string_view ledger,
                      std::string_view subject);
/// [{ledger, ledger_id, asked, read?, away_since?}]; `read`: when it last showed both logs.
[[nodiscard]] JsonArray describe_former(Host& host, const Identity& identity);
/// When that was read which was taken over last; nullopt: nothing was, as far as is known.
[[nodiscard]] std::optional<Time> former_settled(Host& host, std::string_view ledger,
                                                 std::string_view subject);

/// Recovers on a former ledger took both logs back there, and it has shown that after they took
/// effect: the identity lives there again, and the ledger that it was on is a former one. A move
/// under way ends.
void follow_taken_back(Host& host);

/// The identity lives elsewhere than the newest backup says, and whoever restores that one would
/// take the move for a thief's: a new one is made now. Does nothing where none are kept.
void back_up_new_home(Host& host);

}  // namespace kith::ledger
