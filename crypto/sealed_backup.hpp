#pragma once

/// The sealed container of recovery-protocol section 3: backups, capsules and log parts, readable
/// only with e*Y. It is a sequence of records whose sizes follow from the size class alone:
///
///   first   core (114 bytes) || header of the stream (24 bytes)
///   then    chunks of at most limits::kBackupChunkBytes: length (u64) || content || zeros
///   last    the signer's key and signature over (core, SHA-256 of header and chunks)
///
/// All but the core is one secretstream (XChaCha20-Poly1305, libsodium) under
/// HKDF-SHA-256(e*Y, salt = E || Y, info = core). The bytes of all records together are exactly
/// container_bytes(size class), so nothing else of the content's length shows. Nothing of the
/// content is returned before the last record was checked.
///
/// Pure; one record a call, so that a caller can do other work between records. An object belongs
/// to one thread at a time. The stream's header is drawn by libsodium (SodiumRandomGuard in
/// simulation).

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "crypto/bytes.hpp"
#include "crypto/hash.hpp"
#include "crypto/key.hpp"
#include "crypto/random.hpp"
#include "crypto/result.hpp"
#include "crypto/ristretto.hpp"
#include "crypto/secret_point.hpp"

namespace kith::crypto {

/// The core's first byte. Values are stored: never renumber.
enum class ContainerFormat : std::uint8_t {
  backup = 1,    ///< Counter from 1 up.
  capsule = 2,   ///< Counter 0, always the smallest size class.
  log_part = 3,  ///< Counter from 1 up.
};

/// Stored sizes are 4 KiB, 16 KiB, ... 64 MiB: steps of four.
inline constexpr std::size_t kContainerSizeClasses = 8;
inline constexpr std::size_t kContainerCoreBytes = 114;

/// Public: a location sees it.
struct ContainerCore {
  ContainerFormat format = ContainerFormat::backup;
  std::uint8_t size_class = 0;
  std::uint64_t counter = 0;
  std::uint64_t created_s = 0;  ///< Seconds since 1970, as the sealing device believed.
  std::array<std::uint8_t, 32> core_salt{};
  Point ephemeral;                        ///< E = e*G
  std::array<std::uint8_t, 32> ycheck{};  ///< Tells a holder of Y whether Y fits.
};

/// One encoding for one core: the fields in the order above, integers big-endian.
[[nodiscard]] Bytes encode(const ContainerCore& core);
/// Errors: malformed (size, format, class, counter against format, E).
[[nodiscard]] Result<ContainerCore> parse_container_core(ByteView bytes);
/// H("core", core) as heartbeats carry it (section 4).
[[nodiscard]] Digest256 core_digest(const ContainerCore& core);
/// H("ycheck", core_salt, Y).
[[nodiscard]] Digest256 ycheck(ByteView core_salt, const SecretPoint& recovery_key);

/// Bytes of all records together. Asserts size_class < kContainerSizeClasses.
[[nodiscard]] std::size_t container_bytes(std::uint8_t size_class);
/// Most content that fits. Asserts as above.
[[nodiscard]] std::size_t container_capacity(std::uint8_t size_class);
/// Bytes of each record in order, the core's first. Asserts as above.
[[nodiscard]] std::vector<std::size_t> container_record_bytes(std::uint8_t size_class);

/// Signs with the agent's key: 64 bytes, as KeyOps::sign gives them.
using ContainerSign = std::function<Result<Bytes>(ByteView message)>;

struct ContainerParams {
  ContainerFormat format = ContainerFormat::backup;
  std::uint64_t counter = 0;
  std::uint64_t created_s = 0;
  PublicKey signer;  ///< Ed25519 or secp256k1.
};

class ContainerSealer {
 public:
  /// Chooses the smallest class that holds `content`. Errors: limit_exceeded (content too large),
  /// malformed (counter against format), bad_key (signer).
  [[nodiscard]] static Result<ContainerSealer> start(const SecretPoint& recovery_key,
                                                     const ContainerParams& params,
                                                     SecretBytes content, ContainerSign sign,
                                                     Random& random);
  ~ContainerSealer();
  ContainerSealer(ContainerSealer&&) noexcept;
  ContainerSealer& operator=(ContainerSealer&&) noexcept;

  [[nodiscard]] const ContainerCore& core() const;
  /// The next record; nothing after the last. Errors: those of `sign`; bad_signature when what it
  /// gave does not fit the signer's key. After an error the object must not be used again.
  [[nodiscard]] Result<std::optional<Bytes>> next();

 private:
  struct State;
  explicit ContainerSealer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// All records at once, for contents that are small anyway.
[[nodiscard]] Result<std::vector<Bytes>> seal_container(const SecretPoint& recovery_key,
                                                        const ContainerParams& params,
                                                        SecretBytes content, ContainerSign sign,
                                                        Random& random);

struct OpenedContainer {
  ContainerCore core;
  SecretBytes content;
  /// Whose signature was checked. Whether that agent was authorized is the policy's business.
  PublicKey signer;
};

class ContainerOpener {
 public:
  /// `opening` = e*Y: from the partials, or Y's holder computes it. Errors: malformed; bad_key when
  /// `recovery_key` does not fit the core's ycheck.
  [[nodiscard]] static Result<ContainerOpener> start(ByteView first_record,
                                                     const SecretPoint& recovery_key,
                                                     const SecretPoint& opening);
  ~ContainerOpener();
  ContainerOpener(ContainerOpener&&) noexcept;
  ContainerOpener& operator=(ContainerOpener&&) noexcept;

  [[nodiscard]] const ContainerCore& core() const;
  /// The records after the first, in order. Errors: malformed (size, too many, contents);
  /// cannot_decrypt (altered, out of order, or `opening` is wrong); bad_signature. After an error
  /// every further call fails with wrong_state.
  [[nodiscard]] Result<void> add(ByteView record);
  /// Errors: malformed while records are missing; wrong_state after an error or a second call.
  [[nodiscard]] Result<OpenedContainer> finish();

 private:
  struct State;
  explicit ContainerOpener(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// All records at once. Errors: as ContainerOpener.
[[nodiscard]] Result<OpenedContainer> open_container(std::span<const Bytes> records,
                                                     const SecretPoint& recovery_key,
                                                     const SecretPoint& opening);

}  // namespace kith::crypto
