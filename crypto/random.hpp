#pragma once

/// The one seam for randomness. The node uses OsRandom; simulation and tests use SeededRandom with
/// named streams, so that adding a draw in one place does not shift the others.
///
/// Never make two draws in one argument list: C++ leaves their order open (the tidy test looks).

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "crypto/bytes.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::crypto {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;

  [[nodiscard]] Bytes bytes(std::size_t count);
  [[nodiscard]] SecretBytes secret(std::size_t count);
  [[nodiscard]] std::uint64_t u64();
  /// Uniform in [0, bound), without modulo bias. bound > 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);
};

/// The operating system's generator, through libsodium.
class OsRandom final : public Random {
 public:
  OsRandom();
  void fill(std::span<std::uint8_t> out) override;
};

/// Deterministic: the same seed and name give the same stream on every machine and compiler.
/// For simulation and tests only.
class SeededRandom final : public Random {
 public:
  SeededRandom(std::uint64_t seed, std::string_view stream_name);
  void fill(std::span<std::uint8_t> out) override;
  /// A stream of its own, decided by this stream's identity and `name`, not by its position.
  [[nodiscard]] SeededRandom fork(std::string_view name) const;

 private:
  explicit SeededRandom(const std::array<std::uint8_t, 32>& key) : key_(key) {}
  std::array<std::uint8_t, 32> key_{};
  std::uint64_t block_ = 0;
};

/// Makes libsodium draw from `random` in this thread until the guard is gone (simulation only);
/// other threads keep the system's generator or their own guard's. `random` must outlive it.
class SodiumRandomGuard {
 public:
  explicit SodiumRandomGuard(Random& random);
  ~SodiumRandomGuard();
  SodiumRandomGuard(const SodiumRandomGuard&) = delete;
  SodiumRandomGuard& operator=(const SodiumRandomGuard&) = delete;

 private:
  Random* previous_;
};

}  // namespace kith::crypto

namespace kith {
using crypto::Random;
}
