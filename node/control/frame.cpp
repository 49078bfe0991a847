#include "node/control/frame.hpp"

#include <cstdint>

namespace kith::node {
namespace {

constexpr std::size_t kLengthBytes = 4;

std::size_t read_length(std::string_view bytes) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length = length << 8U | static_cast<std::uint8_t>(bytes[i]);
  }
  return length;
}

}  // namespace

Result<std::string> encode_frame(std::string_view text) {
  if (text.empty()) return fail(Errc::malformed, "the frame is empty");
  if (text.size() > limits::kControlFrameBytesMax) {
    return fail(Errc::limit_exceeded, "the frame is too large");
  }
  std::string out;
  out.reserve(kLengthBytes + text.size());
  for (unsigned shift = 32; shift > 0; shift -= 8) {
    out.push_back(static_cast<char>(text.size() >> (shift - 8) & 0xFFU));
  }
  out.append(text);
  return out;
}

Result<std::optional<std::string>> FrameReader::next() {
  if (buffer_.size() < kLengthBytes) return std::optional<std::string>{};
  const std::size_t length = read_length(buffer_);
  if (length == 0) return fail(Errc::malformed, "the frame is empty");
  if (length > frame_bytes_max_) return fail(Errc::limit_exceeded, "the frame is too large");
  if (buffer_.size() < kLengthBytes + length) return std::optional<std::string>{};
  std::optional<std::string> frame = buffer_.substr(kLengthBytes, length);
  buffer_.erase(0, kLengthBytes + length);
  return frame;
}

}  // namespace kith::node
