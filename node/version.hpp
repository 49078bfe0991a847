#pragma once

/// The version of this Kith (semantic versioning); CMakeLists.txt names the same.

#include <string_view>

namespace kith::node {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace kith::node
