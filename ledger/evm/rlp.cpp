#include "ledger/evm/rlp.hpp"

namespace kith::ledger::evm {

namespace {

constexpr std::size_t kShortMax = 55;

Bytes minimal(std::uint64_t number) {
  Bytes bytes;
  crypto::append_u64_be(bytes, number);
  std::size_t zeros = 0;
  while (zeros < bytes.size() && bytes[zeros] == 0) ++zeros;
  return {bytes.begin() + static_cast<std::ptrdiff_t>(zeros), bytes.end()};
}

/// `base`: 0x80 for bytes, 0xc0 for lists.
void add_prefix(Bytes& to, std::uint8_t base, std::size_t size) {
  if (size <= kShortMax) {
    to.push_back(static_cast<std::uint8_t>(base + size));
    return;
  }
  const Bytes length = minimal(size);
  to.push_back(static_cast<std::uint8_t>(base + kShortMax + length.size()));
  crypto::append(to, length);
}

}  // namespace

RlpList& RlpList::add(ByteView bytes) {
  if (bytes.size() != 1 || bytes.front() >= 0x80) add_prefix(items_, 0x80, bytes.size());
  crypto::append(items_, bytes);
  return *this;
}

RlpList& RlpList::add(std::uint64_t number) {
  return add(ByteView(minimal(number)));
}

RlpList& RlpList::add_number(ByteView big_endian) {
  while (!big_endian.empty() && big_endian.front() == 0) big_endian = big_endian.subspan(1);
  return add(big_endian);
}

RlpList& RlpList::add_empty_list() {
  add_prefix(items_, 0xc0, 0);
  return *this;
}

Bytes RlpList::bytes() const {
  Bytes out;
  add_prefix(out, 0xc0, items_.size());
  crypto::append(out, items_);
  return out;
}

}  // namespace kith::ledger::evm
