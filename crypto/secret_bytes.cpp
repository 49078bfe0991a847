#include "crypto/secret_bytes.hpp"

#include <sodium.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "crypto/assert.hpp"

namespace kith::crypto {

// sodium_malloc would spend four pages a secret; thousands of simulated agents cannot afford that.
// mlock is best effort: without the privilege the pages stay swappable (docs/threat-model.md).
SecretBytes::SecretBytes(std::size_t size_bytes) : size_(size_bytes) {
  if (size_ == 0) return;
  data_ = static_cast<std::uint8_t*>(std::calloc(size_, 1));
  ASSERT(data_ != nullptr);
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
  if (data_ == nullptr) return;
  sodium_memzero(data_, size_);
  std::free(data_);
}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }
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
