#include "node/storage/token_link.hpp"

#include <algorithm>

#include "crypto/assert.hpp"

namespace kith::node {
namespace {

std::string without_padding(ByteView padded) {
  std::string text(padded.begin(), padded.end());
  text.erase(std::find(text.begin(), text.end(), '\0'), text.end());
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

}  // namespace

Bytes TokenLink::encode() const {
  ASSERT(!key_id.empty() && key_id.size() <= kIdBytesMax && point.size() == kPointBytes);
  Bytes out(label.begin(), label.end());
  crypto::append(out, serial);
  out.push_back(static_cast<std::uint8_t>(key_id.size()));
  crypto::append(out, key_id);
  out.resize(kBytes - kPointBytes);
  crypto::append(out, point);
  return out;
}

Result<TokenLink> TokenLink::parse(ByteView bytes) {
  if (bytes.size() != kBytes) return fail(Errc::malformed);
  TokenLink link;
  std::ranges::copy(bytes.first(kLabelBytes), link.label.begin());
  std::ranges::copy(bytes.subspan(kLabelBytes, kSerialBytes), link.serial.begin());
  const std::size_t id_size = bytes[kLabelBytes + kSerialBytes];
  if (id_size == 0 || id_size > kIdBytesMax) return fail(Errc::malformed);
  const ByteView id = bytes.subspan(kLabelBytes + kSerialBytes + 1, kIdBytesMax);
  const ByteView behind = id.subspan(id_size);
  if (std::ranges::any_of(behind, [](std::uint8_t byte) { return byte != 0; })) {
    return fail(Errc::malformed);
  }
  link.key_id.assign(id.begin(), id.begin() + static_cast<std::ptrdiff_t>(id_size));
  const ByteView point = bytes.last(kPointBytes);
  link.point.assign(point.begin(), point.end());
  return link;
}

std::string TokenLink::name() const {
  const std::string number = without_padding(serial);
  return without_padding(label) + (number.empty() ? "" : " (" + number + ")");
}

}  // namespace kith::node
