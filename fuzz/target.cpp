#include "fuzz/target.hpp"

#include <algorithm>
#include <cmath>

namespace kith::fuzz {
namespace {

bool fault_planted = false;

bool same_objects(const JsonObject& a, const JsonObject& b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&b](const auto& member) {
           const Json* other = b.if_contains(member.key());
           return other != nullptr && same(member.value(), *other);
         });
}

}  // namespace

void hold(bool property, const std::string& name) {
  if (!property) throw Broken(name);
}

void hold_bounded(std::size_t output, std::size_t input) {
  constexpr std::size_t kPerByte = 12;  // "\u0000" for a byte, and that in base64.
  constexpr std::size_t kAlways = 4096;
  hold(output <= kAlways + kPerByte * input, "the output is in proportion to the input");
}

bool same(const Json& a, const Json& b) {
  if (a.is_double() && b.is_number()) {
    const double first = a.get_double();
    const double second = b.to_number<double>();
    return std::abs(first - second) <= std::abs(first) * 1e-14;
  }
  if (a.kind() != b.kind()) return false;
  if (a.is_object()) return same_objects(a.get_object(), b.get_object());
  if (a.is_array()) {
    const JsonArray& first = a.get_array();
    const JsonArray& second = b.get_array();
    return std::equal(first.begin(), first.end(), second.begin(), second.end(), same);
  }
  return a == b;
}

std::string written(std::string text) {
  if (fault_planted && !text.empty()) text.pop_back();
  return text;
}

void plant_fault(bool planted) {
  fault_planted = planted;
}

}  // namespace kith::fuzz
