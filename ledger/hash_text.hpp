#pragma once

/// Hashes of proofs as text: base64 as in signed notes, one line or one JSON string a hash.

#include <string_view>

#include "crypto/json.hpp"
#include "ledger/merkle.hpp"

namespace kith::ledger {

/// Errors: malformed.
[[nodiscard]] Result<Digest256> parse_hash(std::string_view base64_text);

[[nodiscard]] JsonArray hashes_json(const MerkleProof& hashes);
/// Errors: malformed, limit_exceeded (kMerkleProofHashesMax).
[[nodiscard]] Result<MerkleProof> parse_hashes(const JsonObject& object, std::string_view member);

}  // namespace kith::ledger
