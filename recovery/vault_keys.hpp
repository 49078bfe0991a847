#pragma once

/// Keys of an own log that its vault holds, found by what the log commits to; and the objection to
/// a recover, which is made of them.

#include <string>
#include <vector>

#include "ledger/log_reader.hpp"
#include "ledger/log_writer.hpp"
#include "protocol/host.hpp"

namespace kith::recovery {

/// The next keys of `content` that the vault holds; perhaps fewer than its t.
[[nodiscard]] Result<std::vector<KeyPair>> held_next_keys(Host& host, const SealedKey& vault,
                                                          const std::string& subject,
                                                          const ledger::LogContent& content);
/// The vault holds as many of the next keys that `content` announces as it asks for: what was made
/// with it is its owner's to continue. Needs no opened vault.
[[nodiscard]] bool holds_next_of(Host& host, const std::string& subject,
                                 const ledger::LogContent& content);

/// A recovery authority with all its keys, in the order of the reveal.
struct HeldAuthority {
  ledger::Reveal reveal;
  std::vector<KeyPair> pairs;
};
/// The authority that hashes into `digest`. Errors: not_found.
[[nodiscard]] Result<HeldAuthority> held_authority(Host& host, const SealedKey& vault,
                                                   const std::string& subject,
                                                   const std::string& digest);

/// history[index] was made by this wallet, or carries on with its keys: its vault holds the next
/// keys that were announced there first. Others can announce them too, but only after they stood
/// on the ledger; then the entry is not its owner's, whatever it says.
[[nodiscard]] bool is_own_entry(Host& host, const ledger::LogView& view, std::size_t index);
/// The recover that waits was made by this wallet, in the same sense.
[[nodiscard]] bool is_own_pending(Host& host, const ledger::LogView& view);

/// A signed veto of the recover that waits: next keys of its fork point, and against one by the
/// super-quorum also the ordinary authority of that point (log-protocol sections 3.7 and 4).
/// Errors: wrong_state (none waits), not_found (the vault does not hold what it takes).
[[nodiscard]] Result<ledger::Entry> make_objection(Host& host, const SealedKey& vault,
                                                   const ledger::LogView& view);

}  // namespace kith::recovery
