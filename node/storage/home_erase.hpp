#pragma once

/// Taking a home off a disk. The keystore goes first: without it nothing else in the home can be
/// read (crypto-erase), however much of the rest a disk keeps. Then every file that Kith made is
/// written over once and removed. Writing over is best effort: a file system that copies on write,
/// and the controller of an SSD, may keep the old blocks; the sealed ones are of no use without the
/// keystore's.
///
/// The mark `erasing` is written first and removed last but for the lock: from then on nothing
/// opens the home, and whoever is cut off begins again and ends. What Kith did not make stays.

#include <functional>
#include <string>
#include <vector>

#include "node/storage/home.hpp"

namespace kith::node {

struct Erased {
  std::size_t files = 0;          ///< Removed just now.
  std::vector<std::string> left;  ///< Names in the directory that Kith did not make.
};
/// Asked before every step that changes the disk; false: stop here, as a power cut would. Tests.
using EraseStep = std::function<bool()>;

/// Errors: io (a file cannot be removed: the others are), timeout (`step` said so).
[[nodiscard]] Result<Erased> erase_home(const Home& home, const EraseStep& step = nullptr);

}  // namespace kith::node
