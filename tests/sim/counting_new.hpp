#pragma once

/// Counts the bytes that C++ code holds on the heap, as malloc rounds them up. Replaces the global
/// operator new: include it in exactly one file of a program. Single-threaded programs only.

#include <malloc.h>

#include <cstdint>
#include <cstdlib>
#include <new>

namespace kith::sim {

inline std::uint64_t heap_bytes_held = 0;

}  // namespace kith::sim

// Also what stable_sort asks for: a sanitizer's own would not be given back to the delete below.
void* operator new(std::size_t size_bytes, const std::nothrow_t&) noexcept {
  void* const memory = std::malloc(size_bytes == 0 ? 1 : size_bytes);
  if (memory != nullptr) kith::sim::heap_bytes_held += malloc_usable_size(memory);
  return memory;
}

void* operator new(std::size_t size_bytes) {
  void* const memory = operator new(size_bytes, std::nothrow);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void* operator new[](std::size_t size_bytes) {
  return operator new(size_bytes);
}

void* operator new[](std::size_t size_bytes, const std::nothrow_t&) noexcept {
  return operator new(size_bytes, std::nothrow);
}

void operator delete(void* memory) noexcept {
  kith::sim::heap_bytes_held -= malloc_usable_size(memory);
  std::free(memory);
}

void operator delete[](void* memory) noexcept {
  operator delete(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
  operator delete(memory);
}

void operator delete[](void* memory, std::size_t) noexcept {
  operator delete(memory);
}
