#include "node/storage/keystore.hpp"

#include <algorithm>

#include "crypto/aead.hpp"
#include "crypto/hash.hpp"

namespace kith::node {
namespace {

using crypto::as_bytes;
using crypto::PassphraseParameters;

constexpr std::string_view kMagic = "kith-keystore-v1";
constexpr std::uint8_t kPassphrase = 1;
constexpr std::uint8_t kKeyFile = 2;
constexpr std::size_t kRootBytes = 32;
constexpr std::size_t kNonceBytes = 24;
constexpr std::size_t kSealedRootBytes = kRootBytes + 16;
constexpr std::size_t kHeadBytes = kMagic.size() + 1;
constexpr std::size_t kSealedHeadBytes = kHeadBytes + 4 + 8 + 16;

Bytes head(std::uint8_t kind) {
  Bytes out = crypto::to_bytes(kMagic);
  out.push_back(kind);
  return out;
}

Bytes sealed_head(const PassphraseParameters& parameters) {
  Bytes out = head(kPassphrase);
  crypto::append_u32_be(out, parameters.ops);
  crypto::append_u64_be(out, parameters.memory_bytes);
  crypto::append(out, parameters.salt);
  return out;
}

std::uint64_t read_be(ByteView bytes) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8U | byte;
  return value;
}

SecretBytes derive(const SecretBytes& from, std::string_view info) {
  return crypto::hkdf_sha256(from.expose(), {}, as_bytes(info), kRootBytes);
}
SecretBytes unlock_key(const SecretBytes& derived) {
  return derive(derived, "kith/keystore/v1/unlock");
}
SecretBytes step_up_key(const SecretBytes& derived) {
  return derive(derived, "kith/keystore/v1/step-up");
}

SecretBytes joined(const Bytes& front, ByteView back) {
  SecretBytes out(front.size() + back.size());
  std::copy(front.begin(), front.end(), out.expose_mutable().begin());
  std::copy(back.begin(), back.end(),
            out.expose_mutable().begin() + static_cast<std::ptrdiff_t>(front.size()));
  return out;
}

}  // namespace

Result<Keystore::Made> Keystore::make(const SecretBytes* passphrase,
                                      const PassphraseParameters& parameters, Random& random) {
  SecretBytes root = random.secret(kRootBytes);
  if (passphrase == nullptr) {
    TRY(Keystore plain, parse(joined(head(kKeyFile), root.expose())));
    SecretBytes step_up = step_up_key(root);
    return Made{std::move(plain), {std::move(root), std::move(step_up)}};
  }
  TRY(const SecretBytes derived, crypto::derive_from_passphrase(*passphrase, parameters));
  const Bytes ad = sealed_head(parameters);
  const Bytes nonce = random.bytes(kNonceBytes);
  Bytes file = ad;
  crypto::append(file, nonce);
  crypto::append(file, crypto::xc20p_seal(unlock_key(derived).expose(), nonce, ad, root.expose()));
  TRY(Keystore sealed, parse(SecretBytes::take(file)));
  return Made{std::move(sealed), {std::move(root), step_up_key(derived)}};
}

Result<Keystore> Keystore::parse(SecretBytes file) {
  const auto damaged = [] { return fail(Errc::storage_corrupt, "the keystore is damaged"); };
  const ByteView bytes = file.expose();
  if (bytes.size() < kHeadBytes) return damaged();
  if (!crypto::equal(bytes.first(kMagic.size()), as_bytes(kMagic))) return damaged();
  const std::uint8_t kind = bytes[kMagic.size()];
  Keystore keystore;
  if (kind == kPassphrase) {
    if (bytes.size() != kSealedHeadBytes + kNonceBytes + kSealedRootBytes) return damaged();
    PassphraseParameters parameters;
    parameters.ops = static_cast<std::uint32_t>(read_be(bytes.subspan(kHeadBytes, 4)));
    parameters.memory_bytes = read_be(bytes.subspan(kHeadBytes + 4, 8));
    std::copy_n(bytes.begin() + kHeadBytes + 12, parameters.salt.size(), parameters.salt.begin());
    keystore.parameters_ = parameters;
  } else if (kind != kKeyFile || bytes.size() != kHeadBytes + kRootBytes) {
    return damaged();
  }
  keystore.file_ = std::move(file);
  return keystore;
}

Keystore Keystore::clone() const {
  Keystore copy;
  copy.file_ = file_.clone();
  copy.parameters_ = parameters_;
  return copy;
}

Result<UnlockedKeys> Keystore::unlock(const SecretBytes* passphrase) const {
  const ByteView bytes = file_.expose();
  if (!parameters_) {
    SecretBytes root = SecretBytes::copy_of(bytes.subspan(kHeadBytes));
    SecretBytes step_up = step_up_key(root);
    return UnlockedKeys{std::move(root), std::move(step_up)};
  }
  if (passphrase == nullptr) return fail(Errc::step_up_required);
  TRY(const SecretBytes derived, crypto::derive_from_passphrase(*passphrase, *parameters_));
  auto root = crypto::xc20p_open_secret(
      unlock_key(derived).expose(), bytes.subspan(kSealedHeadBytes, kNonceBytes),
      bytes.first(kSealedHeadBytes), bytes.subspan(kSealedHeadBytes + kNonceBytes));
  if (!root.has_value()) return fail(Errc::wrong_passphrase);
  return UnlockedKeys{std::move(*root), step_up_key(derived)};
}

}  // namespace kith::node
