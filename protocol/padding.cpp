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

std::string padded(std::string object) {
  if (bucket_size(object.size()) == object.size()) return object;
  // The header stands last, so that the text is written once however long the padding is.
  const std::string header =
      (object == "{}" ? "\"" : ",\"") + std::string(kPaddingHeader) + "\":\"";
  const std::size_t with_header = object.size() + header.size() + 1;
  const std::size_t target = bucket_size(with_header);
  // Above the largest bucket the header would only cost.
  if (target == with_header && bucket_size(with_header - 1) != target) return object;
  object.pop_back();
  object.append(header).append(target - with_header, '.').append("\"}");
  return object;
}

}  // namespace kith::protocol
