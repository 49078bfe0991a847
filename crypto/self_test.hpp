#pragma once

/// Known-answer tests of the algorithms in use (NIST SP 800-130, sections 9.13 to 9.17): each runs
/// once over fixed values, and its answer is compared with one that another implementation gave.
/// They find a library or a processor that computes wrongly before any key is opened by it; some
/// milliseconds. Thread-safe.

#include <span>
#include <string_view>

#include "crypto/result.hpp"

namespace kith::crypto {

struct SelfTest {
  std::string_view algorithm;  ///< As in algorithms().
  bool (*passes)();
};

/// One for each algorithm of this folder; node/known_answers.hpp adds that of the ledgers.
[[nodiscard]] std::span<const SelfTest> self_tests();

/// Errors: self_test_failed, naming the first algorithm that fails.
[[nodiscard]] Result<void> run_self_tests(std::span<const SelfTest> tests = self_tests());

}  // namespace kith::crypto
