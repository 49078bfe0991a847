/// Deliberately wrong: if valgrind is silent about one of these, the check is worth nothing.

#include <array>

#include "tests/constant_time/cases.hpp"
#include "tests/constant_time/marks.hpp"

namespace kith::test {

int leak_by_branch() {
  SecretRandom random("branch");
  const SecretBytes secret = secret_bytes(random, 32);
  volatile int odd = 0;
  if ((secret.expose()[7] & 1U) == 1) odd = odd + 1;
  return odd;
}

int leak_by_address() {
  SecretRandom random("address");
  const SecretBytes secret = secret_bytes(random, 32);
  std::array<volatile std::uint8_t, 256> table{};
  table[3] = 1;
  return table[secret.expose()[0]];
}

/// A loop of our own: clang compares 32 bytes without a branch where std::equal is asked to.
int leak_by_comparison() {
  SecretRandom random("comparison");
  const SecretBytes secret = secret_bytes(random, 32);
  const Bytes guess(32);
  int alike = 0;
  for (const std::uint8_t byte : secret.expose()) {
    if (byte != guess[static_cast<std::size_t>(alike)]) break;
    ++alike;
  }
  return alike;
}

}  // namespace kith::test
