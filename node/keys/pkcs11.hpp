#pragma once

/// PKCS#11 with its lifetimes: modules, tokens, sessions. For key_token.cpp.

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#include <memory>
#include <string>
#include <vector>

#include "crypto/result.hpp"
#include "crypto/secret_bytes.hpp"
#include "node/storage/token_link.hpp"

namespace kith::node {

/// What of a token is asked for: all that is set must fit.
class TokenWish {
 public:
  /// Errors: usage, token_missing (no p11-kit).
  [[nodiscard]] static Result<TokenWish> from_uri(const std::string& text);
  [[nodiscard]] static TokenWish from_link(const TokenLink& link);

  [[nodiscard]] bool fits(const CK_TOKEN_INFO& info) const;
  /// Empty: none was named.
  [[nodiscard]] const Bytes& key_id() const { return key_id_; }

 private:
  std::shared_ptr<P11KitUri> uri_;
  const TokenLink* link_ = nullptr;
  Bytes key_id_;
};

struct FoundToken {
  CK_FUNCTION_LIST* module = nullptr;
  CK_SLOT_ID slot = 0;
  CK_TOKEN_INFO info{};
};

/// All modules that this machine's p11-kit knows, for as long as it lives.
class TokenModules {
 public:
  /// Errors: token_missing (no p11-kit, or its modules do not come up).
  [[nodiscard]] static Result<TokenModules> open();
  /// The one that fits. Errors: token_missing, usage (several).
  [[nodiscard]] Result<FoundToken> find(const TokenWish& wish) const;

 private:
  explicit TokenModules(CK_FUNCTION_LIST** list);
  std::unique_ptr<CK_FUNCTION_LIST*, void (*)(CK_FUNCTION_LIST**)> list_;
};

/// One session on a token, logged in where the token asks for that.
class TokenSession {
 public:
  enum class Access { reading, writing };
  /// Errors: token_missing, token_pin_needed, token_pin_wrong, token_locked, refused.
  [[nodiscard]] static Result<TokenSession> open(const FoundToken& token, Access access,
                                                 const SecretBytes* pin);
  ~TokenSession();
  TokenSession(TokenSession&& other) noexcept;
  TokenSession& operator=(TokenSession&&) = delete;

  /// A P-256 key for ECDH that cannot leave. Errors: refused, token_missing.
  [[nodiscard]] Result<void> make_key(const Bytes& id);
  /// x of key * point, 32 bytes. Errors: token_missing (no such key), refused.
  [[nodiscard]] Result<SecretBytes> agree(const Bytes& id, const Bytes& point);

 private:
  TokenSession(CK_FUNCTION_LIST* module, CK_SESSION_HANDLE handle)
      : module_(module), handle_(handle) {}
  [[nodiscard]] Result<void> log_in(const CK_TOKEN_INFO& info, const SecretBytes* pin);
  [[nodiscard]] Result<CK_OBJECT_HANDLE> find_key(const Bytes& id);
  CK_FUNCTION_LIST* module_;
  CK_SESSION_HANDLE handle_;
};

}  // namespace kith::node
