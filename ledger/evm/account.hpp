#pragma once

/// Addresses of accounts and contracts: 20 bytes, as text with the checksum of EIP-55 in the case
/// of its letters.

#include <array>
#include <string>
#include <string_view>

#include "crypto/key.hpp"
#include "ledger/evm/keccak.hpp"

namespace kith::ledger::evm {

using Account = std::array<std::uint8_t, 20>;

/// "0x" and 40 digits, with the checksum.
[[nodiscard]] std::string account_text(const Account& account);
/// In small letters, in capitals, or with the right checksum. Errors: malformed.
[[nodiscard]] Result<Account> parse_account(std::string_view text);

/// Of whoever holds the private half. Errors: bad_key (not secp256k1, not on the curve).
[[nodiscard]] Result<Account> account_of(const PublicKey& key);
/// Where the transaction of that number makes a contract.
[[nodiscard]] Account contract_made_by(const Account& sender, std::uint64_t nonce);

}  // namespace kith::ledger::evm
