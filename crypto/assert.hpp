#pragma once

/// Assertions for our own bugs, on in every build. Nothing from a peer, a disk or a ledger may
/// reach one: that is a Result.

namespace kith::crypto {

/// Prints the condition and place to stderr, then aborts.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace kith::crypto

/// One condition each: ASSERT(a); ASSERT(b); so that the report names the one that failed.
#define ASSERT(condition)       \
  (static_cast<bool>(condition) \
       ? static_cast<void>(0)   \
       : ::kith::crypto::assertion_failed(#condition, __FILE__, __LINE__))

#define UNREACHABLE() ::kith::crypto::assertion_failed("unreachable", __FILE__, __LINE__)
