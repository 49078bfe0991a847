#pragma once

/// The ledger as C2SP tlog-tiles: files of 256 hashes or 256 leaves that never change, so that a
/// web cache or a plain copy of them serves readers and mirrors. Paths are below "/ledger/":
///
///     tile/<L>/<N>[.p/<W>]         hashes of tree level 8 L, number 256 N and up, 32 bytes each
///     tile/entries/<N>[.p/<W>]     leaves 256 N and up: two bytes of length (big endian), leaf
///
/// N in groups of three digits, all but the last with an x before them: 1234067 is x001/x234/067. A
/// tile that is not full yet has ".p/<W>" and W of its 256, 1 <= W <= 255; it stays readable when
/// there are more.

#include <cstdint>
#include <string>
#include <string_view>

#include "ledger/ledger.hpp"

namespace kith::ledger {

inline constexpr std::uint32_t kTileWidth = 256;
/// 2^48 leaves are more than any disk holds.
inline constexpr std::uint32_t kTileLevelMax = 5;

struct Tile {
  bool of_entries = false;
  std::uint32_t level = 0;  ///< Of hashes, in steps of 8.
  std::uint64_t index = 0;
  std::uint32_t width = kTileWidth;
  friend bool operator==(const Tile&, const Tile&) = default;
};

/// "tile/0/x001/067.p/3"
[[nodiscard]] std::string tile_path(const Tile& tile);
/// Only what tile_path writes. Errors: not_found.
[[nodiscard]] Result<Tile> parse_tile_path(std::string_view path);

/// Of the first `size` leaves. Errors: not_found (not so many), those of the ledger.
[[nodiscard]] Result<std::string> tile_content(TreeLedger& ledger, const Tile& tile,
                                               std::uint64_t size);

}  // namespace kith::ledger
