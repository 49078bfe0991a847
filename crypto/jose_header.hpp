#pragma once

/// What JWS and JWE headers have in common (RFC 7515 section 4, RFC 7516 section 4): strict
/// decoding, no critical extensions, key ids that are plain DID URLs. For jws.cpp and jwe*.cpp
/// only.

#include <initializer_list>
#include <string>
#include <string_view>

#include "crypto/json.hpp"
#include "crypto/result.hpp"

namespace kith::crypto::jose {

/// A protected header, decoded and read.
struct Header {
  Bytes text;       ///< What `value` refers to; moving it leaves it where it is.
  FlatValue value;  ///< An object.
  [[nodiscard]] ValueView root() const { return value.root(); }
};

/// Base64url text of one header to its object. `crit` and `b64` are refused: Kith knows no
/// extension that changes how a message is read. Members it does not know are left alone.
/// Errors: malformed, limit_exceeded, unsupported.
[[nodiscard]] Result<Header> decode_header(std::string_view encoded);

/// The unprotected header of a signature or recipient: an object, or absent (nullptr given). It may
/// carry `kid`, and none of the members in `protected_only`.
[[nodiscard]] Result<void> check_unprotected(
    ValueView header, std::initializer_list<std::string_view> protected_only);

/// A key id: 1 to limits::kDidCharsMax visible ASCII characters, as DID URLs are. Errors:
/// malformed.
[[nodiscard]] Result<void> check_kid(std::string_view kid);

/// Whether `typ` is `application/<subtype>`; the prefix may be left out (RFC 7515 section 4.1.9).
[[nodiscard]] bool is_media_type(std::string_view typ, std::string_view subtype);

/// Text as the 'ASCII(BASE64URL(...))' forms need it: strict, at most `bytes_max` decoded bytes.
/// Errors: malformed, limit_exceeded (before any decoding).
[[nodiscard]] Result<Bytes> decode_member(ValueView object, std::string_view member,
                                          std::size_t bytes_max);

}  // namespace kith::crypto::jose
