#include "recovery/capsule.hpp"

#include <algorithm>

namespace kith::recovery {
namespace {

constexpr std::uint8_t kSizeClass = 0;

}  // namespace

Result<Bytes> make_capsule(const SecretPoint& recovery_key, const CapsuleInput& input,
                           KeyOps& keys) {
  return keys.seal_capsule(*input.unlocked_vault, *input.agent_key, input.agent, recovery_key,
                           input.set_id,
                           static_cast<std::uint64_t>(protocol::epoch_seconds(input.created)));
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
  TRY(KeyOps::OpenedCapsule opened, keys.open_capsule(capsule, recovery_key, opening));
  OpenedCapsule result;
  std::copy_n(opened.set_id.begin(), result.set_id.size(), result.set_id.begin());
  result.vault = std::move(opened.vault);
  result.signer = std::move(opened.signer);
  return result;
}

}  // namespace kith::recovery
