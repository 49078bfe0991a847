#pragma once

/// Where a value that was computed from secrets may decide what happens next.
///
/// The check of constant time (tests/constant_time) marks secrets, and valgrind reports every
/// branch and every address that depends on them. What passes through here counts as public from
/// then on. In every other build these functions do nothing. Each call has its reason in
/// docs/constant-time.md; the check counts them.

#include <cstdint>
#include <span>
#include <type_traits>

#ifdef KITH_CONSTANT_TIME_CHECK
#include <valgrind/memcheck.h>
#endif

namespace kith::crypto {

/// The memory holds what others may know: public keys, signatures, ciphertexts.
inline void declassify([[maybe_unused]] std::span<const std::uint8_t> memory) {
#ifdef KITH_CONSTANT_TIME_CHECK
  VALGRIND_MAKE_MEM_DEFINED(memory.data(), memory.size());
#endif
}

/// The answer to a question about secrets that others may hear: whether a key is valid, a tag fits.
template <class T>
[[nodiscard]] T declassified(T answer) requires(std::is_arithmetic_v<T>) {
#ifdef KITH_CONSTANT_TIME_CHECK
  VALGRIND_MAKE_MEM_DEFINED(&answer, sizeof(answer));
#endif
  return answer;
}

}  // namespace kith::crypto
