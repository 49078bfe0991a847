#pragma once

/// OpenSSL's state of a cipher, owned. For aead.cpp and key_wrap.cpp alone.

#include <memory>

struct evp_cipher_ctx_st;  // EVP_CIPHER_CTX

namespace kith::crypto {

struct FreeCipherContext {
  void operator()(evp_cipher_ctx_st* context) const;
};
using CipherContext = std::unique_ptr<evp_cipher_ctx_st, FreeCipherContext>;

/// Never null: memory for it is not something that a peer decides (asserted).
[[nodiscard]] CipherContext new_cipher_context();

}  // namespace kith::crypto
