#include "ledger/descriptor.hpp"

#include "crypto/assert.hpp"
#include "crypto/hash.hpp"
#include "crypto/limits.hpp"
#include "ledger/entry.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {

namespace {

constexpr std::string_view kDescriptorVersion = "kith-ledger/1";
constexpr std::size_t kKindCharsMax = 32;
constexpr std::size_t kOriginCharsMax = 255;

Result<void> check_ledger_key(const PublicKey& key) {
  if (key.type != KeyType::ed25519) return fail(Errc::bad_key, "ledger keys are Ed25519");
  return crypto::check_public_key(key);
}

Result<PublicKey> ledger_key(std::string_view text) {
  TRY(const PublicKey key, signing_key(text));
  CHECK(check_ledger_key(key));
  return key;
}

std::vector<std::string> key_texts(const std::vector<PublicKey>& keys) {
  std::vector<std::string> texts;
  for (const PublicKey& key : keys) texts.push_back(crypto::multikey(key));
  return texts;
}

}  // namespace

bool can_prove(const LedgerDescriptor& descriptor) {
  return descriptor.kind != "etcd" && descriptor.kind != "evm";
}

Result<void> check_descriptor(const LedgerDescriptor& descriptor) {
  CHECK(plain_text(descriptor.kind, "ledger kind", kKindCharsMax));
  CHECK(plain_text(descriptor.origin, "ledger origin", kOriginCharsMax));
  // C2SP names keys by the origin: a plus would end it.
  if (descriptor.origin.find('+') != std::string::npos) {
    return fail(Errc::malformed, "a ledger origin holds no plus");
  }
  if (can_prove(descriptor)) {
    CHECK(check_ledger_key(descriptor.key));
  } else if (!descriptor.key.bytes.empty() || !descriptor.witnesses.empty()) {
    return fail(Errc::malformed, "a ledger of this kind has no key and no witnesses");
  }
  if (descriptor.urls.size() > limits::kLedgerUrlsMax) {
    return fail(Errc::limit_exceeded, "too many ledger addresses");
  }
  for (const std::string& url : descriptor.urls) {
    CHECK(plain_text(url, "ledger address", limits::kHttpUrlCharsMax));
  }
  if (descriptor.witnesses.size() > limits::kLedgerWitnessesMax) {
    return fail(Errc::limit_exceeded, "too many witnesses");
  }
  for (const PublicKey& witness : descriptor.witnesses) CHECK(check_ledger_key(witness));
  if (!all_distinct(descriptor.urls) || !all_distinct(key_texts(descriptor.witnesses))) {
    return fail(Errc::malformed, "a ledger names something twice");
  }
  if (descriptor.w > descriptor.witnesses.size()) {
    return fail(Errc::malformed, "a ledger asks for more witnesses than it has");
  }
  return {};
}

Result<LedgerDescriptor> parse_descriptor(std::string_view text) {
  TRY(const Json json, crypto::parse_json(text, {limits::kJsonBytesMax, 8, false, false}));
  TRY(const JsonObject* object, crypto::as_object(json, "ledger descriptor"));
  CHECK(only_members(*object, {"v", "kind", "origin", "key", "urls", "witnesses", "w"},
                     "a ledger descriptor"));
  TRY(const std::string version, crypto::json_string(*object, "v"));
  if (version != kDescriptorVersion)
    return fail(Errc::unsupported, "another version of descriptors");
  LedgerDescriptor descriptor;
  TRY(descriptor.kind, crypto::json_string(*object, "kind"));
  TRY(descriptor.origin, crypto::json_string(*object, "origin"));
  if (can_prove(descriptor) || object->contains("key")) {
    TRY(const std::string key, crypto::json_string(*object, "key"));
    TRY(descriptor.key, ledger_key(key));
  }
  TRY(descriptor.urls, string_list(*object, "urls", limits::kLedgerUrlsMax));
  TRY(const std::vector<std::string> witnesses,
      string_list(*object, "witnesses", limits::kLedgerWitnessesMax));
  for (const std::string& witness : witnesses) {
    TRY(PublicKey witness_key, ledger_key(witness));
    descriptor.witnesses.push_back(std::move(witness_key));
  }
  TRY(const std::int64_t w, ranged_int(*object, "w", 0, std::int64_t{limits::kLedgerWitnessesMax}));
  descriptor.w = static_cast<std::uint32_t>(w);
  CHECK(check_descriptor(descriptor));
  return descriptor;
}

std::string descriptor_json(const LedgerDescriptor& descriptor) {
  ASSERT(check_descriptor(descriptor).has_value());
  JsonObject object;
  object["v"] = kDescriptorVersion;
  object["kind"] = descriptor.kind;
  object["origin"] = descriptor.origin;
  if (can_prove(descriptor)) object["key"] = crypto::multikey(descriptor.key);
  object["urls"] = json_strings(descriptor.urls);
  object["witnesses"] = json_strings(key_texts(descriptor.witnesses));
  object["w"] = std::int64_t{descriptor.w};
  return crypto::canonical_json(object);
}

std::string ledger_id(const LedgerDescriptor& descriptor) {
  return std::string(kLedgerIdPrefix) +
         crypto::multihash_sha256(crypto::as_bytes(descriptor_json(descriptor)));
}

bool is_ledger_id(std::string_view text) {
  return text.starts_with(kLedgerIdPrefix) && is_digest(text.substr(kLedgerIdPrefix.size()));
}

bool is_home_ledger(std::string_view ledger_url) {
  return ledger_url.starts_with(kHomeLedgerScheme);
}

std::string descriptor_url(std::string_view ledger_url) {
  while (ledger_url.ends_with('/')) ledger_url.remove_suffix(1);
  return std::string(ledger_url) + "/ledger/descriptor";
}

}  // namespace kith::ledger
