#pragma once

/// A witness's word that it saw a blob at a time: what keeps a ledger that does not take an entry
/// from making it late (log-protocol section 4, censorship). A recover or veto with such words of w
/// of the witnesses that its ledger's descriptor names is judged by them: log_reader.hpp says how.
///
///     {"k":"<witness, Multikey>","time":<seconds since 1970>,"s":"<multibase signature>"}
///
/// Signed is text of four lines, which is neither an entry nor the note of a checkpoint:
///
///     kith-witness-time/v1
///     <subject, a did:kith>
///     <blob_hash, base58btc multihash of the whole blob>
///     <time>
///
/// A witness sees no entry, only its hash, and says nothing about its worth.
///
/// Pure. Words come from files and peers: they count when they were verified here.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/json.hpp"
#include "ledger/checkpoint.hpp"
#include "ledger/descriptor.hpp"

namespace kith::ledger {

struct WitnessTime {
  PublicKey witness;
  CosignatureTime time;
  Bytes signature;
  friend bool operator==(const WitnessTime&, const WitnessTime&) = default;
};

/// What the witness signs. `hash`: blob_hash() of entry.hpp, which covers the signatures too.
[[nodiscard]] std::string witness_time_text(std::string_view subject, std::string_view hash,
                                            CosignatureTime time);

/// Errors: malformed, bad_key.
[[nodiscard]] Result<WitnessTime> parse_witness_time(const Json& json);
[[nodiscard]] JsonObject witness_time_json(const WitnessTime& time);

/// A list of them: an array, of at most kLedgerWitnessesMax. Errors: malformed, bad_key,
/// limit_exceeded.
[[nodiscard]] Result<std::vector<WitnessTime>> parse_witness_times(const Json& json);
[[nodiscard]] JsonArray witness_times_json(std::span<const WitnessTime> times);

/// As records carry them: the JSON text of each.
[[nodiscard]] std::vector<std::string> witness_words(std::span<const WitnessTime> times);
/// Without those that do not read, and those beyond kLedgerWitnessesMax.
[[nodiscard]] std::vector<WitnessTime> times_in(const std::vector<std::string>& words);

/// What of `times` holds: of each witness of `ledger` its earliest good word about the blob, in the
/// descriptor's order.
[[nodiscard]] std::vector<WitnessTime> good_times(const LedgerDescriptor& ledger,
                                                  std::string_view subject, ByteView blob,
                                                  std::span<const WitnessTime> times);

/// The w-th smallest time at which a witness of `ledger` says that it saw the blob: each counts
/// once, by its earliest good word. Words of others, about other blobs, or that are not signed well
/// count nothing. nullopt: fewer than w, or w is 0.
[[nodiscard]] std::optional<AnchorTime> witnessed_time(const LedgerDescriptor& ledger,
                                                       std::string_view subject, ByteView blob,
                                                       std::span<const WitnessTime> times);

}  // namespace kith::ledger
