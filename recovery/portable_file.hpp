#pragma once

/// The file of an exported wallet, byte by byte (docs/portable-format.md). Pure: who asks for the
/// passphrase and stretches it is the caller.
///
///   header    64 bytes, in clear: how to get the key
///   capsule   4096 bytes: the vault's private key (recovery/capsule.hpp)
///   backup    manifest and wallet (recovery/wallet_backup.hpp), in one of eight sizes
///
/// Capsule and backup are containers of crypto/sealed_backup.hpp, sealed to the point of
/// crypto/portable_key.hpp. The manifest names the capsule's digest, the capsule the header's, so
/// that no part of one file fits another.

#include <cstdint>
#include <vector>

#include "crypto/json.hpp"
#include "crypto/passphrase.hpp"
#include "crypto/portable_key.hpp"
#include "crypto/sealed_backup.hpp"
#include "recovery/ids.hpp"

namespace kith::recovery {

/// What opens it. In the file: never renumber.
enum class PortableLock : std::uint8_t { passphrase = 1, key_file = 2 };

struct PortableHeader {
  PortableLock lock = PortableLock::passphrase;
  bool moved = false;  ///< Made with `kith export --move`: the home it left does not run any more.
  /// Cost and salt; of a key file the salt alone, and no cost.
  crypto::PassphraseParameters cost;
};

inline constexpr std::size_t kPortableHeaderBytes = 64;
[[nodiscard]] Bytes encode(const PortableHeader& header);
/// Errors: malformed; home_newer (a later version of the format); those of
/// check_passphrase_parameters.
[[nodiscard]] Result<PortableHeader> parse_portable_header(ByteView file);

/// The set id inside the capsule: binds it to its header.
[[nodiscard]] SetId portable_set_id(ByteView header);

/// The largest file that there is.
[[nodiscard]] std::size_t portable_bytes_max();

struct PortableParts {
  PortableHeader header;
  Bytes header_bytes;
  Bytes capsule;
  std::vector<Bytes> backup;  ///< Records of the container.
};
/// By sizes and clear fields alone. Errors: malformed (cut off, too long, another file); those of
/// parse_portable_header.
[[nodiscard]] Result<PortableParts> split_portable(ByteView file);
[[nodiscard]] Bytes join(const PortableParts& parts);

/// What the backup's container holds.
struct PortableContent {
  JsonObject manifest;
  SecretBytes wallet;
};
/// Errors: limit_exceeded (the manifest).
[[nodiscard]] Result<SecretBytes> encode_content(const JsonObject& manifest, ByteView wallet);
/// Errors: malformed; home_newer (a later version).
[[nodiscard]] Result<PortableContent> parse_content(ByteView content);

/// SHA-256 in hex, as the manifest names it.
[[nodiscard]] std::string capsule_mark(ByteView capsule);

struct OpenedPortable {
  PortableContent content;
  crypto::ContainerCore core;
  PublicKey signer;
};
/// Opens the backup and checks that the capsule is the file's own, without opening that.
/// Errors: wrong_passphrase; cannot_decrypt, bad_signature, malformed (altered); those of
/// parse_content.
[[nodiscard]] Result<OpenedPortable> open_portable(const PortableParts& parts,
                                                   const crypto::PortableKey& key);

/// 64 hexadecimal digits and a newline. Errors: malformed.
[[nodiscard]] std::string key_file_text(ByteView key);
[[nodiscard]] Result<SecretBytes> parse_key_file(std::string_view text);

}  // namespace kith::recovery
