#pragma once

/// PBKDF2 with HMAC-SHA-256 (RFC 8018 section 5.2), one block. SLIP-0039 asks for it; passphrases
/// of wallets go through Argon2id (passphrase.hpp).
///
/// Here only the order of the hashes: OpenSSL's own PBKDF2 spends two thirds of its time between
/// them. The hashes are OpenSSL's, which take the processor's SHA extensions where it has them.
/// Pure functions; any thread; time depends on lengths and iterations alone.

#include <cstddef>
#include <cstdint>

#include "crypto/secret_bytes.hpp"

namespace kith::crypto {

/// 1 <= iterations; 1 <= key_bytes <= 32.
[[nodiscard]] SecretBytes pbkdf2_sha256(ByteView password, ByteView salt, std::uint32_t iterations,
                                        std::size_t key_bytes);

}  // namespace kith::crypto
