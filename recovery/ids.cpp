#include "recovery/ids.hpp"

#include <algorithm>
#include <string>

#include "crypto/assert.hpp"
#include "crypto/limits.hpp"

namespace kith::recovery {

static_assert(kXPathBytes == limits::kPlanDepthMax * Scalar::kBytes);

Bytes encode_x_path(const XPath& path) {
  ASSERT(path.size() <= limits::kPlanDepthMax);
  Bytes bytes;
  bytes.reserve(kXPathBytes);
  for (const Scalar& x : path) crypto::append(bytes, x.bytes());
  bytes.resize(kXPathBytes, 0);
  return bytes;
}

Result<XPath> parse_x_path(ByteView bytes) {
  if (bytes.size() != kXPathBytes) return fail(Errc::malformed, "x path: wrong size");
  XPath path;
  bool ended = false;
  for (std::size_t at = 0; at < kXPathBytes; at += Scalar::kBytes) {
    TRY(const Scalar x, Scalar::parse(bytes.subspan(at, Scalar::kBytes)));
    if (x.is_zero()) {
      ended = true;
    } else if (ended) {
      return fail(Errc::malformed, "x path: a level follows an absent one");
    } else {
      path.push_back(x);
    }
  }
  return path;
}

Result<void> check_leaf_path(const XPath& path) {
  if (path.empty() || path.size() > limits::kPlanDepthMax) {
    return fail(Errc::malformed, "x path: wrong number of levels");
  }
  for (const Scalar& x : path) {
    if (x.is_zero()) return fail(Errc::malformed, "x path: zero is no x value");
  }
  return {};
}

bool same_path(const XPath& a, const XPath& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Scalar& x, const Scalar& y) { return x.equals(y); });
}

std::string label(std::string_view name) {
  return "kith/recovery/v1/" + std::string(name);
}

Bytes labelled(std::string_view name, std::initializer_list<ByteView> parts) {
  Bytes bytes;
  const auto add = [&bytes](ByteView part) {
    crypto::append_u32_be(bytes, static_cast<std::uint32_t>(part.size()));
    crypto::append(bytes, part);
  };
  const std::string full = label(name);
  add(crypto::as_bytes(full));
  for (const ByteView part : parts) add(part);
  return bytes;
}

Bytes u64_bytes(std::uint64_t value) {
  Bytes bytes;
  crypto::append_u64_be(bytes, value);
  return bytes;
}

}  // namespace kith::recovery
