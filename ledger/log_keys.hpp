#pragma once

/// Where the keys of an own log live: active ones in `log-key`, next and recovery keys in the
/// vault. A wallet without a vault keeps them all in `log-key`, and recovery salts in `log-salt`.

#include <optional>
#include <string_view>
#include <vector>

#include "ledger/log_store.hpp"
#include "ledger/log_writer.hpp"

namespace kith::ledger {

/// All keys of a new log. Errors: those of add_to_vault.
[[nodiscard]] Result<void> keep_log_keys(Host& host, std::string_view did, const LogKeys& keys);
[[nodiscard]] Result<void> keep_next_keys(Host& host, std::string_view did, const NextTier& next);

/// A recovery authority that takes the place of another.
[[nodiscard]] Result<void> keep_recovery_keys(Host& host, std::string_view did,
                                              const RecoveryTier& recovery);

/// Moves what lies outside into the vault: the next and recovery keys of own logs that were made
/// before there was one. Otherwise no backup holds them, and a loss ends those relationships.
/// Nothing to move is Ok. Errors: those of add_to_vault.
[[nodiscard]] Result<void> move_keys_to_vault(Host& host);

/// Those next keys of the log that we hold, as active keys. `vault` is the opened vault.
/// Errors: step_up_required (there is a vault and it was not given), not_found (too few are held).
[[nodiscard]] Result<std::vector<KeyPair>> take_next_keys(Host& host, const LogView& view,
                                                          const std::optional<SealedKey>& vault);

}  // namespace kith::ledger
