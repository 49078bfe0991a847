#pragma once

/// KeyOps somewhere else: each operation is one frame there and one back (key_wire.hpp), through a
/// channel that the caller gives. Records are sealed and opened here, with keys that open nothing
/// else (record_keys.hpp): the disk is read and written by this process anyway, and thousands of
/// times as often as a private key is used.
///
/// When the other side is gone, every operation fails with keys_gone, for good; what was decided
/// after that must not be kept (see gone()). Errors besides those of KeyOps: keys_gone,
/// limit_exceeded (larger than limits::kKeyFrameBytesMax).
///
/// Thread-safety: none, as KeyOps.

#include "crypto/key_ops.hpp"
#include "crypto/key_wire.hpp"
#include "crypto/random.hpp"
#include "crypto/record_keys.hpp"
#include "crypto/wire_buffer.hpp"

namespace kith::crypto {

class KeyChannel {
 public:
  virtual ~KeyChannel() = default;
  /// Hands the request over and puts the answer into its place. Errors: keys_gone.
  [[nodiscard]] virtual Result<void> exchange(WireBuffer& frame) = 0;
};

class RemoteKeys final : public KeyOps {
 public:
  /// Both references outlive it.
  RemoteKeys(KeyChannel& channel, RecordKeys records, Random& random)
      : channel_(channel), records_(std::move(records)), random_(random) {}

  /// An operation has failed because the other side is gone.
  [[nodiscard]] bool gone() const { return gone_; }

  Result<KeyPair> generate(KeyType type, KeyPurpose purpose) override;
  Result<SealedKey> generate_secret(KeyPurpose purpose) override;
  Result<Bytes> sign(const SealedKey& key, ByteView message) override;
  Result<Bytes> sign_hash(const SealedKey& key, ByteView hash) override;
  Result<SealedKey> activate_next(const SealedKey& key) override;
  Result<Bytes> wrap_cek(const SealedKey* sender, const PublicKey& recipient,
                         const SecretBytes& ephemeral_private, const WrapContext& context,
                         const SecretBytes& cek) override;
  Result<SecretBytes> unwrap_cek(const SealedKey& recipient, const PublicKey* sender,
                                 const PublicKey& ephemeral, const WrapContext& context,
                                 ByteView wrapped) override;
  void forget_agreements(const PublicKey& key) override;
  Result<Bytes> seal_to(const PublicKey& recipient, ByteView ad, ByteView plaintext) override;
  Result<Bytes> open_box(const SealedKey& recipient, ByteView ad, ByteView box) override;
  Bytes seal_record(std::string_view name, ByteView plaintext) override;
  Result<Bytes> open_record(std::string_view name, ByteView sealed) override;
  Bytes record_name(std::string_view name) override;
  Result<NewVault> create_vault(StepUp step_up) override;
  Result<VaultItem> seal_to_vault(const PublicKey& vault, const SealedKey& key) override;
  Result<SealedKey> unlock_vault(const LockedVault& vault, StepUp step_up) override;
  Result<LockedVault> lock_vault(const SealedKey& unlocked, StepUp step_up) override;
  Result<KeyPair> open_vault_item(const SealedKey& unlocked_vault, const VaultItem& item) override;
  Result<Bytes> hand_over_vault(const SealedKey& unlocked_vault, const PublicKey& recipient,
                                ByteView ad) override;
  Result<KeyPair> take_over_vault(const SealedKey& session, ByteView ad, ByteView box) override;
  Result<Bytes> seal_capsule(const SealedKey& unlocked_vault, const SealedKey& agent_key,
                             const PublicKey& agent, const SecretPoint& recovery_key,
                             ByteView set_id, std::uint64_t created_s) override;
  Result<OpenedCapsule> open_capsule(ByteView capsule, const SecretPoint& recovery_key,
                                     const SecretPoint& opening) override;
  Result<Dealing> deal(const DealShape& shape) override;
  Result<Bytes> seal_share_to(const SealedShare& share, const PublicKey& trustee,
                              ByteView ad) override;
  Result<SealedShare> accept_share(const SealedKey& recipient, ByteView ad, ByteView box,
                                   const Point& share_point) override;
  Result<PartialAnswer> partial(const SealedShare& share, const std::vector<Point>& blinded,
                                ByteView statement) override;
  Result<Bytes> prove_share(const SealedShare& share, ByteView statement) override;

 private:
  template <auto Method, class... Args>
  auto call(KeyCall which, const Args&... args);

  KeyChannel& channel_;
  RecordKeys records_;
  Random& random_;
  WireBuffer frame_;
  bool gone_ = false;
};

}  // namespace kith::crypto
