#include "crypto/flat_value.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace kith::crypto {
namespace {

constexpr std::size_t kFewFields = 8;

/// As our own records have them: then no name comes twice.
bool names_rise(ValueView map) {
  std::optional<std::string_view> last;
  for (const auto& [name, value] : map.fields()) {
    if (last && *last >= name) return false;
    last = name;
  }
  return true;
}

/// Without memory of its own, but in quadratic time.
bool few_names_differ(ValueView map) {
  std::array<std::string_view, kFewFields> names;
  std::size_t seen = 0;
  for (const auto& [name, value] : map.fields()) {
    const auto before = std::span(names).first(seen);
    if (std::ranges::find(before, name) != before.end()) return false;
    names[seen++] = name;
  }
  return true;
}

bool names_differ(ValueView map) {
  std::vector<std::string_view> names;
  names.reserve(map.size());
  for (const auto& [name, value] : map.fields()) names.push_back(name);
  std::ranges::sort(names);
  return std::ranges::adjacent_find(names) == names.end();
}

}  // namespace

bool has_a_name_twice(ValueView map) {
  if (names_rise(map)) return false;
  return !(map.size() <= kFewFields ? few_names_differ(map) : names_differ(map));
}

}  // namespace kith::crypto
