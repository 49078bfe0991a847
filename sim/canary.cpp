#include "sim/canary.hpp"

#include <algorithm>

#include "crypto/assert.hpp"

namespace kith::sim {
namespace {

constexpr std::size_t kSecretBytesMin = 12;

std::uint16_t start_of(const std::uint8_t* at) {
  return static_cast<std::uint16_t>(at[0] << 8 | at[1]);
}

}  // namespace

void CanarySearch::add_pattern(const std::string& name, ByteView bytes) {
  const std::uint16_t start = start_of(bytes.data());
  by_start_[start].push_back(patterns_.size());
  (*starts_)[start] = true;
  patterns_.push_back({name, Bytes(bytes.begin(), bytes.end())});
}

void CanarySearch::add(const std::string& name, ByteView secret) {
  ASSERT(secret.size() >= kSecretBytesMin);
  add_pattern(name, secret);
  add_pattern(name + " (hex)", crypto::as_bytes(crypto::hex(secret)));
  // In a longer text the secret starts at one of three places within a group; the characters that
  // its neighbours share with it are left out.
  for (std::size_t shift = 0; shift < 3; ++shift) {
    Bytes shifted(shift, 0);
    shifted.insert(shifted.end(), secret.begin(), secret.end());
    const std::string text = crypto::base64url(shifted);
    const std::size_t first = shift == 0 ? 0 : shift + 1;
    const std::size_t whole = shifted.size() / 3 * 4;
    add_pattern(name + " (base64url)",
                crypto::as_bytes(std::string_view(text).substr(first, whole - first)));
  }
}

std::vector<std::string> CanarySearch::find(ByteView bytes) const {
  std::vector<std::string> found;
  const std::uint8_t* const data = bytes.data();
  const bool* const starts = starts_->data();
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    const std::uint16_t start = start_of(data + i);
    if (!starts[start]) continue;
    for (const std::size_t index : by_start_.at(start)) {
      const Bytes& pattern = patterns_[index].bytes;
      if (bytes.size() - i >= pattern.size() &&
          std::equal(pattern.begin(), pattern.end(), bytes.begin() + static_cast<long>(i))) {
        found.push_back(patterns_[index].name);
      }
    }
  }
  return found;
}

}  // namespace kith::sim
