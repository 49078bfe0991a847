#pragma once

/// Every cryptographic algorithm that Kith uses, with its strength and how long it is expected to
/// last (NIST SP 800-130, FR 2.1 and 12.1). A table for people and programs (`kith algs`,
/// docs/algorithms.md); code names its algorithms by types of their own.
///
/// Strength is in bits, after NIST SP 800-57 part 1; nothing below 128 is in use. `last_year`: of
/// what falls to a large quantum computer, the year after which NIST IR 8547 (draft of 2024)
/// disallows it; 0: none is named.

#include <cstdint>
#include <span>
#include <string_view>

namespace kith::crypto {

enum class AlgorithmUse : std::uint8_t {
  signature = 1,
  key_agreement = 2,
  encryption = 3,
  key_wrapping = 4,
  hash = 5,
  derivation = 6,
  sharing = 7,  ///< Of recovery keys, with proofs.
};
[[nodiscard]] std::string_view use_name(AlgorithmUse use);

struct AlgorithmInfo {
  std::string_view name;
  AlgorithmUse use;
  std::string_view purpose;     ///< Where it is used here.
  std::string_view parameters;  ///< Sizes and fixed choices.
  std::uint16_t strength_bits;
  std::string_view source;  ///< Standard and section.
  std::uint16_t last_year = 0;
};

[[nodiscard]] std::span<const AlgorithmInfo> algorithms();

/// Whether a large quantum computer breaks it; others lose at most half of their strength.
[[nodiscard]] constexpr bool falls_to_quantum(const AlgorithmInfo& algorithm) {
  return algorithm.last_year != 0;
}

}  // namespace kith::crypto
