#include "node/known_answers.hpp"

#include <array>

#include "ledger/evm/keccak.hpp"

namespace kith::node {
namespace {

/// As Ethereum's own programs give it.
bool keccak_passes() {
  return crypto::hex(ledger::evm::keccak256(crypto::as_bytes("abc"))) ==
         "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45";
}

constexpr std::array kOfLedgers{crypto::SelfTest{"Keccak-256", keccak_passes}};

}  // namespace

std::span<const crypto::SelfTest> ledger_self_tests() {
  return kOfLedgers;
}

crypto::Result<void> check_known_answers() {
  CHECK(crypto::run_self_tests());
  return crypto::run_self_tests(kOfLedgers);
}

}  // namespace kith::node
