#include "node/storage/keystore.hpp"

#include <algorithm>

#include "crypto/aead.hpp"
#include "crypto/assert.hpp"
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
constexpr std::uint8_t kPassphraseAndToken = 4;
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
  std::size_t link_bytes;
  std::size_t content_bytes;
  [[nodiscard]] std::size_t link_at() const { return kHeadBytes + flag_bytes + kCostBytes; }
  [[nodiscard]] std::size_t nonce_at() const { return link_at() + link_bytes; }
  [[nodiscard]] std::size_t file_bytes() const {
    return nonce_at() + kNonceBytes + content_bytes + kTagBytes;
  }
};
constexpr Layout layout_of(std::uint8_t kind) {
  if (kind == kPassphraseV1) return {0, 0, kRootBytes};
  return {1, kind == kPassphraseAndToken ? TokenLink::kBytes : 0, 2 * kRootBytes};
}

Bytes head(std::uint8_t kind) {
  Bytes out = crypto::to_bytes(kMagic);
  out.push_back(kind);
  return out;
}

Bytes sealed_head(const KeystoreCost& cost, const HeldToken* token) {
  Bytes out = head(token == nullptr ? kPassphrase : kPassphraseAndToken);
  out.push_back(cost.test ? kTestWallet : 0);
  crypto::append_u32_be(out, cost.parameters.ops);
  crypto::append_u64_be(out, cost.parameters.memory_bytes);
  crypto::append(out, cost.parameters.salt);
  if (token != nullptr) crypto::append(out, token->link.encode());
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
/// `token_secret`: empty where there is no token.
SecretBytes unlock_key(const SecretBytes& derived, const SecretBytes& token_secret) {
  if (token_secret.empty()) return derive(derived, "kith/keystore/v1/unlock");
  SecretBytes both(derived.size() + token_secret.size());
  std::ranges::copy(derived.expose(), both.expose_mutable().begin());
  std::ranges::copy(token_secret.expose(), both.expose_mutable().subspan(derived.size()).begin());
  return derive(both, "kith/keystore/v1/unlock-with-token");
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
  const bool sealed = kind == kPassphrase || kind == kPassphraseV1 || kind == kPassphraseAndToken;
  if (!sealed || file_bytes != layout_of(kind).file_bytes()) return damaged();
  return true;
}

Result<Keystore::Made> Keystore::make(const SecretBytes* passphrase, const KeystoreCost& cost,
                                      Random& random, const HeldToken* token) {
  ASSERT(passphrase != nullptr || token == nullptr);
  SecretBytes root = random.secret(kRootBytes);
  if (passphrase == nullptr) {
    TRY(Keystore plain, parse(joined(head(kKeyFile), root.expose())));
    SecretBytes step_up = step_up_key(root);
    return Made{std::move(plain), {std::move(root), std::move(step_up)}};
  }
  TRY(const SecretBytes derived, crypto::derive_from_passphrase(*passphrase, cost.parameters));
  UnlockedKeys keys{std::move(root), step_up_key(derived)};
  TRY(Keystore sealed, seal(keys, derived, cost, random, token));
  return Made{std::move(sealed), std::move(keys)};
}

Result<Keystore> Keystore::sealed(const UnlockedKeys& keys, const SecretBytes& passphrase,
                                  const KeystoreCost& cost, Random& random,
                                  const HeldToken* token) {
  TRY(const SecretBytes derived, crypto::derive_from_passphrase(passphrase, cost.parameters));
  return seal(keys, derived, cost, random, token);
}

Result<Keystore> Keystore::seal(const UnlockedKeys& keys, const SecretBytes& derived,
                                const KeystoreCost& cost, Random& random, const HeldToken* token) {
  const Bytes ad = sealed_head(cost, token);
  const Bytes nonce = random.bytes(kNonceBytes);
  SecretBytes content(keys.root.size() + keys.step_up.size());
  std::ranges::copy(keys.root.expose(), content.expose_mutable().begin());
  std::ranges::copy(keys.step_up.expose(),
                    content.expose_mutable().subspan(keys.root.size()).begin());
  const SecretBytes token_secret = token == nullptr ? SecretBytes() : token->secret.clone();
  const SecretBytes key = unlock_key(derived, token_secret);
  Bytes file = ad;
  crypto::append(file, nonce);
  crypto::append(file, crypto::xc20p_seal(key.expose(), nonce, ad, content.expose()));
  TRY(Keystore keystore, parse(SecretBytes::take(file)));
  keystore.token_secret_ = token_secret.clone();
  return keystore;
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
    if (layout.link_bytes != 0) {
      auto link = TokenLink::parse(bytes.subspan(layout.link_at(), layout.link_bytes));
      if (!link.has_value()) return damaged();
      keystore.token_ = std::move(*link);
    }
  }
  keystore.file_ = std::move(file);
  return keystore;
}

Keystore Keystore::clone() const {
  Keystore copy;
  copy.file_ = file_.clone();
  copy.cost_ = cost_;
  copy.nonce_at_ = nonce_at_;
  copy.token_ = token_;
  copy.token_secret_ = token_secret_.clone();
  return copy;
}

void Keystore::hold_token_secret(SecretBytes secret) {
  ASSERT(token_.has_value() && secret.size() == kRootBytes);
  token_secret_ = std::move(secret);
}

std::optional<HeldToken> Keystore::held_token() const {
  if (!token_) return std::nullopt;
  ASSERT(!token_secret_.empty());
  return HeldToken{*token_, token_secret_.clone()};
}

Result<UnlockedKeys> Keystore::unlock(const SecretBytes* passphrase) const {
  const ByteView bytes = file_.expose();
  if (!cost_) {
    SecretBytes root = SecretBytes::copy_of(bytes.subspan(kHeadBytes));
    SecretBytes step_up = step_up_key(root);
    return UnlockedKeys{std::move(root), std::move(step_up)};
  }
  if (passphrase == nullptr) return fail(Errc::step_up_required);
  if (token_ && token_secret_.empty()) return fail(Errc::token_missing, token_->name());
  TRY(const SecretBytes derived, crypto::derive_from_passphrase(*passphrase, cost_->parameters));
  auto content = crypto::xc20p_open_secret(
      unlock_key(derived, token_secret_).expose(), bytes.subspan(nonce_at_, kNonceBytes),
      bytes.first(nonce_at_), bytes.subspan(nonce_at_ + kNonceBytes));
  if (!content.has_value()) return fail(Errc::wrong_passphrase);
  if (content->size() == kRootBytes) return UnlockedKeys{std::move(*content), step_up_key(derived)};
  return UnlockedKeys{SecretBytes::copy_of(content->expose().first(kRootBytes)),
                      SecretBytes::copy_of(content->expose().subspan(kRootBytes))};
}

}  // namespace kith::node
