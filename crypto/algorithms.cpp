#include "crypto/algorithms.hpp"

#include <array>

#include "crypto/assert.hpp"

namespace kith::crypto {
namespace {

constexpr std::uint16_t kCurvesUntil = 2035;  // NIST IR 8547 ipd, table 2.

constexpr auto kAlgorithms = std::to_array<AlgorithmInfo>({
    {"Ed25519", AlgorithmUse::signature,
     "logs, policies, messages, checkpoints, backups, the audit log", "SHA-512, keys of 32 bytes",
     128, "RFC 8032; FIPS 186-5 section 7", kCurvesUntil},
    {"ECDSA secp256k1", AlgorithmUse::signature,
     "ES256K messages, logs that choose it, transactions on chains",
     "SHA-256 (Keccak-256 on chains), deterministic nonces, low s", 128,
     "SEC 2; RFC 8812; RFC 6979", kCurvesUntil},
    {"ECDSA P-256", AlgorithmUse::signature, "ES256 messages of peers that have no other",
     "SHA-256", 128, "FIPS 186-5 section 6; RFC 7518 section 3.4", kCurvesUntil},
    {"X25519", AlgorithmUse::key_agreement, "envelopes, the vault, answers of trustees",
     "keys of 32 bytes, zero results refused", 128, "RFC 7748; RFC 8037", kCurvesUntil},
    {"ECDH P-256", AlgorithmUse::key_agreement, "envelopes of peers that have no other",
     "points checked", 128, "NIST SP 800-56A; RFC 7518 section 4.6", kCurvesUntil},
    {"ECDH P-384", AlgorithmUse::key_agreement, "envelopes of peers that have no other",
     "points checked", 192, "NIST SP 800-56A; RFC 7518 section 4.6", kCurvesUntil},
    {"ECDH P-521", AlgorithmUse::key_agreement, "envelopes of peers that have no other",
     "points checked", 256, "NIST SP 800-56A; RFC 7518 section 4.6", kCurvesUntil},
    {"A256CBC-HS512", AlgorithmUse::encryption, "authenticated envelopes",
     "AES-256 in CBC, HMAC-SHA-512 cut to 32 bytes; commits to its key", 256,
     "RFC 7518 section 5.2.5"},
    {"A256GCM", AlgorithmUse::encryption, "anonymous envelopes that others choose it for",
     "random nonces of 12 bytes, one message a key", 256, "NIST SP 800-38D; RFC 7518 section 5.3"},
    {"XChaCha20-Poly1305", AlgorithmUse::encryption,
     "anonymous envelopes (XC20P), records on disk, sealed keys, backups (as a stream)",
     "random nonces of 24 bytes", 256, "draft-irtf-cfrg-xchacha-03; libsodium secretstream"},
    {"A256KW", AlgorithmUse::key_wrapping, "content keys of envelopes", "", 256, "RFC 3394"},
    {"SHA-256", AlgorithmUse::hash, "entries of logs, the ledgers' trees, transcripts", "", 128,
     "FIPS 180-4"},
    {"SHA-512", AlgorithmUse::hash, "challenges of proofs", "", 256, "FIPS 180-4"},
    {"Keccak-256", AlgorithmUse::hash, "addresses and transactions on chains",
     "padding of before FIPS 202", 128, "Ethereum yellow paper, appendix D"},
    {"HMAC-SHA-256", AlgorithmUse::hash, "names of records on disk, which do not show there", "",
     256, "RFC 2104; FIPS 198-1"},
    {"HKDF-SHA-256", AlgorithmUse::derivation, "keys of backups, of what lies in them, of vouches",
     "", 256, "RFC 5869"},
    {"Concat KDF", AlgorithmUse::derivation, "wrapping keys of envelopes", "SHA-256", 256,
     "NIST SP 800-56A section 5.8; RFC 7518 section 4.6.2"},
    {"Argon2id", AlgorithmUse::derivation, "the wallet's key from the passphrase",
     "salt of 16 bytes; never stronger than the passphrase", 256, "RFC 9106"},
    {"ristretto255", AlgorithmUse::sharing,
     "shares of recovery keys, partial decryptions, proofs of trustees",
     "Shamir over the group's order; Schnorr and Chaum-Pedersen proofs with SHA-512", 128,
     "RFC 9496; docs/storage-formats.md", kCurvesUntil},
});

}  // namespace

std::string_view use_name(AlgorithmUse use) {
  switch (use) {
    case AlgorithmUse::signature:
      return "signature";
    case AlgorithmUse::key_agreement:
      return "key agreement";
    case AlgorithmUse::encryption:
      return "encryption";
    case AlgorithmUse::key_wrapping:
      return "key wrapping";
    case AlgorithmUse::hash:
      return "hash";
    case AlgorithmUse::derivation:
      return "derivation";
    case AlgorithmUse::sharing:
      return "sharing";
  }
  UNREACHABLE();
}

std::span<const AlgorithmInfo> algorithms() {
  return kAlgorithms;
}

}  // namespace kith::crypto
