#include "crypto/key_types.hpp"

#include "crypto/assert.hpp"

namespace kith::crypto {

using enum KeyType;
using enum KeyKeeping;

std::string_view keeping_text(KeyKeeping keeping) {
  switch (keeping) {
    case device:
      return "this device, sealed";
    case vault:
      return "the vault";
    case locked:
      return "this device, locked by the passphrase; and with your trustees' plan";
  }
  UNREACHABLE();
}

std::string_view key_type_name(KeyType type) {
  switch (type) {
    case ed25519:
      return "Ed25519";
    case x25519:
      return "X25519";
    case secp256k1:
      return "secp256k1";
    case p256:
      return "P-256";
    case p384:
      return "P-384";
    case p521:
      return "P-521";
  }
  UNREACHABLE();
}

namespace {
constexpr std::uint16_t kPeriodYear = 365;
/// A mediator's key opens every message that it relays.
constexpr std::uint64_t kManyUses = std::uint64_t{1} << 32;
/// An entry of a log is an event of a person's life.
constexpr std::uint64_t kFewUses = std::uint64_t{1} << 16;
}  // namespace

std::span<const KeyTypeInfo> key_types() {
  static const std::vector<KeyTypeInfo> all{
      {KeyPurpose::authenticate,
       "authenticate",
       "signs messages and statements of one relationship",
       {ed25519, secp256k1, p256},
       device,
       "until the relationship's keys are rotated, or it ends",
       kPeriodYear,
       kManyUses},
      {KeyPurpose::agree,
       "agree",
       "opens and authenticates the envelopes of one relationship",
       {x25519, p256, p384, p521},
       device,
       "until the relationship's keys are rotated, or it ends",
       kPeriodYear,
       kManyUses},
      {KeyPurpose::log_active,
       "log-active",
       "signs the entries of a log",
       {ed25519, secp256k1},
       device,
       "until the log's keys are rotated",
       kPeriodYear,
       kFewUses},
      {KeyPurpose::log_next,
       "log-next",
       "becomes active at the log's next rotation, or vetoes",
       {ed25519, secp256k1},
       vault,
       "until that rotation, and for vetoes until nobody may contest it any more"},
      {KeyPurpose::log_recovery,
       "log-recovery",
       "recovers a log whose other keys are lost or captured; also as a holder of somebody's "
       "super-quorum",
       {ed25519, secp256k1},
       vault,
       "until it is used, or another is chosen"},
      {KeyPurpose::agent,
       "agent",
       "stands for this device in the policy; signs policies and backups",
       {ed25519, secp256k1},
       device,
       "until the device is revoked"},
      {KeyPurpose::vault, "vault", "opens the vault", {x25519}, locked, "as long as the identity"},
      {KeyPurpose::retire,
       "retire",
       "lets one trustee forget one version of its record at once",
       {ed25519, secp256k1},
       vault,
       "until that version is replaced"},
      {KeyPurpose::session,
       "session",
       "opens the answers of one trustee in one recovery",
       {x25519},
       device,
       "until that recovery is over"},
      {KeyPurpose::audit,
       "audit",
       "signs this device's audit log",
       {ed25519, secp256k1},
       device,
       "as long as the device"},
      {KeyPurpose::link_secret,
       "link-secret",
       "shared by an owner's devices, for proofs",
       {},
       vault,
       "as long as the identity"},
      {KeyPurpose::ledger,
       "ledger",
       "signs the checkpoints of a ledger that this node keeps",
       {ed25519, secp256k1},
       device,
       "as long as the ledger"},
      {KeyPurpose::witness,
       "witness",
       "cosigns the checkpoints of other ledgers",
       {ed25519, secp256k1},
       device,
       "as long as the device"},
      {KeyPurpose::chain,
       "chain",
       "pays for entries on a chain",
       {secp256k1},
       device,
       "as long as the device"},
  };
  return all;
}

std::string period_text(const KeyTypeInfo& info) {
  std::string text;
  if (info.period_days != 0) text = std::to_string(info.period_days) + " days";
  if (info.uses_max != 0) {
    text += (text.empty() ? "" : " or ") + std::to_string(info.uses_max) + " uses";
  }
  return text.empty() ? "no period of its own" : text;
}

std::string types_text(const KeyTypeInfo& info) {
  std::string text;
  for (const KeyType type : info.types) {
    text += (text.empty() ? "" : ", ") + std::string(key_type_name(type));
  }
  return text.empty() ? "32 secret bytes" : text;
}

}  // namespace kith::crypto
