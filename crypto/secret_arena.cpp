#include "crypto/secret_arena.hpp"

#include <sodium.h>
#include <sys/mman.h>

#include <array>
#include <bit>
#include <mutex>
#include <vector>

#include "crypto/assert.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define KITH_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KITH_ADDRESS_SANITIZER 1
#endif
#endif
#ifdef KITH_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

namespace kith::crypto {
namespace {

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
  ASAN_POISON_MEMORY_REGION(memory, size_bytes);
#endif
}

void permit([[maybe_unused]] std::uint8_t* memory, [[maybe_unused]] std::size_t size_bytes) {
#ifdef KITH_ADDRESS_SANITIZER
  ASAN_UNPOISON_MEMORY_REGION(memory, size_bytes);
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

std::uint8_t* secret_allocate(std::size_t size_bytes) {
  return arena().allocate(size_bytes);
}

void secret_release(std::uint8_t* memory, std::size_t size_bytes) noexcept {
  arena().release(memory, size_bytes);
}

bool secret_memory_locked() {
  return arena().locked();
}

}  // namespace kith::crypto
