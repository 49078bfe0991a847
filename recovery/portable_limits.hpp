#pragma once

/// Limits of exported wallets (recovery/portable_file.hpp), each with its reason.

#include <cstddef>

namespace kith::recovery::portable_limits {

/// The list of what is inside: names of a few hundred people, and the settings.
inline constexpr std::size_t kManifestBytesMax = 256 * 1024;
/// Settings (kith.toml) that travel: a page of them, and room.
inline constexpr std::size_t kSettingsBytesMax = 64 * 1024;
/// Parts of a file on their way in or out of the agent: those of the largest container, and the
/// capsule.
inline constexpr std::size_t kPartsMax = 512;
/// A key file: 64 hexadecimal digits and the end of the line, and room for spaces.
inline constexpr std::size_t kKeyFileBytesMax = 256;

}  // namespace kith::recovery::portable_limits
