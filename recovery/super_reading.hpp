#pragma once

/// The logs of an owner as a holder's node reads them from their ledger (collection `super-read`,
/// by what is held and log). Nobody else's word is taken for what stands there.
///
/// The ledger's address comes from the owner, who is a contact, and whom this node's person
/// promised to help: only addresses on a network are asked, never a directory of this machine.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/trail_reading.hpp"
#include "protocol/module.hpp"

namespace kith::recovery {

inline constexpr std::string_view kSuperModule = "super-quorum";

/// Errors: bad_url, unsupported.
[[nodiscard]] Result<void> check_ledger_address(std::string_view url);

/// Begins to read `subject`, unless that is under way. `id`: of what is held, and the log's name.
void read_for_holder(Host& host, const std::string& id, const std::string& subject,
                     const std::string& ledger_url);
/// What an effect of this module brought. Returns the id when the reading has ended, well or not.
[[nodiscard]] std::optional<std::string> take_holder_reading(Host& host,
                                                             const protocol::Effect& effect,
                                                             const Result<Bytes>& outcome);
void forget_reading(Host& host, const std::string& id);

/// The newest complete reading.
struct KnownLog {
  ledger::LogView view;
  std::vector<ledger::AnchoredBlob> blobs;
  Time read_at{};
};
/// Errors: unreachable (not read yet, with the reason), those of read_log.
[[nodiscard]] Result<KnownLog> known_to_holder(Host& host, const std::string& id);

}  // namespace kith::recovery
