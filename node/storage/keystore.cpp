#include "node/storage/keystore.hpp"

#include <algorithm>

#include "crypto/aead.hpp"
#include "crypto/hash.hpp"
#include "crypto/limits.hpp"

namespace kith::node {
namespace {

using crypto::as_bytes;
using crypto::PassphraseParameters;

constexpr std::string_view kMagic = "kith-keystore-v1";
constexpr std::uint8_t kPassphraseV1 = 1;
constexpr std::uint8_t kKeyFile = 2;
constexpr std::uint8_t kPassphrase = 3;
constexpr std::uint8_t kTestWallet = 1;
constexpr std::size_t kRootBytes = 32;
constexpr std::size_t kNonceBytes = 24;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kHeadBytes = Keystore::kHeadBytes;
constexpr std::size_t kCostBytes = 4 + 8 + 16;
static_assert(kHeadBytes == kMagic.size() + 1);

/// What a keystore of this kind holds, from its head on.
struct Layout {
  std::size_t flag_bytes;
  std::size_t content_bytes;
  [[nodiscard]] std::size_t nonce_at() const { return kHeadBytes + flag_bytes + kCostBytes; }
  [[nodiscard]] std::size_t file_bytes() const {
    return nonce_at() + kNonceBytes + content_bytes + kTagBytes;
  }
};
constexpr Layout layout_of(std::uint8_t kind) {
  return kind == kPassphraseV1 ? Layout{0, kRootBytes} : Layout{1, 2 * kRootBytes};
}

Bytes head(std::uint8_t kind) {
  Bytes out = crypto::to_bytes(kMagic);
  out.push_back(kind);
  return out;
}

Bytes sealed_head(const KeystoreCost& cost) {
  Bytes out = head(kPassphrase);
  out.push_back(cost.test ? kTestWallet : 0);
  crypto::append_u32_be(out, cost.parameters.ops);
  crypto::append_u64_be(out, cost.parameters.memory_bytes);
  crypto::append(out, cost.parameters.salt);
  return out;
}

Error damaged() {
  return fail(Errc::storage_corrupt, "the keystore is damaged");
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

Result<bool> Keystore::has_passphrase(ByteView head, std::size_t file_bytes) {
  if (head.size() < kHeadBytes) return damaged();
  if (!crypto::equal(head.first(kMagic.size()), as_bytes(kMagic))) return damaged();
  const std::uint8_t kind = head[kMagic.size()];
  if (kind == kKeyFile && file_bytes == kHeadBytes + kRootBytes) return false;
  const bool sealed = kind == kPassphrase || kind == kPassphraseV1;
  if (!sealed || file_bytes != layout_of(kind).file_bytes()) return damaged();
  return true;
}

Result<Keystore::Made> Keystore::make(const SecretBytes* passphrase, const KeystoreCost& cost,
                                      Random& random) {
  SecretBytes root = random.secret(kRootBytes);
  if (passphrase == nullptr) {
    TRY(Keystore plain, parse(joined(head(kKeyFile), root.expose())));
    SecretBytes step_up = step_up_key(root);
    return Made{std::move(plain), {std::move(root), std::move(step_up)}};
  }
  TRY(const SecretBytes derived, crypto::derive_from_passphrase(*passphrase, cost.parameters));
  UnlockedKeys keys{std::move(root), step_up_key(derived)};
  TRY(Keystore sealed, seal(keys, derived, cost, random));
  return Made{std::move(sealed), std::move(keys)};
}

Result<Keystore> Keystore::sealed(const UnlockedKeys& keys, const SecretBytes& passphrase,
                                  const KeystoreCost& cost, Random& random) {
  TRY(const SecretBytes derived, crypto::derive_from_passphrase(passphrase, cost.parameters));
  return seal(keys, derived, cost, random);
}

Result<Keystore> Keystore::seal(const UnlockedKeys& keys, const SecretBytes& derived,
                                const KeystoreCost& cost, Random& random) {
  const Bytes ad = sealed_head(cost);
  const Bytes nonce = random.bytes(kNonceBytes);
  SecretBytes content(keys.root.size() + keys.step_up.size());
  std::ranges::copy(keys.root.expose(), content.expose_mutable().begin());
  std::ranges::copy(keys.step_up.expose(),
                    content.expose_mutable().subspan(keys.root.size()).begin());
  Bytes file = ad;
  crypto::append(file, nonce);
  crypto::append(file,
                 crypto::xc20p_seal(unlock_key(derived).expose(), nonce, ad, content.expose()));
  return parse(SecretBytes::take(file));
}

Result<Keystore> Keystore::parse(SecretBytes file) {
  const ByteView bytes = file.expose();
  TRY(const bool sealed, has_passphrase(bytes, bytes.size()));
  Keystore keystore;
  if (sealed) {
    const std::uint8_t kind = bytes[kMagic.size()];
    const Layout layout = layout_of(kind);
    const ByteView cost = bytes.subspan(kHeadBytes + layout.flag_bytes, kCostBytes);
    PassphraseParameters parameters;
    parameters.ops = static_cast<std::uint32_t>(read_be(cost.first(4)));
    parameters.memory_bytes = read_be(cost.subspan(4, 8));
    std::ranges::copy(cost.subspan(12), parameters.salt.begin());
    // Kind 1 did not say; nobody but a test wallet had the least cost.
    const bool least = parameters.ops <= limits::kArgonOpsMin &&
                       parameters.memory_bytes <= limits::kArgonMemoryBytesMin;
    const bool test = layout.flag_bytes == 0 ? least : (bytes[kHeadBytes] & kTestWallet) != 0;
    keystore.cost_ = KeystoreCost(parameters, test);
    keystore.nonce_at_ = layout.nonce_at();
  }
  keystore.file_ = std::move(file);
  return keystore;
}

Keystore Keystore::clone() const {
  Keystore copy;
  copy.file_ = file_.clone();
  copy.cost_ = cost_;
  copy.nonce_at_ = nonce_at_;
  return copy;
}

Result<UnlockedKeys> Keystore::unlock(const SecretBytes* passphrase) const {
  const ByteView bytes = file_.expose();
  if (!cost_) {
    SecretBytes root = SecretBytes::copy_of(bytes.subspan(kHeadBytes));
    SecretBytes step_up = step_up_key(root);
    return UnlockedKeys{std::move(root), std::move(step_up)};
  }
  if (passphrase == nullptr) return fail(Errc::step_up_required);
  TRY(const SecretBytes derived, crypto::derive_from_passphrase(*passphrase, cost_->parameters));
  auto content =
      crypto::xc20p_open_secret(unlock_key(derived).expose(), bytes.subspan(nonce_at_, kNonceBytes),
                                bytes.first(nonce_at_), bytes.subspan(nonce_at_ + kNonceBytes));
  if (!content.has_value()) return fail(Errc::wrong_passphrase);
  if (content->size() == kRootBytes) return UnlockedKeys{std::move(*content), step_up_key(derived)};
  return UnlockedKeys{SecretBytes::copy_of(content->expose().first(kRootBytes)),
                      SecretBytes::copy_of(content->expose().subspan(kRootBytes))};
}

}  // namespace kith::node
