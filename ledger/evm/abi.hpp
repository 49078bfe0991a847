#pragma once

/// What goes into the contract and comes out of it (KithLog.sol, Solidity's contract ABI).
///
/// The contract has one function, post(bytes32 subject, bytes data), and one event, Posted, of the
/// same. The subject of a did:kith is the SHA-256 hash inside its identifier, so either gives the
/// other.

#include <string>
#include <string_view>

#include "crypto/bytes.hpp"
#include "ledger/evm/keccak.hpp"

namespace kith::ledger::evm {

/// Errors: malformed (no did:kith).
[[nodiscard]] Result<Hash> subject_topic(std::string_view did);
[[nodiscard]] std::string subject_of(const Hash& topic);

/// Topic of the event: what it is told by.
[[nodiscard]] const Hash& posted_topic();
/// Input of a call of post.
[[nodiscard]] Bytes post_input(const Hash& subject, ByteView data);
/// `data` out of the data of an event Posted. Errors: malformed, limit_exceeded (longer than an
/// entry of a log: kEntryBytesMax).
[[nodiscard]] Result<Bytes> posted_data(ByteView encoded);

}  // namespace kith::ledger::evm
