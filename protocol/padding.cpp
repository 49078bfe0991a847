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
  std::string plain;
  if (message.contains(kPaddingHeader)) {
    JsonObject bare = message;
    bare.erase(kPaddingHeader);
    plain = crypto::json_text(bare);
  } else {
    plain = crypto::json_text(message);
  }
  if (bucket_size(plain.size()) == plain.size()) return plain;
  // The header stands last, so that the text is written once however long the padding is.
  const std::string header = (plain == "{}" ? "\"" : ",\"") + std::string(kPaddingHeader) + "\":\"";
  const std::size_t with_header = plain.size() + header.size() + 1;
  const std::size_t target = bucket_size(with_header);
  // Above the largest bucket the header would only cost.
  if (target == with_header && bucket_size(with_header - 1) != target) return plain;
  plain.pop_back();
  plain.append(header).append(target - with_header, '.').append("\"}");
  return plain;
}

}  // namespace kith::protocol
