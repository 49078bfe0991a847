#pragma once

/// The leaf record: all that one trustee holds (recovery-protocol section 2). On the wire it has
/// exactly limits::kLeafRecordBytes, all fields at fixed places (docs/storage-formats.md), so that
/// its size tells nothing.
///
/// The owner's relationship key signs every field but the share box, for which S_i stands; the box
/// is bound to the same fields by its associated data. The trustee checks both before it accepts.

#include <string>
#include <vector>

#include "crypto/key_ops.hpp"
#include "protocol/record.hpp"
#include "recovery/ids.hpp"
#include "recovery/terms.hpp"

namespace kith::recovery {

inline constexpr std::size_t kShareBoxBytes = 80;
inline constexpr std::size_t kChallengeTextBytesMax = 256;
inline constexpr std::size_t kLocationBytesMax = 510;
inline constexpr std::size_t kLocationsMax = 4;

/// Where the owner's backups lie, in a form that a fresh device can use as it stands: a DID that
/// says its own keys and endpoint (did:peer:2, did:web), or a URL.
struct Location {
  std::string address;  ///< 1 to kLocationBytesMax bytes of printable ASCII.
  Token token{};        ///< This record's own; secret from everybody but its readers.

  template <class V>
  void visit(V& v) {
    v("address", address), v("token", token);
  }
  friend bool operator==(const Location&, const Location&) = default;
};

struct LeafRecord {
  RecordId record_id{};
  std::uint64_t version = 0;
  XPath x_path;
  Point share_point;  ///< S_i
  Salt r{};           ///< Random; makes vouch and head keys differ between trustees.
  Bytes vouch;        ///< limits::kVouchBytes (vouch.hpp).
  Terms terms;
  std::string question;             ///< Asked by the trustee; UTF-8, may be empty.
  std::string hint;                 ///< The owner's hint for the trustee; UTF-8, may be empty.
  std::vector<Location> locations;  ///< Up to kLocationsMax.
  PublicKey retire_key;             ///< Ed25519; its private key lies in the owner's vault.
  Bytes share_box;                  ///< kShareBoxBytes: s_i sealed to the trustee's X25519 key.
  Bytes signature;                  ///< 64 bytes, by the owner's relationship key.

  /// For storing at the trustee; on the wire the fixed form below is used.
  template <class V>
  void visit(V& v) {
    v("record_id", record_id), v("version", version), v("x_path", x_path);
    v("share_point", share_point), v("r", r), v("vouch", vouch), v("terms", terms);
    v("question", question), v("hint", hint), v("locations", locations);
    v("retire_key", retire_key), v("share_box", share_box), v("signature", signature);
  }
};

/// The limits of every field but box and signature; encoding and parsing check them too.
/// Errors: malformed, limit_exceeded, bad_key (retire key).
[[nodiscard]] Result<void> check_leaf_fields(const LeafRecord& record);

/// Associated data of the share box: a digest over all other fields, without the signature. The
/// record has passed check_leaf_fields here and below.
[[nodiscard]] Digest share_box_ad(const LeafRecord& record);
/// What the owner signs.
[[nodiscard]] Bytes leaf_record_statement(const LeafRecord& record);

/// Errors: malformed, limit_exceeded (a field of the record breaks its limits).
[[nodiscard]] Result<Bytes> encode_leaf_record(const LeafRecord& record);
/// Form only: no signature, no share. Errors: malformed, limit_exceeded.
[[nodiscard]] Result<LeafRecord> parse_leaf_record(ByteView wire);

/// A record that the trustee may keep: its share is sealed for this agent's own KeyOps. `record`
/// still holds the box and the signature, as evidence.
struct AcceptedLeaf {
  LeafRecord record;
  SealedShare share;
};

/// The trustee's check: form, terms, the owner's signature, then S_i = s_i*G.
/// `recipient` has purpose agree. Errors: malformed, limit_exceeded, refused (terms),
/// bad_signature, cannot_decrypt, bad_proof.
[[nodiscard]] Result<AcceptedLeaf> accept_leaf_record(ByteView wire, const PublicKey& owner,
                                                      const SealedKey& recipient, TestMode mode,
                                                      KeyOps& keys);

}  // namespace kith::recovery
