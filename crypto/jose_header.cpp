#include "crypto/jose_header.hpp"

#include <algorithm>

namespace kith::crypto::jose {

namespace {

Error too_long(std::string_view what) {
  return fail(Errc::limit_exceeded, std::string(what) + " is too long");
}

/// Characters of base64url without padding.
constexpr std::size_t encoded_size(std::size_t bytes) {
  return (bytes * 4 + 2) / 3;
}

}  // namespace

Result<JsonObject> decode_header(std::string_view encoded) {
  if (encoded.size() > encoded_size(limits::kJoseHeaderBytesMax)) return too_long("the header");
  TRY(const Bytes decoded, from_base64url(encoded));
  TRY(Json value, parse_json(as_text(decoded)));
  JsonObject* header = value.if_object();
  if (header == nullptr) return fail(Errc::malformed, "the protected header must be an object");
  for (const std::string_view extension : {"crit", "b64"}) {
    if (header->contains(extension)) {
      return fail(Errc::unsupported, "header member '" + std::string(extension) + "'");
    }
  }
  return std::move(*header);
}

Result<void> check_unprotected(const JsonObject& header,
                               std::initializer_list<std::string_view> protected_only) {
  for (const std::string_view member : protected_only) {
    if (header.contains(member)) {
      return fail(Errc::malformed,
                  "header member '" + std::string(member) + "' belongs into the protected header");
    }
  }
  return {};
}

Result<void> check_kid(std::string_view kid) {
  if (kid.empty()) return fail(Errc::malformed, "an empty key id");
  if (kid.size() > limits::kDidCharsMax) return too_long("a key id");
  const bool visible =
      std::all_of(kid.begin(), kid.end(), [](char c) { return c > ' ' && c < 0x7F; });
  if (!visible) return fail(Errc::malformed, "a key id with characters that no DID URL has");
  return {};
}

bool is_media_type(std::string_view typ, std::string_view subtype) {
  constexpr std::string_view kPrefix = "application/";
  if (typ.substr(0, kPrefix.size()) == kPrefix) typ.remove_prefix(kPrefix.size());
  return typ == subtype;
}

Result<Bytes> decode_member(const JsonObject& object, std::string_view member,
                            std::size_t bytes_max) {
  const Json* value = object.if_contains(member);
  if (value == nullptr || !value->is_string()) {
    return fail(Errc::malformed, "member '" + std::string(member) + "' must be a string");
  }
  const std::string_view text = value->get_string();
  if (text.size() > encoded_size(bytes_max)) return too_long(member);
  return from_base64url(text);
}

}  // namespace kith::crypto::jose
