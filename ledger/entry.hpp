#pragma once

/// Log entries: the one signed format of DID logs, policies and pairwise microledgers
/// (log-protocol section 1; JSON in the canonical form of RFC 8785).
///
/// What the protocol leaves open is fixed here, for every reader alike:
/// - All digests are multihash sha2-256 in multibase ("zQm..."), the SCID too. Signatures and salts
///   are multibase 'z'. The genesis entry has n = 0 and prev = "".
/// - genesis, update, rotate, recover and move carry the whole content (keys, next, rec, ledgers,
///   state), so each entry can be read alone; "unchanged" is a rule, not an absence. veto and
///   deactivate carry none of it.
/// - The literal "{SCID}" may not remain in a genesis entry: else two entries had one SCID.
///
/// Everything is pure; results are values owned by the caller. Errors of parsing: `malformed`,
/// `limit_exceeded` (kEntryBytesMax, kEntryDepthMax, kEntryKeysMax), `bad_key`, `unsupported`
/// (another version). Nothing in a blob can make these functions assert.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/bytes.hpp"
#include "crypto/hash.hpp"
#include "crypto/json.hpp"
#include "crypto/key.hpp"
#include "crypto/result.hpp"

namespace kith::ledger {

/// Time as a ledger anchors it: milliseconds since 1970 UTC. Order and windows use this alone; an
/// entry's own "time" is information for people and cannot be mixed up with it.
struct AnchorClock {
  using duration = std::chrono::milliseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<AnchorClock>;
  static constexpr bool is_steady = false;
};
using AnchorTime = AnchorClock::time_point;

[[nodiscard]] constexpr AnchorTime anchor_time_ms(std::int64_t ms) {
  return AnchorTime{std::chrono::milliseconds{ms}};
}
[[nodiscard]] constexpr std::int64_t to_ms(AnchorTime time) {
  return time.time_since_epoch().count();
}
/// Anchor times outside [0, this] are clamped by the reader, so that sums never overflow.
inline constexpr AnchorTime kAnchorTimeMax = anchor_time_ms(253'402'300'799'000);  // year 9999
/// "2026-11-22T01:00:00Z": whole seconds, as entries and DID metadata write it.
[[nodiscard]] std::string utc_text(AnchorTime time);

enum class Kind : std::uint8_t { did = 1, policy = 2, pair = 3 };
enum class Op : std::uint8_t {
  genesis = 1,
  update = 2,
  rotate = 3,
  recover = 4,
  veto = 5,
  move = 6,
  deactivate = 7,
};
[[nodiscard]] std::string_view kind_name(Kind kind);
[[nodiscard]] std::string_view op_name(Op op);

inline constexpr std::string_view kDidPrefix = "did:kith:";
inline constexpr std::string_view kScidPlaceholder = "{SCID}";
inline constexpr std::chrono::seconds kDelayDefault = std::chrono::hours{72};
inline constexpr std::chrono::seconds kContestDefault = std::chrono::hours{24 * 49};
/// After a veto, recovery through rec.d rests this long.
inline constexpr std::chrono::seconds kBackOff = std::chrono::hours{24 * 14};
/// Outside test logs C is at least 2 D and this (log-protocol section 4).
inline constexpr std::chrono::seconds kContestBase = std::chrono::hours{24 * 21};
/// D and C are at most ten years.
inline constexpr std::chrono::seconds kWindowMax = std::chrono::hours{24 * 3650};
inline constexpr std::size_t kLedgersMax = 8;
inline constexpr std::size_t kLedgerIdCharsMax = 512;
inline constexpr std::size_t kSaltBytes = 32;

/// Revealed keys as Multikeys (Ed25519 or secp256k1), distinct; 1 <= t <= k.size().
struct KeySet {
  std::uint32_t t = 1;
  std::vector<std::string> k;
  friend bool operator==(const KeySet&, const KeySet&) = default;
};

/// Digests of the next keys (kd = key_digest(Multikey)), distinct; 1 <= t <= kd.size().
struct NextKeys {
  std::uint32_t t = 1;
  std::vector<std::string> kd;
  friend bool operator==(const NextKeys&, const NextKeys&) = default;
};

/// Recovery authority, hidden until used, and the two windows.
struct RecoveryRule {
  std::string d;                                   ///< recovery_digest of the ordinary set.
  std::optional<std::string> hi;                   ///< Of the super-quorum set.
  std::chrono::seconds delay = kDelayDefault;      ///< D
  std::chrono::seconds contest = kContestDefault;  ///< C
  friend bool operator==(const RecoveryRule&, const RecoveryRule&) = default;
};

/// An opened recovery set: hashes to rec.d or rec.hi.
struct Reveal {
  std::uint32_t t = 1;
  std::vector<std::string> k;
  std::string salt;  ///< Multibase 'z' of kSaltBytes random bytes.
  friend bool operator==(const Reveal&, const Reveal&) = default;
};

/// What an entry sets. `state` is the DID document, the policy or the pair state.
struct LogContent {
  KeySet keys;
  NextKeys next;
  RecoveryRule rec;
  std::vector<std::string> ledgers;  ///< Ledger ids; empty for a microledger.
  Json state;
  friend bool operator==(const LogContent&, const LogContent&) = default;
};

struct EntrySignature {
  std::string k;  ///< Multikey of the signer.
  Bytes s;        ///< 64 bytes.
  friend bool operator==(const EntrySignature&, const EntrySignature&) = default;
};

struct Entry {
  Kind kind = Kind::did;
  Op op = Op::genesis;
  std::string id;  ///< "did:kith:<SCID>"
  std::uint64_t n = 0;
  std::string prev;   ///< Hash of the entry before; "" in genesis.
  std::string time;   ///< Information only.
  bool test = false;  ///< Genesis only.
  std::optional<LogContent> content;
  std::optional<Reveal> reveal;     ///< recover; veto of a super-quorum recover.
  std::optional<std::string> ref;   ///< veto: the pending recover.
  std::optional<std::string> from;  ///< move: the old ledger.
  std::vector<EntrySignature> sigs;
  friend bool operator==(const Entry&, const Entry&) = default;
};

/// Strict: canonical bytes only, ASCII names, no floats, no null, no unknown members, members
/// exactly as the op asks, keys and digests well-formed. Checks shape; the rules between entries
/// and the signatures are the reader's.
[[nodiscard]] Result<Entry> parse_entry(ByteView blob);

/// The canonical blob with signatures, as a ledger stores it. parse_entry reads it back equal.
[[nodiscard]] Bytes entry_blob(const Entry& entry);

/// Identity of an entry: hash of its canonical form without signatures.
[[nodiscard]] std::string entry_hash(const Entry& entry);
/// What signers sign: "kith-log-v1\n" || the 32-byte digest that entry_hash encodes.
[[nodiscard]] Bytes signed_message(const Entry& entry);
/// What both of these come from: the digest of an entry's canonical form without signatures.
using EntryDigest = crypto::Digest256;
/// Of a blob that parse_entry took (asserted as far as it shows): its text is cut, not made anew.
[[nodiscard]] EntryDigest digest_of_blob(ByteView blob);
[[nodiscard]] std::string entry_hash(const EntryDigest& digest);
[[nodiscard]] Bytes signed_message(const EntryDigest& digest);

/// entry_hash of the entry that `blob` holds; empty: it holds none.
[[nodiscard]] std::string entry_hash_in(ByteView blob);

/// Idempotency key of a ledger: hash of the blob with signatures.
[[nodiscard]] std::string blob_hash(ByteView blob);

/// SCID of a genesis entry: its hash with "{SCID}" in the place of every occurrence of the SCID in
/// entry.id. A draft, with "did:kith:{SCID}" as id, works alike.
[[nodiscard]] std::string compute_scid(const Entry& genesis);
/// Puts the SCID into a draft made with "{SCID}" everywhere. Errors: malformed (not a draft, or
/// member names that hold the placeholder).
[[nodiscard]] Result<Entry> fill_scid(const Entry& draft);

/// The keys of its signatures, in their order.
[[nodiscard]] std::vector<std::string> signers_of(const Entry& entry);

/// kd of a Multikey.
[[nodiscard]] std::string key_digest(std::string_view multikey);
/// Digest of JCS{k, salt, t}: rec.d or rec.hi.
[[nodiscard]] std::string recovery_digest(const Reveal& reveal);

/// Does this text have the form of a digest ("zQm...", 34 bytes sha2-256 multihash)?
[[nodiscard]] bool is_digest(std::string_view text);
/// Reads a Multikey that may sign entries: Ed25519 or secp256k1, in the one spelling that
/// crypto::multikey writes. Errors: malformed, unsupported, bad_key.
[[nodiscard]] Result<PublicKey> signing_key(std::string_view multikey);

}  // namespace kith::ledger
