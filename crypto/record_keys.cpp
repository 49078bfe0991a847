#include "crypto/record_keys.hpp"

#include <algorithm>

#include "crypto/aead.hpp"
#include "crypto/assert.hpp"
#include "crypto/sealed_blob.hpp"

namespace kith::crypto {

using sealed_blob::kKeyBytes;
using sealed_blob::kNonceBytes;

RecordKeys::RecordKeys(SecretBytes keys)
    : keys_(std::move(keys)), name_key_(keys_.expose().subspan(kKeyBytes)) {
  ASSERT(keys_.size() == kBytes);
}

RecordKeys RecordKeys::of_root(const SecretBytes& root) {
  const SecretBytes record =
      hkdf_sha256(root.expose(), {}, as_bytes("kith/keys/v1/record"), kKeyBytes);
  const SecretBytes name =
      hkdf_sha256(root.expose(), {}, as_bytes("kith/keys/v1/record-name"), kKeyBytes);
  SecretBytes both(kBytes);
  std::ranges::copy(record.expose(), both.expose_mutable().begin());
  std::ranges::copy(name.expose(), both.expose_mutable().subspan(kKeyBytes).begin());
  return RecordKeys(std::move(both));
}

Bytes RecordKeys::seal(std::string_view name, ByteView plaintext, Random& random) const {
  const Bytes nonce = random.bytes(kNonceBytes);
  Bytes blob;
  blob.reserve(1 + kNonceBytes + plaintext.size() + sealed_blob::kTagBytes);
  blob.push_back(sealed_blob::kVersion);
  append(blob, nonce);
  append_xc20p_seal(blob, keys_.expose().first(kKeyBytes), nonce,
                    sealed_blob::full_ad(sealed_blob::kVersion, as_bytes(name)), plaintext);
  return blob;
}

Result<Bytes> RecordKeys::open(std::string_view name, ByteView sealed) const {
  if (sealed.size() < 1 + kNonceBytes || sealed[0] != sealed_blob::kVersion) {
    return fail(Errc::storage_corrupt, "a record is not in the expected form");
  }
  auto opened = xc20p_open(keys_.expose().first(kKeyBytes), sealed.subspan(1, kNonceBytes),
                           sealed_blob::full_ad(sealed_blob::kVersion, as_bytes(name)),
                           sealed.subspan(1 + kNonceBytes));
  if (!opened.has_value()) return fail(Errc::storage_corrupt, "a record does not open");
  return opened;
}

Bytes RecordKeys::name_of(std::string_view name) const {
  return to_bytes(name_key_.of(as_bytes(name)));
}

}  // namespace kith::crypto
