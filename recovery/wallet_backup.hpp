#pragma once

/// What a backup holds: the records that make up a wallet, and nothing that belongs to one device
/// (docs/home-formats.md lists the collections). Agent keys, shares held for others, effects and
/// inbox marks stay behind: a recovered device makes its own.

#include <optional>
#include <string_view>

#include "crypto/sealed_backup.hpp"
#include "protocol/host.hpp"
#include "recovery/backup_client.hpp"

namespace kith::recovery {

/// All backed-up records as one byte string, in a fixed order: equal wallets give equal bytes.
[[nodiscard]] SecretBytes wallet_snapshot(Host& host);
/// Digest of the snapshot without what changes by itself (the recovery record with every backup,
/// what was seen of ledgers, the pace of looking for mail): tells whether a new backup is due.
[[nodiscard]] Bytes content_digest(Host& host);
/// Writes a snapshot's records over this wallet's. That goes for the checkpoints of ledgers too:
/// what a ledger has shown a new device has to continue what its owner knew before the loss.
/// Refuses collections that no backup may hold. Errors: malformed, refused.
[[nodiscard]] Result<void> restore_wallet(Host& host, ByteView snapshot);
/// One record of a snapshot, without restoring it; nullopt: not among them. Errors: as above.
[[nodiscard]] Result<std::optional<Bytes>> snapshot_record(ByteView snapshot,
                                                           std::string_view collection,
                                                           std::string_view id);

/// crypto::core_digest of a sealed part, as heads name it. Errors: malformed.
[[nodiscard]] Result<Bytes> part_core_digest(const PartVersion& part);

/// What a new device of the owner starts with: who we are, our own logs and the link secret's item.
/// The rest comes over the relationship with it (agent_records.hpp).
[[nodiscard]] SecretBytes welcome_snapshot(Host& host);
/// Errors: malformed, refused (other records).
[[nodiscard]] Result<void> restore_welcome(Host& host, ByteView snapshot);

/// Own logs with their anchor times, as a log part (section 3.4).
[[nodiscard]] SecretBytes own_logs_snapshot(Host& host);

/// Seals `content` under Y, signed by this agent's policy key.
/// Errors: wrong_state (no identity), limit_exceeded.
[[nodiscard]] Result<PartVersion> seal_part(Host& host, crypto::ContainerFormat format,
                                            BackupPart part, const Bytes& set_id,
                                            const SecretPoint& recovery_key, std::uint64_t counter,
                                            SecretBytes content);

}  // namespace kith::recovery
