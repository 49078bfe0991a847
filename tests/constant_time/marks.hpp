#pragma once

/// Secrets as valgrind sees them: marked memory counts as undefined, what is computed from it too,
/// and a branch or an address that depends on it is an error. Marks follow the data, not the value.

#include <valgrind/memcheck.h>

#include "crypto/assert.hpp"
#include "crypto/random.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::test {

inline void mark(ByteView secret) {
  VALGRIND_MAKE_MEM_UNDEFINED(secret.data(), secret.size());
}

/// What the program under test hands to others: from here on it is public.
inline void hand_out(ByteView output) {
  VALGRIND_MAKE_MEM_DEFINED(output.data(), output.size());
}

/// Whether every byte depends on a secret. Shows that marks arrive where they should: a check that
/// marks nothing reports nothing.
inline bool depends_on_secrets(ByteView memory) {
  Bytes bits(memory.size());
  ASSERT(VALGRIND_GET_VBITS(memory.data(), bits.data(), bits.size()) == 1);
  for (const std::uint8_t byte : bits) {
    if (byte == 0) return false;
  }
  return !memory.empty();
}

/// All that is drawn is secret.
class SecretRandom final : public crypto::Random {
 public:
  explicit SecretRandom(std::string_view name) : inner_(1, name) {}
  void fill(std::span<std::uint8_t> out) override {
    inner_.fill(out);
    mark(out);
  }

 private:
  crypto::SeededRandom inner_;
};

inline SecretBytes secret_bytes(Random& random, std::size_t count) {
  SecretBytes drawn = random.secret(count);
  ASSERT(depends_on_secrets(drawn.expose()));
  return drawn;
}

}  // namespace kith::test
