#pragma once

/// What a ledger is, and the id that commits to it (log-protocol section 1): every reader of a log
/// that names the id applies the same rule of order and time.
///
/// Ledgers of the kinds "etcd" and "evm" sign nothing: order and time come from servers or a chain
/// that the reader trusts. Their descriptors have no key and no witnesses, all others have one.
///
/// JSON (canonical, RFC 8785):
/// {"kind":"leveldb","key":"z6Mk..","origin":"..","urls":["https://.."],
/// "v":"kith-ledger/1","w":0,"witnesses":["z6Mk.."]}. Id: "ledger:" and the multihash of that text.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/key.hpp"
#include "crypto/result.hpp"

namespace kith::ledger {

inline constexpr std::string_view kLedgerIdPrefix = "ledger:";

struct LedgerDescriptor {
  std::string kind;    ///< Backend: "leveldb", "host", "etcd", "evm", "memory"; others are carried.
  std::string origin;  ///< Name in checkpoints (C2SP tlog-checkpoint): unique, no spaces.
  PublicKey key;       ///< Ed25519: signs checkpoints; empty where nothing is signed.
  std::vector<std::string> urls;     ///< Where it is reached; may be empty (a ledger of one home).
  std::vector<PublicKey> witnesses;  ///< Ed25519, distinct.
  std::uint32_t w = 0;               ///< Cosignatures asked for; at most witnesses.size().
  friend bool operator==(const LedgerDescriptor&, const LedgerDescriptor&) = default;
};

/// Whether it signs checkpoints, and so can prove what it says: by its kind.
[[nodiscard]] bool can_prove(const LedgerDescriptor& descriptor);
/// Errors: malformed, bad_key, limit_exceeded (kLedgerUrlsMax, kLedgerWitnessesMax).
[[nodiscard]] Result<void> check_descriptor(const LedgerDescriptor& descriptor);
/// Reads any JSON spelling of one value; unknown members are refused, because the id commits to
/// all. Errors: malformed, unsupported (another version), bad_key, limit_exceeded.
[[nodiscard]] Result<LedgerDescriptor> parse_descriptor(std::string_view text);
/// Canonical. The descriptor is valid (asserted).
[[nodiscard]] std::string descriptor_json(const LedgerDescriptor& descriptor);
[[nodiscard]] std::string ledger_id(const LedgerDescriptor& descriptor);
[[nodiscard]] bool is_ledger_id(std::string_view text);

/// "leveldb:DIR": the ledger of the home that names it. No other node writes there.
inline constexpr std::string_view kHomeLedgerScheme = "leveldb:";
[[nodiscard]] bool is_home_ledger(std::string_view ledger_url);

/// Where the descriptor of the ledger at `ledger_url` is fetched: "<url>/ledger/descriptor".
[[nodiscard]] std::string descriptor_url(std::string_view ledger_url);

}  // namespace kith::ledger
