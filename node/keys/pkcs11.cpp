#include "node/keys/pkcs11.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace kith::node {
namespace {

/// More slots than this are not looked at, of one module.
constexpr std::size_t kSlotsMax = 64;
constexpr std::size_t kSecretBytes = 32;
constexpr const char* kLibrary = "libp11-kit.so.0";

/// p11-kit is there where somebody uses tokens; Kith runs without.
class P11Kit {
 public:
  static const P11Kit* get() {
    static const P11Kit kit;
    return kit.complete_ ? &kit : nullptr;
  }
  decltype(&p11_kit_modules_load_and_initialize) load = nullptr;
  decltype(&p11_kit_modules_finalize_and_release) release = nullptr;
  decltype(&p11_kit_uri_new) uri_new = nullptr;
  decltype(&p11_kit_uri_free) uri_free = nullptr;
  decltype(&p11_kit_uri_parse) uri_parse = nullptr;
  decltype(&p11_kit_uri_match_token_info) uri_match_token = nullptr;
  decltype(&p11_kit_uri_get_attribute) uri_attribute = nullptr;

 private:
  P11Kit() {
    void* const library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return;
    complete_ = find(library, "p11_kit_modules_load_and_initialize", load) &&
                find(library, "p11_kit_modules_finalize_and_release", release) &&
                find(library, "p11_kit_uri_new", uri_new) &&
                find(library, "p11_kit_uri_free", uri_free) &&
                find(library, "p11_kit_uri_parse", uri_parse) &&
                find(library, "p11_kit_uri_match_token_info", uri_match_token) &&
                find(library, "p11_kit_uri_get_attribute", uri_attribute);
  }
  template <typename Function>
  static bool find(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(::dlsym(library, name));
    return function != nullptr;
  }
  bool complete_ = false;
};

Error no_p11_kit() {
  return fail(Errc::token_missing, "install p11-kit and the module of your token; " +
                                       std::string(kLibrary) + " is not on this machine");
}

Error refused_by(const char* step, CK_RV code) {
  switch (code) {
    case CKR_PIN_INCORRECT:
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
      return fail(Errc::token_pin_wrong);
    case CKR_PIN_LOCKED:
      return fail(Errc::token_locked);
    case CKR_DEVICE_REMOVED:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_TOKEN_NOT_RECOGNIZED:
      return fail(Errc::token_missing);
    default:
      return fail(Errc::refused, "the key token cannot " + std::string(step) + " (PKCS#11 code " +
                                     std::to_string(code) + ")");
  }
}

/// What PKCS#11 takes is not const, but is not written to.
template <typename T>
CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, T& value) {
  return {type, &value, sizeof(value)};
}
CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, Bytes& value) {
  return {type, value.data(), value.size()};
}

}  // namespace

Result<TokenWish> TokenWish::from_uri(const std::string& text) {
  const P11Kit* const kit = P11Kit::get();
  if (kit == nullptr) return no_p11_kit();
  TokenWish wish;
  wish.uri_ = std::shared_ptr<P11KitUri>(kit->uri_new(), kit->uri_free);
  if (wish.uri_ == nullptr) return fail(Errc::no_memory);
  if (kit->uri_parse(text.c_str(), P11_KIT_URI_FOR_OBJECT_ON_TOKEN, wish.uri_.get()) !=
      P11_KIT_URI_OK) {
    return fail(Errc::usage, "a token is named by a URI: pkcs11:token=NAME");
  }
  if (const CK_ATTRIBUTE* id = kit->uri_attribute(wish.uri_.get(), CKA_ID); id != nullptr) {
    if (id->ulValueLen == 0 || id->ulValueLen > TokenLink::kIdBytesMax) {
      return fail(Errc::usage, "the id of a key on a token has 1 to 32 bytes");
    }
    const auto* const first = static_cast<const std::uint8_t*>(id->pValue);
    wish.key_id_.assign(first, first + id->ulValueLen);
  }
  return wish;
}

TokenWish TokenWish::from_link(const TokenLink& link) {
  TokenWish wish;
  wish.link_ = &link;
  wish.key_id_ = link.key_id;
  return wish;
}

bool TokenWish::fits(const CK_TOKEN_INFO& info) const {
  if (link_ != nullptr) {
    return std::equal(link_->label.begin(), link_->label.end(), info.label) &&
           std::equal(link_->serial.begin(), link_->serial.end(), info.serialNumber);
  }
  CK_TOKEN_INFO looked_at = info;
  return P11Kit::get()->uri_match_token(uri_.get(), &looked_at) == 1;
}

TokenModules::TokenModules(CK_FUNCTION_LIST** list) : list_(list, P11Kit::get()->release) {}

Result<TokenModules> TokenModules::open() {
  const P11Kit* const kit = P11Kit::get();
  if (kit == nullptr) return no_p11_kit();
  CK_FUNCTION_LIST** const list = kit->load(0);
  if (list == nullptr) return fail(Errc::token_missing, "no PKCS#11 module of p11-kit comes up");
  return TokenModules(list);
}

Result<FoundToken> TokenModules::find(const TokenWish& wish) const {
  std::vector<FoundToken> found;
  for (CK_FUNCTION_LIST** module = list_.get(); *module != nullptr; ++module) {
    std::array<CK_SLOT_ID, kSlotsMax> slots{};
    CK_ULONG count = slots.size();
    if ((*module)->C_GetSlotList(CK_TRUE, slots.data(), &count) != CKR_OK) continue;
    for (const CK_SLOT_ID slot : std::span(slots).first(std::min<std::size_t>(count, kSlotsMax))) {
      FoundToken token{*module, slot, {}};
      if ((*module)->C_GetTokenInfo(slot, &token.info) != CKR_OK) continue;
      if ((token.info.flags & CKF_TOKEN_INITIALIZED) != 0 && wish.fits(token.info)) {
        found.push_back(token);
      }
    }
  }
  if (found.empty()) return fail(Errc::token_missing);
  if (found.size() > 1) {
    return fail(Errc::usage,
                "several tokens are like that: name one by its serial number "
                "(pkcs11:token=NAME;serial=NUMBER)");
  }
  return found.front();
}

Result<TokenSession> TokenSession::open(const FoundToken& token, Access access,
                                        const SecretBytes* pin) {
  CK_SESSION_HANDLE handle = 0;
  const CK_FLAGS flags =
      CKF_SERIAL_SESSION | (access == Access::writing ? CKF_RW_SESSION : CK_FLAGS{0});
  const CK_RV code = token.module->C_OpenSession(token.slot, flags, nullptr, nullptr, &handle);
  if (code != CKR_OK) return refused_by("open a session", code);
  TokenSession session(token.module, handle);
  CHECK(session.log_in(token.info, pin));
  return session;
}

TokenSession::TokenSession(TokenSession&& other) noexcept
    : module_(std::exchange(other.module_, nullptr)), handle_(other.handle_) {}

TokenSession::~TokenSession() {
  if (module_ == nullptr) return;
  module_->C_Logout(handle_);
  module_->C_CloseSession(handle_);
}

Result<void> TokenSession::log_in(const CK_TOKEN_INFO& info, const SecretBytes* pin) {
  if ((info.flags & CKF_LOGIN_REQUIRED) == 0) return {};
  if ((info.flags & CKF_USER_PIN_LOCKED) != 0) return fail(Errc::token_locked);
  CK_RV code = CKR_OK;
  if ((info.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0) {  // It has keys of its own for that.
    code = module_->C_Login(handle_, CKU_USER, nullptr, 0);
  } else {
    if (pin == nullptr) return fail(Errc::token_pin_needed);
    SecretBytes copy = pin->clone();
    const auto typed = copy.expose_mutable();
    code = module_->C_Login(handle_, CKU_USER, typed.data(), typed.size());
  }
  if (code == CKR_OK || code == CKR_USER_ALREADY_LOGGED_IN) return {};
  return refused_by("log in", code);
}

Result<void> TokenSession::make_key(const Bytes& id) {
  CK_BBOOL yes = CK_TRUE;
  CK_BBOOL no = CK_FALSE;
  Bytes key_id = id;
  Bytes label = crypto::to_bytes(std::string_view("kith"));
  // prime256v1, 1.2.840.10045.3.1.7, in DER (RFC 5480 section 2.1.1.1).
  Bytes curve{0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
  std::array public_part{attribute(CKA_TOKEN, yes), attribute(CKA_ID, key_id),
                         attribute(CKA_LABEL, label), attribute(CKA_EC_PARAMS, curve)};
  std::array private_part{attribute(CKA_TOKEN, yes),     attribute(CKA_PRIVATE, yes),
                          attribute(CKA_SENSITIVE, yes), attribute(CKA_EXTRACTABLE, no),
                          attribute(CKA_DERIVE, yes),    attribute(CKA_SIGN, no),
                          attribute(CKA_ID, key_id),     attribute(CKA_LABEL, label)};
  CK_MECHANISM mechanism{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  CK_OBJECT_HANDLE public_key = 0;
  CK_OBJECT_HANDLE private_key = 0;
  const CK_RV code = module_->C_GenerateKeyPair(handle_, &mechanism, public_part.data(),
                                                public_part.size(), private_part.data(),
                                                private_part.size(), &public_key, &private_key);
  if (code != CKR_OK) return refused_by("make a key of P-256", code);
  return {};
}

Result<CK_OBJECT_HANDLE> TokenSession::find_key(const Bytes& id) {
  CK_OBJECT_CLASS kind = CKO_PRIVATE_KEY;
  Bytes key_id = id;
  std::array wanted{attribute(CKA_CLASS, kind), attribute(CKA_ID, key_id)};
  CK_RV code = module_->C_FindObjectsInit(handle_, wanted.data(), wanted.size());
  if (code != CKR_OK) return refused_by("look for its key", code);
  CK_OBJECT_HANDLE key = 0;
  CK_ULONG count = 0;
  code = module_->C_FindObjects(handle_, &key, 1, &count);
  module_->C_FindObjectsFinal(handle_);
  if (code != CKR_OK) return refused_by("look for its key", code);
  if (count == 0) return fail(Errc::token_missing, "this token has not the key of this wallet");
  return key;
}

Result<SecretBytes> TokenSession::agree(const Bytes& id, const Bytes& point) {
  TRY(const CK_OBJECT_HANDLE key, find_key(id));
  CK_OBJECT_CLASS kind = CKO_SECRET_KEY;
  CK_KEY_TYPE type = CKK_GENERIC_SECRET;
  CK_BBOOL yes = CK_TRUE;
  CK_BBOOL no = CK_FALSE;
  CK_ULONG size = kSecretBytes;
  std::array made{attribute(CKA_CLASS, kind),      attribute(CKA_KEY_TYPE, type),
                  attribute(CKA_TOKEN, no),        attribute(CKA_SENSITIVE, no),
                  attribute(CKA_EXTRACTABLE, yes), attribute(CKA_VALUE_LEN, size)};
  Bytes peer = point;
  CK_ECDH1_DERIVE_PARAMS parameters{CKD_NULL, 0, nullptr, peer.size(), peer.data()};
  CK_MECHANISM mechanism{CKM_ECDH1_DERIVE, &parameters, sizeof(parameters)};
  CK_OBJECT_HANDLE derived = 0;
  CK_RV code = module_->C_DeriveKey(handle_, &mechanism, key, made.data(), made.size(), &derived);
  if (code != CKR_OK) return refused_by("agree on a secret with its key", code);
  SecretBytes secret(kSecretBytes);
  CK_ATTRIBUTE value{CKA_VALUE, secret.expose_mutable().data(), kSecretBytes};
  code = module_->C_GetAttributeValue(handle_, derived, &value, 1);
  module_->C_DestroyObject(handle_, derived);
  if (code != CKR_OK) return refused_by("show the secret", code);
  if (value.ulValueLen != kSecretBytes) return fail(Errc::refused, "the key token answers wrongly");
  return secret;
}

}  // namespace kith::node
