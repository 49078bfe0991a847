#pragma once

/// Builders of log entries. Each returns an unsigned Entry; add signatures, then post entry_blob().
/// Builders check what can be known before signing; the reader stays the judge (read_with).
///
/// Times become the entry's informational "time". Private keys stay behind KeyOps.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/key_ops.hpp"
#include "crypto/random.hpp"
#include "ledger/entry.hpp"
#include "ledger/log_reader.hpp"

namespace kith::ledger {

/// How many keys of each tier; 1-of-1 by default. Each 1 <= t <= n <= kEntryKeysMax.
struct LogKeyShape {
  KeyType type = KeyType::ed25519;
  std::uint32_t active_t = 1;
  std::uint32_t active_n = 1;
  std::uint32_t next_t = 1;
  std::uint32_t next_n = 1;
  std::uint32_t recovery_t = 1;
  std::uint32_t recovery_n = 1;
};

/// Fresh next keys (purpose log_next). The private halves belong into the vault.
struct NextTier {
  std::vector<KeyPair> pairs;
  NextKeys digests;
};

/// Fresh recovery authority (purpose log_recovery). Private halves and `reveal` (its salt hides the
/// keys) belong into the vault.
struct RecoveryTier {
  std::vector<KeyPair> pairs;
  Reveal reveal;
  std::string digest;  ///< rec.d
};

/// Everything that a new log, or a recover, needs.
struct LogKeys {
  std::vector<KeyPair> active;  ///< Purpose log_active.
  KeySet keys;
  NextTier next;
  RecoveryTier recovery;
};

/// Errors: usage (a shape out of range), those of KeyOps::generate.
[[nodiscard]] Result<LogKeys> generate_log_keys(KeyOps& ops, Random& random,
                                                const LogKeyShape& shape = {});
[[nodiscard]] Result<NextTier> generate_next(KeyOps& ops, const LogKeyShape& shape = {});
[[nodiscard]] Result<RecoveryTier> generate_recovery(KeyOps& ops, Random& random,
                                                     const LogKeyShape& shape = {});
/// The next keys, turned into active ones for a rotate (log_next -> log_active).
[[nodiscard]] Result<std::vector<KeyPair>> activate_next_keys(KeyOps& ops,
                                                              const std::vector<KeyPair>& next);
[[nodiscard]] std::vector<std::string> multikeys(const std::vector<KeyPair>& pairs);

/// Content out of fresh keys, with the default windows.
[[nodiscard]] LogContent make_content(const LogKeys& keys, std::vector<std::string> ledgers,
                                      Json state);

/// `content.state` names its own log as "did:kith:{SCID}"; the id is filled in here.
/// Errors: malformed.
[[nodiscard]] Result<Entry> make_genesis(Kind kind, const LogContent& content, bool test,
                                         AnchorTime now);
/// Errors of the following: wrong_state when the log is deactivated.
[[nodiscard]] Result<Entry> make_update(const LogView& view, Json state, AnchorTime now);

struct RotateSpec {
  KeySet keys;  ///< Each key's digest is in the log's next.kd.
  NextKeys next;
  std::optional<RecoveryRule> rec;  ///< Unchanged if absent.
  std::optional<Json> state;        ///< Unchanged if absent.
};
/// Sign with >= max(previous next.t, keys.t) of the new keys. Errors: refused (a key that was not
/// announced).
[[nodiscard]] Result<Entry> make_rotate(const LogView& view, RotateSpec spec, AnchorTime now);

/// `fork_n`: the newest entry that its owner recognises; the recover takes n = fork_n + 1. `reveal`
/// opens rec.d, or rec.hi, of the fork point; sign with reveal.t of its keys. Errors: not_found (no
/// such n), refused (the reveal is neither, or content.rec names it again).
[[nodiscard]] Result<Entry> make_recover(const LogView& view, std::uint64_t fork_n,
                                         const Reveal& reveal, const LogContent& content,
                                         AnchorTime now);
/// To `ledgers`, the first of which gives order and time from then on; the rest stays. Sign with t
/// of the active keys. Errors: refused (the log does not live on `from`, or `ledgers` names it, or
/// none).
[[nodiscard]] Result<Entry> make_move(const LogView& view, std::string from,
                                      std::vector<std::string> ledgers, AnchorTime now);
/// Cancels the pending recover. Sign with next.t of the next keys at its fork point and, where the
/// recover is the super-quorum's, with reveal.t keys of `reveal`, the ordinary set of that point.
/// Errors: wrong_state (nothing pending), refused (a reveal is missing, not asked for or another).
[[nodiscard]] Result<Entry> make_veto(const LogView& view, AnchorTime now,
                                      const std::optional<Reveal>& reveal = std::nullopt);
[[nodiscard]] Result<Entry> make_deactivate(const LogView& view, AnchorTime now);

/// Signs and adds. Errors: conflict (this key signed already), limit_exceeded, those of
/// KeyOps::sign.
[[nodiscard]] Result<void> add_signature(Entry& entry, const PublicKey& key, KeyOps& ops,
                                         const SealedKey& sealed);
/// The same with a pair; signs with the first `count` of several.
[[nodiscard]] Result<void> add_signature(Entry& entry, const KeyPair& pair, KeyOps& ops);
[[nodiscard]] Result<void> add_signatures(Entry& entry, const std::vector<KeyPair>& pairs,
                                          std::size_t count, KeyOps& ops);
/// A signature that another device or person made. Errors: bad_signature, conflict,
/// limit_exceeded.
[[nodiscard]] Result<void> attach_signature(Entry& entry, const EntrySignature& signature);

}  // namespace kith::ledger
