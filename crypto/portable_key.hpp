#pragma once

/// The key of an exported wallet (docs/portable-format.md): a secret scalar from what a person has,
/// a passphrase or a key file, and the header of the one file that it opens. Containers in the file
/// are sealed to its point, as backups are to a recovery key (crypto/sealed_backup.hpp).
///
/// The header goes into the scalar, so that nothing in it can be altered: another header is another
/// key. Pure; the stretching of a passphrase happens before (crypto/passphrase.hpp).

#include "crypto/secret_point.hpp"

namespace kith::crypto {

class PortableKey {
 public:
  /// 32 bytes: Argon2id's output, or what the key file holds (asserted).
  static constexpr std::size_t kStretchedBytes = 32;
  [[nodiscard]] static PortableKey derive(ByteView header, const SecretBytes& stretched);

  /// Y = s*G
  [[nodiscard]] SecretPoint point() const;
  /// s*E, which opens what was sealed to Y with the ephemeral E.
  [[nodiscard]] SecretPoint opening(const Point& ephemeral) const;

 private:
  explicit PortableKey(const Scalar& secret) : secret_(secret) {}
  Scalar secret_;
};

}  // namespace kith::crypto
