#pragma once

/// Keccak-256 as Ethereum uses it: the submission to NIST's contest, which differs from SHA3-256
/// (FIPS 202) in the byte that pads the message. None of the libraries here has it.

#include <cstdint>

#include "crypto/bytes.hpp"
#include "crypto/hash.hpp"

namespace kith::ledger::evm {

using Hash = crypto::Digest256;

[[nodiscard]] Hash keccak256(ByteView data);

/// The same sponge with the first byte of padding named: 0x01 is Keccak-256, 0x06 SHA3-256, by
/// which tests compare the permutation with another program's.
[[nodiscard]] Hash keccak256_padded(ByteView data, std::uint8_t first_pad);

}  // namespace kith::ledger::evm
