#include "ledger/witness_time.hpp"

#include <algorithm>

#include "crypto/limits.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {
namespace {

constexpr std::string_view kWitnessTimeDomain = "kith-witness-time/v1";
constexpr std::size_t kWitnessSignatureBytes = 64;
constexpr std::size_t kWordBytesMax = 512;
constexpr std::int64_t kSecondsMax = to_ms(kAnchorTimeMax) / 1000;

/// The earliest that this witness says; nullptr: nothing that holds.
const WitnessTime* earliest_of(const PublicKey& witness, std::string_view subject,
                               std::string_view hash, std::span<const WitnessTime> times) {
  const WitnessTime* earliest = nullptr;
  for (const WitnessTime& one : times) {
    if (!(one.witness == witness) || (earliest && earliest->time <= one.time)) continue;
    const std::string text = witness_time_text(subject, hash, one.time);
    if (!crypto::verify(witness, crypto::as_bytes(text), one.signature).has_value()) continue;
    earliest = &one;
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

Result<std::vector<WitnessTime>> parse_witness_times(const Json& json) {
  if (!json.is_array()) return fail(Errc::malformed, "witnesses' times are not a list");
  const JsonArray& list = json.get_array();
  if (list.size() > limits::kLedgerWitnessesMax) {
    return fail(Errc::limit_exceeded, "more times than a ledger has witnesses");
  }
  std::vector<WitnessTime> times;
  for (const Json& item : list) {
    TRY(WitnessTime one, parse_witness_time(item));
    times.push_back(std::move(one));
  }
  return times;
}

JsonArray witness_times_json(std::span<const WitnessTime> times) {
  JsonArray list;
  for (const WitnessTime& time : times) list.emplace_back(witness_time_json(time));
  return list;
}

std::vector<std::string> witness_words(std::span<const WitnessTime> times) {
  std::vector<std::string> words;
  for (const WitnessTime& time : times) words.push_back(crypto::json_text(witness_time_json(time)));
  return words;
}

std::vector<WitnessTime> times_in(const std::vector<std::string>& words) {
  constexpr std::size_t kWordDepth = 1;
  std::vector<WitnessTime> times;
  for (const std::string& word : words) {
    if (times.size() == limits::kLedgerWitnessesMax) break;
    const auto json = crypto::parse_json(word, {kWordBytesMax, kWordDepth, false, false});
    if (!json.has_value()) continue;
    auto time = parse_witness_time(*json);
    if (time.has_value()) times.push_back(std::move(*time));
  }
  return times;
}

std::vector<WitnessTime> good_times(const LedgerDescriptor& ledger, std::string_view subject,
                                    ByteView blob, std::span<const WitnessTime> times) {
  std::vector<WitnessTime> good;
  if (times.empty()) return good;
  const std::string hash = blob_hash(blob);
  for (const PublicKey& witness : ledger.witnesses) {
    if (const auto* time = earliest_of(witness, subject, hash, times)) good.push_back(*time);
  }
  return good;
}

std::optional<AnchorTime> witnessed_time(const LedgerDescriptor& ledger, std::string_view subject,
                                         ByteView blob, std::span<const WitnessTime> times) {
  if (ledger.w == 0 || times.size() < ledger.w) return std::nullopt;
  std::vector<WitnessTime> good = good_times(ledger, subject, blob, times);
  if (good.size() < ledger.w) return std::nullopt;
  std::ranges::sort(good, {}, &WitnessTime::time);
  return AnchorTime{good[ledger.w - 1].time.time_since_epoch()};
}

}  // namespace kith::ledger
