#pragma once

/// Any content as signed shares, of which `threshold` give it back: for what people keep outside of
/// Kith. A share is one line of JSON (docs/wire-formats.md, "Shares of files"); the key that signs
/// a set is made for it and forgotten, so that nobody, the holders included, can make one that
/// fits.
///
/// A share tells its place, the threshold and how long the content is, and nothing of what it says.
/// Pure functions; any thread. Contents and lines are secrets.

#include <cstdint>
#include <span>
#include <vector>

#include "crypto/random.hpp"
#include "crypto/result.hpp"
#include "crypto/secret_bytes.hpp"
#include "crypto/share_limits.hpp"

namespace kith::crypto {

/// A line for each share, without the line's end. 2 <= threshold <= count <= 255; `content` has 1
/// to share_limits::kFileBytesMax bytes. Errors: malformed, limit_exceeded.
[[nodiscard]] Result<std::vector<SecretBytes>> split_file(const SecretBytes& content,
                                                          std::size_t threshold, std::size_t count,
                                                          Random& random);

/// Errors: malformed (a line that is no share, named by its number; shares of several sets),
/// bad_signature (an altered share, and too few are left without it), not_enough.
struct CombinedFile {
  SecretBytes content;
  std::vector<std::size_t> altered;  ///< Numbers of lines that were left out, from 1.
};
[[nodiscard]] Result<CombinedFile> combine_file(std::span<const SecretBytes> lines);

}  // namespace kith::crypto
