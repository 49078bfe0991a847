#pragma once

/// Frames of the control socket: a length (u32, big-endian) and so many bytes of JSON text, from
/// one byte to limits::kControlFrameBytesMax.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/limits.hpp"
#include "crypto/result.hpp"

namespace kith::node {

/// Errors: `malformed` (empty), `limit_exceeded`.
[[nodiscard]] Result<std::string> encode_frame(std::string_view text);

/// Takes a stream of bytes apart. After an error the stream has no meaning: close it.
class FrameReader {
 public:
  explicit FrameReader(std::size_t frame_bytes_max = limits::kControlFrameBytesMax)
      : frame_bytes_max_(frame_bytes_max) {}

  /// Holds at most what was added; callers add in small pieces and call next() after each.
  void add(std::string_view bytes) { buffer_.append(bytes); }

  /// The next whole frame, nullopt while it is incomplete. Errors: `malformed` (length zero),
  /// `limit_exceeded` (known from the first four bytes, before the rest is read).
  [[nodiscard]] Result<std::optional<std::string>> next();

  /// Bytes of an incomplete frame are waiting.
  [[nodiscard]] bool partial() const { return !buffer_.empty(); }

 private:
  std::size_t frame_bytes_max_;
  std::string buffer_;
};

}  // namespace kith::node
