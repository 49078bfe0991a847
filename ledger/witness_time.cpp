#include "ledger/witness_time.hpp"

#include <algorithm>
#include <vector>

#include "ledger/strict_json.hpp"

namespace kith::ledger {
namespace {

constexpr std::string_view kWitnessTimeDomain = "kith-witness-time/v1";
constexpr std::size_t kWitnessSignatureBytes = 64;
constexpr std::int64_t kSecondsMax = to_ms(kAnchorTimeMax) / 1000;

/// The earliest that this witness says; nullopt: nothing that holds.
std::optional<CosignatureTime> earliest_of(const PublicKey& witness, std::string_view subject,
                                           std::string_view hash,
                                           std::span<const WitnessTime> times) {
  std::optional<CosignatureTime> earliest;
  for (const WitnessTime& one : times) {
    if (!(one.witness == witness) || (earliest && *earliest <= one.time)) continue;
    const std::string text = witness_time_text(subject, hash, one.time);
    if (!crypto::verify(witness, crypto::as_bytes(text), one.signature).has_value()) continue;
    earliest = one.time;
  }
  return earliest;
}

}  // namespace

std::string witness_time_text(std::string_view subject, std::string_view hash,
                              CosignatureTime time) {
  std::string text(kWitnessTimeDomain);
  text.append("\n").append(subject).append("\n").append(hash).append("\n");
  return text.append(std::to_string(time.time_since_epoch().count())).append("\n");
}

Result<WitnessTime> parse_witness_time(const Json& json) {
  TRY(const JsonObject* object, crypto::as_object(json, "a witness's time"));
  CHECK(only_members(*object, {"k", "time", "s"}, "a witness's time"));
  WitnessTime time;
  TRY(const std::string key, crypto::json_string(*object, "k"));
  TRY(time.witness, signing_key(key));
  if (time.witness.type != KeyType::ed25519) return fail(Errc::bad_key, "witnesses have Ed25519");
  TRY(const std::int64_t seconds, ranged_int(*object, "time", 0, kSecondsMax));
  time.time = CosignatureTime{std::chrono::seconds{seconds}};
  TRY(const std::string signature, crypto::json_string(*object, "s"));
  TRY(time.signature, multibase_bytes(signature, kWitnessSignatureBytes, "signature"));
  return time;
}

JsonObject witness_time_json(const WitnessTime& time) {
  JsonObject object;
  object["k"] = crypto::multikey(time.witness);
  object["time"] = std::int64_t{time.time.time_since_epoch().count()};
  object["s"] = crypto::multibase(time.signature);
  return object;
}

std::optional<AnchorTime> witnessed_time(const LedgerDescriptor& ledger, std::string_view subject,
                                         ByteView blob, std::span<const WitnessTime> times) {
  if (ledger.w == 0 || times.size() < ledger.w) return std::nullopt;
  const std::string hash = blob_hash(blob);
  std::vector<CosignatureTime> counted;
  for (const PublicKey& witness : ledger.witnesses) {
    if (const auto time = earliest_of(witness, subject, hash, times)) counted.push_back(*time);
  }
  if (counted.size() < ledger.w) return std::nullopt;
  std::ranges::sort(counted);
  return AnchorTime{counted[ledger.w - 1].time_since_epoch()};
}

}  // namespace kith::ledger
