#pragma once

/// DIDs and DID URLs (DID Core 1.0, section 3). Scheme and method are lower case by the standard
/// and refused otherwise; the rest is compared byte by byte, never normalised.

#include <compare>
#include <string>
#include <string_view>

#include "crypto/result.hpp"

namespace kith::protocol {

/// `did:<method>:<method-specific-id>`, always valid and at most limits::kDidCharsMax long.
class Did {
 public:
  /// Errors: malformed, limit_exceeded.
  [[nodiscard]] static Result<Did> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::string_view method() const;
  [[nodiscard]] std::string_view method_specific_id() const;  ///< All after `did:<method>:`.

  friend bool operator==(const Did&, const Did&) = default;
  friend auto operator<=>(const Did&, const Did&) = default;

 private:
  explicit Did(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// A DID with optional path, query and fragment. Keys are named by DID URLs with a fragment
/// ("kid").
class DidUrl {
 public:
  /// Absolute form only. Errors: malformed, limit_exceeded.
  [[nodiscard]] static Result<DidUrl> parse(std::string_view text);
  /// Also reads "#fragment" relative to `base`.
  [[nodiscard]] static Result<DidUrl> parse(std::string_view text, const Did& base);
  /// The absolute name of a key; refuses URLs without fragment or with path or query.
  [[nodiscard]] static Result<DidUrl> parse_kid(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }  ///< Absolute.
  [[nodiscard]] const Did& did() const { return did_; }
  /// Path and query as written, e.g. "/a?b=c"; empty when there is none.
  [[nodiscard]] std::string_view path_and_query() const;
  [[nodiscard]] bool has_fragment() const;
  [[nodiscard]] std::string_view fragment() const;  ///< Without '#'; empty when there is none.

  friend bool operator==(const DidUrl&, const DidUrl&) = default;
  friend auto operator<=>(const DidUrl&, const DidUrl&) = default;

 private:
  DidUrl(std::string text, Did did) : text_(std::move(text)), did_(std::move(did)) {}
  std::string text_;
  Did did_;
};

}  // namespace kith::protocol

namespace kith {
using protocol::Did;
using protocol::DidUrl;
}  // namespace kith
