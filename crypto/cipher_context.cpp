#include "crypto/cipher_context.hpp"

#include <openssl/evp.h>

#include "crypto/assert.hpp"

namespace kith::crypto {

void FreeCipherContext::operator()(evp_cipher_ctx_st* context) const {
  EVP_CIPHER_CTX_free(context);
}

CipherContext new_cipher_context() {
  CipherContext context(EVP_CIPHER_CTX_new());
  ASSERT(context != nullptr);
  return context;
}

}  // namespace kith::crypto
