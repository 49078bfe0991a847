#include "protocol/language.hpp"

#include <algorithm>

#include "crypto/limits.hpp"

namespace kith::protocol {

namespace {

constexpr std::size_t kSubtagCharsMax = 8;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_subtag(std::string_view subtag, bool letters_only) {
  if (subtag.empty() || subtag.size() > kSubtagCharsMax) return false;
  return std::ranges::all_of(subtag, [letters_only](char c) {
    return is_letter(c) || (!letters_only && c >= '0' && c <= '9');
  });
}

/// Tags are compared without regard to case.
bool same_tag(std::string_view a, std::string_view b) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace

bool is_language_tag(std::string_view text) {
  if (text.size() > limits::kLanguageTagCharsMax) return false;
  bool first = true;
  while (true) {
    const std::size_t hyphen = text.find('-');
    if (!is_subtag(text.substr(0, hyphen), first)) return false;
    if (hyphen == std::string_view::npos) return true;
    text.remove_prefix(hyphen + 1);
    first = false;
  }
}

std::string choose_language(const std::vector<std::string>& accepted,
                            const std::vector<std::string>& available, std::string_view fallback) {
  for (std::string_view range : accepted) {
    while (!range.empty()) {
      for (const std::string& tag : available) {
        if (same_tag(tag, range)) return tag;
      }
      const std::size_t hyphen = range.rfind('-');
      range = hyphen == std::string_view::npos ? std::string_view() : range.substr(0, hyphen);
    }
  }
  return std::string(fallback);
}

}  // namespace kith::protocol
