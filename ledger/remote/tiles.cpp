#include "ledger/remote/tiles.hpp"

#include <charconv>

#include "crypto/assert.hpp"
#include "ledger/append_rules.hpp"
#include "ledger/entry.hpp"

namespace kith::ledger {
namespace {

constexpr std::string_view kTiles = "tile/";
constexpr std::string_view kEntries = "entries";
constexpr std::string_view kPartial = ".p/";
constexpr std::uint32_t kLevelBits = 8;
constexpr std::size_t kGroup = 1000;
constexpr std::uint64_t kIndexMax = std::uint64_t{1} << 40;

std::string three_digits(std::uint64_t group) {
  const std::string text = std::to_string(group);
  return std::string(3 - text.size(), '0') + text;
}

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || stop != end || value > kIndexMax) return std::nullopt;
  return value;
}

/// Of "x001/x234/067", however spelled.
std::optional<std::uint64_t> tile_index_in(std::string_view text) {
  std::uint64_t index = 0;
  while (!text.empty()) {
    std::string_view group = text.substr(0, text.find('/'));
    text.remove_prefix(std::min(text.size(), group.size() + 1));
    if (group.starts_with('x')) group.remove_prefix(1);
    const auto value = number_in(group);
    if (!value || *value >= kGroup || index > kIndexMax / kGroup) return std::nullopt;
    index = index * kGroup + *value;
  }
  return index;
}

Result<std::string> hashes(TreeLedger& ledger, const Tile& tile) {
  const MerkleReader read = ledger.tree();
  std::string content;
  for (std::uint32_t i = 0; i < tile.width; ++i) {
    TRY(const Digest256 hash, read({tile.level * kLevelBits, tile.index * kTileWidth + i}));
    content += crypto::as_text(hash);
  }
  return content;
}

Result<std::string> leaves(TreeLedger& ledger, const Tile& tile) {
  std::string content;
  std::uint64_t next = tile.index * kTileWidth;
  const std::uint64_t end = next + tile.width;
  while (next < end) {
    TRY(const LedgerPage page, ledger.follow(next, static_cast<std::size_t>(end - next)));
    for (const LedgerEntry& entry : page.entries) {
      TRY(const Entry parsed, parse_entry(entry.blob));
      const std::string leaf = leaf_text({entry.subject, entry.blob, entry.time, parsed.kind});
      ASSERT(leaf.size() <= 0xFFFF);
      content += static_cast<char>(leaf.size() >> 8U);
      content += static_cast<char>(leaf.size() & 0xFFU);
      content += leaf;
    }
    if (page.entries.empty()) return fail(Errc::storage_corrupt, "leaves are missing");
    next = page.entries.back().position + 1;
  }
  return content;
}

}  // namespace

std::string tile_path(const Tile& tile) {
  std::string index = three_digits(tile.index % kGroup);
  for (std::uint64_t rest = tile.index / kGroup; rest > 0; rest /= kGroup) {
    index.insert(0, "x" + three_digits(rest % kGroup) + "/");
  }
  std::string path(kTiles);
  path += tile.of_entries ? std::string(kEntries) : std::to_string(tile.level);
  path += "/" + index;
  if (tile.width < kTileWidth) path += std::string(kPartial) + std::to_string(tile.width);
  return path;
}

Result<Tile> parse_tile_path(std::string_view path) {
  const Error none = fail(Errc::not_found, "no such path");
  if (!path.starts_with(kTiles)) return none;
  std::string_view rest = path.substr(kTiles.size());
  const std::string_view kind = rest.substr(0, rest.find('/'));
  rest.remove_prefix(std::min(rest.size(), kind.size() + 1));
  Tile tile;
  tile.of_entries = kind == kEntries;
  if (!tile.of_entries) {
    const auto level = number_in(kind);
    if (!level || *level > kTileLevelMax) return none;
    tile.level = static_cast<std::uint32_t>(*level);
  }
  if (const std::size_t at = rest.find(kPartial); at != std::string_view::npos) {
    const auto width = number_in(rest.substr(at + kPartial.size()));
    if (!width || *width == 0 || *width >= kTileWidth) return none;
    tile.width = static_cast<std::uint32_t>(*width);
    rest = rest.substr(0, at);
  }
  const auto index = tile_index_in(rest);
  if (!index) return none;
  tile.index = *index;
  // One path for each tile: caches keep it once, and nobody can fill them with spellings.
  if (tile_path(tile) != path) return none;
  return tile;
}

Result<std::string> tile_content(TreeLedger& ledger, const Tile& tile, std::uint64_t size) {
  const std::uint64_t there = size >> (tile.level * kLevelBits);
  if (tile.index * kTileWidth + tile.width > there) {
    return fail(Errc::not_found, "the ledger is not so long yet");
  }
  return tile.of_entries ? leaves(ledger, tile) : hashes(ledger, tile);
}

}  // namespace kith::ledger
