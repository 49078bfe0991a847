#include "crypto/wire_buffer.hpp"

#include <algorithm>
#include <bit>

#include "crypto/assert.hpp"

namespace kith::crypto {

void WireBuffer::clear() {
  if (memory_.size() > kKept) {
    memory_ = SecretBytes(kKept);
  } else {
    wipe(memory_.expose_mutable().first(used_));
  }
  used_ = 0;
}

void WireBuffer::make_room(std::size_t size) {
  if (size <= memory_.size()) return;
  SecretBytes larger(std::bit_ceil(size));
  std::ranges::copy(view(), larger.expose_mutable().begin());
  memory_ = std::move(larger);
}

void WireBuffer::raw(ByteView bytes) {
  make_room(used_ + bytes.size());
  std::ranges::copy(bytes, memory_.expose_mutable().subspan(used_).begin());
  used_ += bytes.size();
}

void WireBuffer::u8(std::uint8_t value) {
  raw({&value, 1});
}

void WireBuffer::u32(std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) u8(static_cast<std::uint8_t>(value >> shift));
}

void WireBuffer::u64(std::uint64_t value) {
  u32(static_cast<std::uint32_t>(value >> 32U));
  u32(static_cast<std::uint32_t>(value));
}

void WireBuffer::sized(ByteView bytes) {
  ASSERT(bytes.size() <= UINT32_MAX);
  u32(static_cast<std::uint32_t>(bytes.size()));
  raw(bytes);
}

std::span<std::uint8_t> WireBuffer::receive(std::size_t size) {
  clear();
  make_room(size);
  used_ = size;
  return memory_.expose_mutable().first(size);
}

Result<ByteView> WireReader::raw(std::size_t size) {
  if (size > left_.size()) return fail(Errc::malformed, "a frame is cut off");
  const ByteView part = left_.first(size);
  left_ = left_.subspan(size);
  return part;
}

Result<std::uint8_t> WireReader::u8() {
  TRY(const ByteView part, raw(1));
  return part[0];
}

Result<std::uint32_t> WireReader::u32() {
  TRY(const ByteView part, raw(4));
  std::uint32_t value = 0;
  for (const std::uint8_t byte : part) value = value << 8U | byte;
  return value;
}

Result<std::uint64_t> WireReader::u64() {
  TRY(const std::uint32_t high, u32());
  TRY(const std::uint32_t low, u32());
  return std::uint64_t{high} << 32U | low;
}

Result<ByteView> WireReader::sized() {
  TRY(const std::uint32_t size, u32());
  return raw(size);
}

}  // namespace kith::crypto
