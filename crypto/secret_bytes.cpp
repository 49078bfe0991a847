#include "crypto/secret_bytes.hpp"

#include <sodium.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <mutex>
#include <utility>
#include <vector>

#include "crypto/assert.hpp"
#include "crypto/declassify.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define KITH_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KITH_ADDRESS_SANITIZER 1
#endif
#endif
#ifdef KITH_ADDRESS_SANITIZER
extern "C" {
void __asan_poison_memory_region(void const volatile* memory, size_t size_bytes);
void __asan_unpoison_memory_region(void const volatile* memory, size_t size_bytes);
}
#endif

namespace kith::crypto {
namespace {

// Whole pages, locked against swapping and left out of core dumps, cut into blocks of a few sizes.
// sodium_malloc would spend four pages a secret; thousands of simulated agents cannot afford that.
constexpr std::size_t kSmallestBytes = 32;
constexpr std::size_t kClasses = 8;  // 32, 64, ... 4096
constexpr std::size_t kLargestBytes = kSmallestBytes << (kClasses - 1);
constexpr std::size_t kRegionBytes = 64 * 1024;

std::size_t class_of(std::size_t size_bytes) {
  if (size_bytes <= kSmallestBytes) return 0;
  const auto bits = std::bit_width((size_bytes - 1) / kSmallestBytes);
  return static_cast<std::size_t>(bits);
}

/// Free blocks are poisoned, so that the sanitizer sees what it sees of malloc's.
void forbid([[maybe_unused]] std::uint8_t* memory, [[maybe_unused]] std::size_t size_bytes) {
#ifdef KITH_ADDRESS_SANITIZER
  __asan_poison_memory_region(memory, size_bytes);
#endif
}

void permit([[maybe_unused]] std::uint8_t* memory, [[maybe_unused]] std::size_t size_bytes) {
#ifdef KITH_ADDRESS_SANITIZER
  __asan_unpoison_memory_region(memory, size_bytes);
#endif
}

class Arena {
 public:
  std::uint8_t* allocate(std::size_t size_bytes) {
    const std::lock_guard lock(mutex_);
    if (size_bytes > kLargestBytes) return map(size_bytes);
    const std::size_t index = class_of(size_bytes);
    std::vector<std::uint8_t*>& free = free_[index];
    if (free.empty()) grow(index);
    std::uint8_t* const memory = free.back();
    free.pop_back();
    permit(memory, size_bytes);
    return memory;
  }

  void release(std::uint8_t* memory, std::size_t size_bytes) noexcept {
    sodium_memzero(memory, size_bytes);
    if (size_bytes > kLargestBytes) {
      ASSERT(munmap(memory, size_bytes) == 0);  // Unlocks as well.
      return;
    }
    const std::size_t index = class_of(size_bytes);
    const std::lock_guard lock(mutex_);
    forbid(memory, kSmallestBytes << index);
    free_[index].push_back(memory);  // Never allocates: grow() has reserved.
  }

  bool locked() {
    const std::lock_guard lock(mutex_);
    return locked_;
  }

 private:
  std::uint8_t* map(std::size_t size_bytes) {
    void* const memory =
        mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT(memory != MAP_FAILED);
    locked_ = (mlock(memory, size_bytes) == 0) && locked_;
    // Both best effort: old kernels know neither.
    static_cast<void>(madvise(memory, size_bytes, MADV_DONTDUMP));
    static_cast<void>(madvise(memory, size_bytes, MADV_WIPEONFORK));
    return static_cast<std::uint8_t*>(memory);
  }

  void grow(std::size_t index) {
    const std::size_t block_bytes = kSmallestBytes << index;
    const std::size_t blocks = kRegionBytes / block_bytes;
    total_[index] += blocks;
    free_[index].reserve(total_[index]);
    std::uint8_t* const region = map(kRegionBytes);
    forbid(region, kRegionBytes);
    for (std::size_t i = blocks; i > 0; --i) {
      free_[index].push_back(region + (i - 1) * block_bytes);
    }
  }

  // tidy: a mutex, because the worker thread (Argon2id, bulk sealing) holds secrets too. It orders
  // nothing that the program's results depend on.
  std::mutex mutex_;
  std::array<std::vector<std::uint8_t*>, kClasses> free_;
  std::array<std::size_t, kClasses> total_{};
  bool locked_ = true;
};

/// Never destroyed: secrets in static objects may outlive any order of destruction.
Arena& arena() {
  static Arena* const made = new Arena;
  return *made;
}

}  // namespace

SecretBytes::SecretBytes(std::size_t size_bytes) : size_(size_bytes) {
  if (size_ > 0) data_ = arena().allocate(size_);
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
  if (data_ != nullptr) arena().release(data_, size_);
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

bool secret_memory_locked() {
  return arena().locked();
}

bool equal_constant_time(ByteView a, ByteView b) {
  if (a.size() != b.size()) return false;
  return a.empty() || declassified(sodium_memcmp(a.data(), b.data(), a.size())) == 0;
}

void wipe(std::span<std::uint8_t> memory) {
  if (!memory.empty()) sodium_memzero(memory.data(), memory.size());
}

void wipe(std::string& text) {
  if (!text.empty()) sodium_memzero(text.data(), text.size());
  text.clear();
}

}  // namespace kith::crypto
