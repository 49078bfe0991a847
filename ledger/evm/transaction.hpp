#pragma once

/// Transactions with the fees of EIP-1559 (type 2 of EIP-2718), and who signs them.

#include <cstdint>
#include <functional>
#include <optional>

#include "ledger/evm/account.hpp"

namespace kith::ledger::evm {

struct Transaction {
  std::uint64_t chain = 0;
  std::uint64_t nonce = 0;
  std::uint64_t tip = 0;      ///< Wei per gas for who makes the block.
  std::uint64_t fee_max = 0;  ///< Wei per gas at most, the tip included.
  std::uint64_t gas = 0;      ///< At most.
  std::optional<Account> to;  ///< nullopt: makes a contract.
  std::uint64_t value = 0;    ///< Wei.
  Bytes input;
  friend bool operator==(const Transaction&, const Transaction&) = default;
};

struct SignedTransaction {
  Bytes raw;
  Hash hash{};
};

/// An account and how it signs: 65 bytes over a hash, R || S with the low S, and the parity of R's
/// y (crypto/ec_secp256k1.hpp).
struct Signer {
  Account account{};
  std::function<Result<Bytes>(ByteView hash)> sign;
};

/// What is signed.
[[nodiscard]] Hash signing_hash(const Transaction& transaction);
/// Errors: those of the signer, bad_signature (a signature of another form).
[[nodiscard]] Result<SignedTransaction> sign(const Transaction& transaction, const Signer& signer);

}  // namespace kith::ledger::evm
