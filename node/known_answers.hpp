#pragma once

/// What a node tries before it starts: the known answers of every algorithm in use, those of
/// crypto/self_test.hpp and the ledgers' Keccak-256. Pure; thread-safe.

#include "crypto/self_test.hpp"

namespace kith::node {

/// Errors: self_test_failed, naming the first algorithm that fails.
[[nodiscard]] crypto::Result<void> check_known_answers();
/// Of the algorithms that are not in crypto/.
[[nodiscard]] std::span<const crypto::SelfTest> ledger_self_tests();

}  // namespace kith::node
