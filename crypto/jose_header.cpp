#include "crypto/jose_header.hpp"

#include <algorithm>

namespace kith::crypto::jose {

namespace {

Error too_long(std::string_view what) {
  return fail(Errc::limit_exceeded, std::string(what) + " is too long");
}

}  // namespace

Result<Header> decode_header(std::string_view encoded) {
  if (encoded.size() > base64url_size(limits::kJoseHeaderBytesMax)) return too_long("the header");
  TRY(Bytes text, from_base64url(encoded));
  TRY(FlatValue value, read_json(as_text(text)));
  const ValueView header = value.root();
  if (!header.is_map()) return fail(Errc::malformed, "the protected header must be an object");
  for (const std::string_view extension : {"crit", "b64"}) {
    if (header.contains(extension)) {
      return fail(Errc::unsupported, "header member '" + std::string(extension) + "'");
    }
  }
  return Header{std::move(text), std::move(value)};
}

Result<void> check_unprotected(ValueView header,
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

Result<Bytes> decode_member(ValueView object, std::string_view member, std::size_t bytes_max) {
  TRY(const std::string_view text, json_string(object, member));
  if (text.size() > base64url_size(bytes_max)) return too_long(member);
  return from_base64url(text);
}

}  // namespace kith::crypto::jose
