#include "recovery/capsule.hpp"

#include <algorithm>

namespace kith::recovery {
namespace {

constexpr std::size_t kVaultKeyBytes = 32;
constexpr std::uint8_t kSizeClass = 0;

Result<std::vector<Bytes>> records_of(ByteView capsule) {
  if (capsule.size() != crypto::container_bytes(kSizeClass)) {
    return fail(Errc::malformed, "capsule: wrong size");
  }
  std::vector<Bytes> records;
  for (const std::size_t size : crypto::container_record_bytes(kSizeClass)) {
    records.push_back(crypto::to_bytes(capsule.first(size)));
    capsule = capsule.subspan(size);
  }
  return records;
}

}  // namespace

Result<Bytes> make_capsule(const SecretPoint& recovery_key, const CapsuleInput& input, KeyOps& keys,
                           Random& random) {
  TRY(const SecretBytes vault, keys.export_vault_for_capsule(*input.unlocked_vault));
  SecretBytes content(input.set_id.size() + vault.size());
  const auto to = content.expose_mutable();
  std::copy(input.set_id.begin(), input.set_id.end(), to.begin());
  std::copy(vault.expose().begin(), vault.expose().end(),
            to.begin() + static_cast<std::ptrdiff_t>(input.set_id.size()));
  const crypto::ContainerParams params{
      crypto::ContainerFormat::capsule, 0,
      static_cast<std::uint64_t>(protocol::epoch_seconds(input.created)), input.agent};
  const auto sign = [&](ByteView message) { return keys.sign(*input.agent_key, message); };
  TRY(const std::vector<Bytes> records,
      crypto::seal_container(recovery_key, params, std::move(content), sign, random));
  Bytes capsule;
  for (const Bytes& record : records) crypto::append(capsule, record);
  return capsule;
}

Result<crypto::ContainerCore> capsule_core(ByteView capsule) {
  if (capsule.size() != crypto::container_bytes(kSizeClass)) {
    return fail(Errc::malformed, "capsule: wrong size");
  }
  TRY(crypto::ContainerCore core,
      crypto::parse_container_core(capsule.first(crypto::kContainerCoreBytes)));
  if (core.format != crypto::ContainerFormat::capsule) {
    return fail(Errc::malformed, "capsule: another container");
  }
  return core;
}

Result<OpenedCapsule> open_capsule(ByteView capsule, const SecretPoint& recovery_key,
                                   const SecretPoint& opening, KeyOps& keys) {
  CHECK(capsule_core(capsule));
  TRY(const std::vector<Bytes> records, records_of(capsule));
  TRY(const crypto::OpenedContainer opened, crypto::open_container(records, recovery_key, opening));
  const auto content = opened.content.expose();
  OpenedCapsule result;
  if (content.size() != result.set_id.size() + kVaultKeyBytes) {
    return fail(Errc::malformed, "capsule: contents");
  }
  std::copy_n(content.begin(), result.set_id.size(), result.set_id.begin());
  TRY(result.vault,
      keys.import_vault_from_capsule(SecretBytes::copy_of(content.last(kVaultKeyBytes))));
  result.signer = opened.signer;
  return result;
}

}  // namespace kith::recovery
