#include "crypto/random.hpp"

#include <sodium.h>

#include <algorithm>

#include "crypto/assert.hpp"

namespace kith::crypto {
namespace {

// libsodium calls back without a context argument, hence this pointer; null means the system.
thread_local Random* g_sodium_source = nullptr;

const char* source_name() {
  return "kith";
}

std::uint32_t source_u32() {
  if (g_sodium_source == nullptr) return randombytes_sysrandom_implementation.random();
  std::array<std::uint8_t, 4> bytes{};
  g_sodium_source->fill(bytes);
  return std::uint32_t{bytes[0]} | std::uint32_t{bytes[1]} << 8 | std::uint32_t{bytes[2]} << 16 |
         std::uint32_t{bytes[3]} << 24;
}

void source_fill(void* const out, const std::size_t size) {
  if (g_sodium_source == nullptr) return randombytes_sysrandom_implementation.buf(out, size);
  g_sodium_source->fill({static_cast<std::uint8_t*>(out), size});
}

randombytes_implementation g_implementation = {source_name, source_u32,  nullptr,
                                               nullptr,     source_fill, nullptr};

/// libsodium has one source for the whole process; ours asks each thread for its own.
void ask_each_thread() {
  [[maybe_unused]] static const int once = randombytes_set_implementation(&g_implementation);
}

std::array<std::uint8_t, 32> derive_key(ByteView from, std::string_view name) {
  std::array<std::uint8_t, 32> key{};
  const int rc = crypto_generichash(key.data(), key.size(), as_bytes(name).data(), name.size(),
                                    from.data(), from.size());
  ASSERT(rc == 0);
  return key;
}

}  // namespace

Bytes Random::bytes(std::size_t count) {
  Bytes out(count);
  fill(out);
  return out;
}

SecretBytes Random::secret(std::size_t count) {
  SecretBytes out(count);
  fill(out.expose_mutable());
  return out;
}

std::uint64_t Random::u64() {
  std::array<std::uint8_t, 8> raw{};
  fill(raw);
  std::uint64_t value = 0;
  for (const std::uint8_t byte : raw) value = (value << 8) | byte;
  return value;
}

std::uint64_t Random::below(std::uint64_t bound) {
  ASSERT(bound > 0);
  const std::uint64_t excess = (0 - bound) % bound;  // 2^64 mod bound
  std::uint64_t value = u64();
  while (value < excess) value = u64();
  return value % bound;
}

OsRandom::OsRandom() {
  ASSERT(sodium_init() >= 0);
}

void OsRandom::fill(std::span<std::uint8_t> out) {
  randombytes_buf(out.data(), out.size());
}

SeededRandom::SeededRandom(std::uint64_t seed, std::string_view stream_name) {
  Bytes root(8);
  for (std::size_t i = 0; i < 8; ++i) root[i] = static_cast<std::uint8_t>(seed >> (8 * i));
  root.resize(32);  // generichash keys have at least 16 bytes
  key_ = derive_key(root, stream_name);
}

void SeededRandom::fill(std::span<std::uint8_t> out) {
  if (out.empty()) return;
  std::array<std::uint8_t, crypto_stream_chacha20_NONCEBYTES> nonce{};
  for (std::size_t i = 0; i < 8; ++i) nonce[i] = static_cast<std::uint8_t>(block_ >> (8 * i));
  ++block_;
  const int rc = crypto_stream_chacha20(out.data(), out.size(), nonce.data(), key_.data());
  ASSERT(rc == 0);
}

SeededRandom SeededRandom::fork(std::string_view name) const {
  return SeededRandom(derive_key(key_, name));
}

SodiumRandomGuard::SodiumRandomGuard(Random& random) : previous_(g_sodium_source) {
  ask_each_thread();
  g_sodium_source = &random;
}

SodiumRandomGuard::~SodiumRandomGuard() {
  g_sodium_source = previous_;
}

}  // namespace kith::crypto
