#pragma once

/// A backup location: keeps sealed parts for its clients and hands them out to whoever shows a
/// token (recovery-protocol sections 3 and 7). It can open none of them.
///
/// A version becomes active when all its chunks are stored and their digest fits. Nothing active is
/// overwritten: versions replaced by newer ones stay for limits::kBackupKeepTime from then on, and
/// the last limits::kBackupVersionsKept of each part always. A full location refuses a put; after
/// each rotate or recover of the client's microledger it has room for one backup more.
///
/// Tokens only read. Each is stored as its hash, as long as versions of its set are; its use is
/// told to the owner through the mailbox.

#include "protocol/module.hpp"

namespace kith::recovery {

class BackupLocation final : public Module {
 public:
  std::string_view name() const override { return "backup-location"; }
  std::vector<std::string> message_types() const override;
  bool only_reads(std::string_view what) const override;
  Result<void> on_message(Host& host, const Inbound& inbound) override;
  void on_timer(Host& host, std::string_view timer) override;
  void on_start(Host& host) override;
};

/// H over all chunks in order: the digest of a version.
[[nodiscard]] Bytes version_digest(const std::vector<Bytes>& chunks);
/// What a location keeps of a token.
[[nodiscard]] Bytes token_hash(ByteView token);
/// What is signed in replies: proves a time to whoever chose `nonce`.
[[nodiscard]] Bytes time_statement(ByteView nonce, std::int64_t time_ms);

}  // namespace kith::recovery
