#pragma once

/// The capsule of a set (recovery-protocol section 3.2): the vault's private key and the set id in
/// a container of the smallest size class, counter 0. Here it is one run of bytes, the container's
/// records one after the other. KeyOps makes and opens it, so that
/// the vault's key stays there.

#include "crypto/key_ops.hpp"
#include "crypto/sealed_backup.hpp"
#include "protocol/time.hpp"
#include "recovery/ids.hpp"

namespace kith::recovery {

struct CapsuleInput {
  SetId set_id{};
  const SealedKey* unlocked_vault = nullptr;  ///< Purpose vault; not owned.
  const SealedKey* agent_key = nullptr;       ///< Purpose agent; not owned.
  PublicKey agent;
  Time created{};
};
/// Errors: those of KeyOps and of crypto::seal_container.
[[nodiscard]] Result<Bytes> make_capsule(const SecretPoint& recovery_key, const CapsuleInput& input,
                                         KeyOps& keys);

/// Its core: what partials are asked for. Errors: malformed (size, not a capsule).
[[nodiscard]] Result<crypto::ContainerCore> capsule_core(ByteView capsule);

struct OpenedCapsule {
  SetId set_id{};
  KeyPair vault;     ///< Sealed for this agent; unlocked.
  PublicKey signer;  ///< Whose signature was checked; the policy says whether it was authorized.
};
/// `opening` = e*Y. Errors: malformed, bad_key (Y), cannot_decrypt, bad_signature.
[[nodiscard]] Result<OpenedCapsule> open_capsule(ByteView capsule, const SecretPoint& recovery_key,
                                                 const SecretPoint& opening, KeyOps& keys);

}  // namespace kith::recovery
