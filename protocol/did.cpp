#include "protocol/did.hpp"

#include <array>

#include "crypto/limits.hpp"

namespace kith::protocol {

namespace {

constexpr std::string_view kScheme = "did:";

constexpr bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

constexpr bool is_alnum(char c) {
  return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

using CharacterSet = std::array<bool, 256>;

/// Letters, digits and `more`.
constexpr CharacterSet alnum_and(std::string_view more) {
  CharacterSet set{};
  for (std::size_t c = 0; c < set.size(); ++c) set[c] = c < 128 && is_alnum(static_cast<char>(c));
  for (const char c : more) set[static_cast<unsigned char>(c)] = true;
  return set;
}

constexpr CharacterSet kIdCharacters = alnum_and(".-_:");
constexpr CharacterSet kPathCharacters = alnum_and("-._~!$&'()*+,;=:@/");
constexpr CharacterSet kQueryCharacters = alnum_and("-._~!$&'()*+,;=:@/?");

/// Every character is in `allowed`, or '%' that starts two hexadecimal digits.
bool consists_of(std::string_view text, const CharacterSet& allowed) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
      i += 2;
    } else if (!allowed[static_cast<unsigned char>(text[i])]) {
      return false;
    }
  }
  return true;
}

std::size_t end_of_did(std::string_view text) {
  const std::size_t end = text.find_first_of("/?#");
  return end == std::string_view::npos ? text.size() : end;
}

Result<void> check_rest(std::string_view rest) {
  const std::size_t hash = rest.find('#');
  const std::string_view front = rest.substr(0, hash);
  const std::size_t question = front.find('?');
  const bool path_fits = consists_of(front.substr(0, question), kPathCharacters);
  const bool query_fits = question == std::string_view::npos ||
                          consists_of(front.substr(question + 1), kQueryCharacters);
  const bool fragment_fits =
      hash == std::string_view::npos ||
      (hash + 1 < rest.size() && consists_of(rest.substr(hash + 1), kQueryCharacters));
  if (!path_fits || !query_fits || !fragment_fits) {
    return fail(Errc::malformed, "a DID URL has a character that is not allowed there");
  }
  return {};
}

}  // namespace

Result<Did> Did::parse(std::string_view text) {
  if (text.size() > limits::kDidCharsMax) return fail(Errc::limit_exceeded, "a DID is too long");
  if (!text.starts_with(kScheme)) return fail(Errc::malformed, "a DID must start with did:");
  const std::string_view rest = text.substr(kScheme.size());
  const std::size_t colon = rest.find(':');
  if (colon == std::string_view::npos || colon == 0) {
    return fail(Errc::malformed, "a DID must name its method");
  }
  for (const char c : rest.substr(0, colon)) {
    if (!is_lower_or_digit(c)) {
      return fail(Errc::malformed, "the method of a DID is lower-case letters and digits");
    }
  }
  const std::string_view id = rest.substr(colon + 1);
  if (id.empty() || id.back() == ':' || !consists_of(id, kIdCharacters)) {
    return fail(Errc::malformed, "the identifier in a DID is empty or has a forbidden character");
  }
  return Did(std::string(text));
}

std::string_view Did::method() const {
  const std::string_view rest = std::string_view(text_).substr(kScheme.size());
  return rest.substr(0, rest.find(':'));
}

std::string_view Did::method_specific_id() const {
  return std::string_view(text_).substr(kScheme.size() + method().size() + 1);
}

Result<DidUrl> DidUrl::parse(std::string_view text) {
  if (text.size() > limits::kDidCharsMax) {
    return fail(Errc::limit_exceeded, "a DID URL is too long");
  }
  const std::size_t end = end_of_did(text);
  TRY(Did did, Did::parse(text.substr(0, end)));
  CHECK(check_rest(text.substr(end)));
  return DidUrl(std::string(text), std::move(did));
}

Result<DidUrl> DidUrl::parse(std::string_view text, const Did& base) {
  if (!text.starts_with('#')) return parse(text);
  return parse(base.text() + std::string(text));
}

Result<DidUrl> DidUrl::parse_kid(std::string_view text) {
  TRY(DidUrl url, parse(text));
  if (!url.has_fragment() || !url.path_and_query().empty()) {
    return fail(Errc::malformed, "the name of a key must be a DID with a fragment");
  }
  return url;
}

std::string_view DidUrl::path_and_query() const {
  const std::string_view rest = std::string_view(text_).substr(did_.text().size());
  return rest.substr(0, rest.find('#'));
}

bool DidUrl::has_fragment() const {
  return text_.find('#') != std::string::npos;
}

std::string_view DidUrl::fragment() const {
  const std::size_t hash = text_.find('#');
  return hash == std::string::npos ? std::string_view() : std::string_view(text_).substr(hash + 1);
}

}  // namespace kith::protocol
