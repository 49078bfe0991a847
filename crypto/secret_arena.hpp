#pragma once

/// Memory for SecretBytes: whole pages locked against swapping and left out of core dumps, cut into
/// blocks of a few sizes. sodium_malloc would spend four pages a secret; thousands of simulated
/// agents cannot afford that.
///
/// Locking is best effort: without the privilege the pages stay swappable (see
/// secret_memory_locked). Thread-safe.

#include <cstddef>
#include <cstdint>

namespace kith::crypto {

/// Zeroed memory; size_bytes > 0. Aborts when the machine has no memory left.
[[nodiscard]] std::uint8_t* secret_allocate(std::size_t size_bytes);

/// Wipes and takes back. `size_bytes` is that of the allocation.
void secret_release(std::uint8_t* memory, std::size_t size_bytes) noexcept;

/// False once any page could not be locked: `kith doctor` tells the user.
[[nodiscard]] bool secret_memory_locked();

}  // namespace kith::crypto
