#include "protocol/padding.hpp"

namespace kith::protocol {

namespace {

constexpr std::size_t kKiB = 1024;
constexpr std::size_t kBuckets[] = {256,       kKiB,       4 * kKiB,  16 * kKiB,
                                    64 * kKiB, 256 * kKiB, kKiB* kKiB};

}  // namespace

std::size_t bucket_size(std::size_t bytes) {
  for (const std::size_t bucket : kBuckets) {
    if (bytes <= bucket) return bucket;
  }
  return bytes;
}

std::string padded_text(const JsonObject& message) {
  JsonObject padded = message;
  padded.erase(kPaddingHeader);
  std::string plain = crypto::json_text(padded);
  if (bucket_size(plain.size()) == plain.size()) return plain;
  padded[kPaddingHeader] = "";
  const std::string with_header = crypto::json_text(padded);
  const std::size_t target = bucket_size(with_header.size());
  if (target == with_header.size()) {
    // Exactly full, or above the largest bucket, where the header would only cost.
    return bucket_size(with_header.size() - 1) == target ? with_header : plain;
  }
  padded[kPaddingHeader] = std::string(target - with_header.size(), '.');
  return crypto::json_text(padded);
}

}  // namespace kith::protocol
