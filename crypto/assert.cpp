#include "crypto/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace kith::crypto {

void assertion_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "kith: assertion failed: %s at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace kith::crypto
