#pragma once

/// Secret memory: locked against swapping, kept out of core dumps, wiped when released. Move-only;
/// cannot be printed, compared with ==, or serialised by accident.
///
/// Locking is best effort: without the privilege the pages stay swappable (secret_memory_locked).
/// Thread-safety: different objects may be used from different threads; the worker thread holds
/// secrets too.

#include <cstddef>
#include <cstdint>
#include <span>

#include "crypto/bytes.hpp"

namespace kith::crypto {

class SecretBytes {
 public:
  SecretBytes() = default;                       ///< Empty.
  explicit SecretBytes(std::size_t size_bytes);  ///< Zeroed.
  /// Copies; the caller stays responsible for wiping its own copy.
  [[nodiscard]] static SecretBytes copy_of(std::span<const std::uint8_t> bytes);
  /// Moves a buffer's content in and wipes the buffer.
  [[nodiscard]] static SecretBytes take(Bytes& bytes);
  ~SecretBytes();

  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  bool operator==(const SecretBytes&) const = delete;

  [[nodiscard]] SecretBytes clone() const;  ///< A deliberate copy.
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// The content, for the cryptographic call that needs it. Do not copy it elsewhere.
  [[nodiscard]] std::span<const std::uint8_t> expose() const { return {data_, size_}; }
  [[nodiscard]] std::span<std::uint8_t> expose_mutable() { return {data_, size_}; }

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

/// False once any page could not be locked: `kith doctor` tells the user.
[[nodiscard]] bool secret_memory_locked();

/// Takes the same time whatever the content; lengths are public.
[[nodiscard]] bool equal_constant_time(ByteView a, ByteView b);

/// Overwrites memory in a way the compiler does not remove.
void wipe(std::span<std::uint8_t> memory);
void wipe(std::string& text);

}  // namespace kith::crypto

namespace kith {
using crypto::SecretBytes;
}
