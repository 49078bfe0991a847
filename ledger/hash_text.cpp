#include "ledger/hash_text.hpp"

#include <algorithm>

#include "crypto/limits.hpp"
#include "ledger/signed_note.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {

Result<Digest256> parse_hash(std::string_view base64_text) {
  TRY(const Bytes bytes, from_base64(base64_text));
  Digest256 hash{};
  if (bytes.size() != hash.size()) return fail(Errc::malformed, "that is not a hash");
  std::ranges::copy(bytes, hash.begin());
  return hash;
}

JsonArray hashes_json(const MerkleProof& hashes) {
  JsonArray array;
  for (const Digest256& hash : hashes) array.emplace_back(base64(hash));
  return array;
}

Result<MerkleProof> parse_hashes(const JsonObject& object, std::string_view member) {
  TRY(const std::vector<std::string> texts,
      string_list(object, member, limits::kMerkleProofHashesMax));
  MerkleProof hashes;
  for (const std::string& text : texts) {
    TRY(const Digest256 hash, parse_hash(text));
    hashes.push_back(hash);
  }
  return hashes;
}

}  // namespace kith::ledger
