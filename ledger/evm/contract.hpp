#pragma once

/// The contract of KithLog.sol as the compiler made it (contract.json; a test compiles it again).

#include "crypto/bytes.hpp"

namespace kith::ledger::evm {

/// Input of the transaction that makes the contract.
[[nodiscard]] const Bytes& contract_creation();
/// The code that then lies at its address.
[[nodiscard]] const Bytes& contract_code();

}  // namespace kith::ledger::evm
