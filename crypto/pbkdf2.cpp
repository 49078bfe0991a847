#include "crypto/pbkdf2.hpp"

// See hash.cpp for why these.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <span>

#include "crypto/assert.hpp"
#include "crypto/hash.hpp"

namespace kith::crypto {
namespace {

constexpr std::size_t kPrfBytes = SHA256_DIGEST_LENGTH;
constexpr std::size_t kPrfBlockBytes = SHA256_CBLOCK;

/// Hash values, hash states and one block on their way through all iterations; wiped together.
class Chain {
 public:
  /// `first` is what HMAC gives for the salt.
  Chain(ByteView password, ByteView first) {
    std::ranges::copy(first, block_.begin());
    std::ranges::copy(first, sum_.begin());
    // Every input here is a block of padded key and a hash: 96 bytes, and the padding for that.
    block_[kPrfBytes] = 0x80;
    block_[kPrfBlockBytes - 2] = 8 * (kPrfBlockBytes + kPrfBytes) >> 8;
    block_[kPrfBlockBytes - 1] = 8 * (kPrfBlockBytes + kPrfBytes) & 0xff;
    make_states(password);
  }
  ~Chain() { wipe({reinterpret_cast<std::uint8_t*>(this), sizeof *this}); }
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;
  Chain(Chain&&) = delete;
  Chain& operator=(Chain&&) = delete;

  void iterate() {
    hash_block_after(inner_);
    hash_block_after(outer_);
    for (std::size_t i = 0; i < kPrfBytes; ++i) sum_[i] ^= block_[i];
  }
  [[nodiscard]] ByteView sum() const { return sum_; }

 private:
  using State = std::array<SHA_LONG, kPrfBytes / 4>;

  /// RFC 2104: the states behind the two padded keys.
  void make_states(ByteView password) {
    std::array<std::uint8_t, kPrfBlockBytes> pad{};
    if (password.size() > pad.size()) {
      Digest256 shortened = sha256(password);
      std::ranges::copy(shortened, pad.begin());
      wipe(shortened);
    } else {
      std::ranges::copy(password, pad.begin());
    }
    for (std::uint8_t& byte : pad) byte ^= 0x36;
    inner_ = state_after(pad);
    for (std::uint8_t& byte : pad) byte ^= 0x36 ^ 0x5c;
    outer_ = state_after(pad);
    wipe(pad);
  }

  State state_after(const std::array<std::uint8_t, kPrfBlockBytes>& pad) {
    SHA256_Init(&context_);
    SHA256_Transform(&context_, pad.data());
    State state;
    std::ranges::copy(context_.h, state.begin());
    return state;
  }

  /// The hash in the block becomes the hash of it.
  void hash_block_after(const State& state) {
    std::ranges::copy(state, context_.h);
    SHA256_Transform(&context_, block_.data());
    for (std::size_t i = 0; i < state.size(); ++i) {
      const SHA_LONG word = context_.h[i];
      block_[4 * i] = static_cast<std::uint8_t>(word >> 24);
      block_[4 * i + 1] = static_cast<std::uint8_t>(word >> 16);
      block_[4 * i + 2] = static_cast<std::uint8_t>(word >> 8);
      block_[4 * i + 3] = static_cast<std::uint8_t>(word);
    }
  }

  SHA256_CTX context_{};
  State inner_{};
  State outer_{};
  std::array<std::uint8_t, kPrfBlockBytes> block_{};
  std::array<std::uint8_t, kPrfBytes> sum_{};
};

}  // namespace

SecretBytes pbkdf2_sha256(ByteView password, ByteView salt, std::uint32_t iterations,
                          std::size_t key_bytes) {
  ASSERT(iterations > 0);
  ASSERT(key_bytes > 0);
  ASSERT(key_bytes <= kPrfBytes);
  Bytes first_input(salt.begin(), salt.end());
  first_input.insert(first_input.end(), {0, 0, 0, 1});  // The number of the block.
  Digest256 first = hmac_sha256(password, first_input);
  wipe(first_input);
  Chain chain(password, first);
  wipe(first);
  for (std::uint32_t i = 1; i < iterations; ++i) chain.iterate();
  return SecretBytes::copy_of(chain.sum().first(key_bytes));
}

}  // namespace kith::crypto
