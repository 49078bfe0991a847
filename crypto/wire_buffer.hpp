#pragma once

/// A frame between KeyOps' client and its server. It may hold secrets, so its memory is locked, and
/// wiped when it is cleared.
///
/// Numbers are big-endian; byte strings have their size before them in four bytes.

#include <cstdint>
#include <span>
#include <string_view>

#include "crypto/bytes.hpp"
#include "crypto/result.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::crypto {

class WireBuffer {
 public:
  WireBuffer() : memory_(kKept) {}
  ~WireBuffer() { clear(); }
  WireBuffer(const WireBuffer&) = delete;
  WireBuffer& operator=(const WireBuffer&) = delete;

  /// Wipes the content, and gives memory back that one large frame took.
  void clear();
  void u8(std::uint8_t value);
  void u32(std::uint32_t value);
  void u64(std::uint64_t value);
  void raw(ByteView bytes);
  void sized(ByteView bytes);  ///< Its size before it; up to 4 GiB (asserted).
  /// Room for `size` bytes instead of the content, to be received into.
  [[nodiscard]] std::span<std::uint8_t> receive(std::size_t size);

  [[nodiscard]] ByteView view() const { return memory_.expose().first(used_); }
  [[nodiscard]] std::size_t size() const { return used_; }

 private:
  static constexpr std::size_t kKept = 16 * 1024;
  void make_room(std::size_t size);

  SecretBytes memory_;
  std::size_t used_ = 0;
};

/// Reads what the buffer wrote. Errors of all: malformed (cut off).
class WireReader {
 public:
  explicit WireReader(ByteView bytes) : left_(bytes) {}
  [[nodiscard]] Result<std::uint8_t> u8();
  [[nodiscard]] Result<std::uint32_t> u32();
  [[nodiscard]] Result<std::uint64_t> u64();
  [[nodiscard]] Result<ByteView> raw(std::size_t size);
  [[nodiscard]] Result<ByteView> sized();
  [[nodiscard]] bool done() const { return left_.empty(); }
  [[nodiscard]] std::size_t left() const { return left_.size(); }

 private:
  ByteView left_;
};

}  // namespace kith::crypto
