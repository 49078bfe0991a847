#include "crypto/secret_bytes.hpp"

#include <sodium.h>

#include <algorithm>
#include <utility>

#include "crypto/secret_arena.hpp"

namespace kith::crypto {

SecretBytes::SecretBytes(std::size_t size_bytes) : size_(size_bytes) {
  if (size_ > 0) data_ = secret_allocate(size_);
}

SecretBytes SecretBytes::copy_of(std::span<const std::uint8_t> bytes) {
  SecretBytes secret(bytes.size());
  std::ranges::copy(bytes, secret.data_);
  return secret;
}

SecretBytes SecretBytes::take(Bytes& bytes) {
  SecretBytes secret = copy_of(bytes);
  wipe(bytes);
  bytes.clear();
  return secret;
}

SecretBytes::~SecretBytes() {
  if (data_ != nullptr) secret_release(data_, size_);
}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  SecretBytes taken(std::move(other));  // The old content is wiped with it, here and now.
  std::swap(data_, taken.data_);
  std::swap(size_, taken.size_);
  return *this;
}

SecretBytes SecretBytes::clone() const {
  return copy_of(expose());
}

bool equal_constant_time(ByteView a, ByteView b) {
  if (a.size() != b.size()) return false;
  return a.empty() || sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

void wipe(std::span<std::uint8_t> memory) {
  if (!memory.empty()) sodium_memzero(memory.data(), memory.size());
}

void wipe(std::string& text) {
  if (!text.empty()) sodium_memzero(text.data(), text.size());
  text.clear();
}

}  // namespace kith::crypto
