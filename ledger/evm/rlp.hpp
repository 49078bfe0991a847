#pragma once

/// Recursive length prefix, the encoding of transactions (Ethereum yellow paper, appendix B).
/// Writing only: nothing that Kith reads comes in it.

#include <cstdint>

#include "crypto/bytes.hpp"

namespace kith::ledger::evm {

/// A list, as it grows.
class RlpList {
 public:
  RlpList& add(ByteView bytes);
  /// Big-endian without leading zeros; zero has no bytes.
  RlpList& add(std::uint64_t number);
  /// An unsigned number of any size as big-endian bytes: leading zeros are dropped.
  RlpList& add_number(ByteView big_endian);
  RlpList& add_empty_list();
  /// With its own prefix.
  [[nodiscard]] Bytes bytes() const;

 private:
  Bytes items_;
};

}  // namespace kith::ledger::evm
