#include "ledger/evm/contract.hpp"

#include <string>
#include <string_view>

namespace kith::ledger::evm {

namespace {

/// Copies what follows it, and gives that back.
constexpr std::string_view kConstructor =
    "6080604052348015600f57600080fd5b506101318061001f6000396000f3fe";
constexpr std::string_view kCode =
    "608060405234801561001057600080fd5b506004361061002b5760003560e01c806343a860f414610030575b6000"
    "80fd5b61004361003e366004610084565b610045565b005b827f15b84d0ddd30f8abfb38fbfaf8c1e39c3288e971"
    "a44a94d2b1b1334316a9b2d98383604051610077929190610102565b60405180910390a2505050565b6000806000"
    "6040848603121561009957600080fd5b83359250602084013567ffffffffffffffff8111156100b757600080fd5b"
    "8401601f810186136100c857600080fd5b803567ffffffffffffffff8111156100df57600080fd5b866020828401"
    "0111156100f157600080fd5b939660209190910195509293505050565b6020815281602082015281836040830137"
    "6000818301604090810191909152601f909201601f1916010191905056";

Bytes code_bytes(const std::string& digits) {
  return crypto::from_hex(digits).value();
}

}  // namespace

const Bytes& contract_creation() {
  static const Bytes code = code_bytes(std::string(kConstructor) + std::string(kCode));
  return code;
}

const Bytes& contract_code() {
  static const Bytes code = code_bytes(std::string(kCode));
  return code;
}

}  // namespace kith::ledger::evm
