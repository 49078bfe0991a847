#pragma once

/// Files that are closed to everybody else, and that appear whole or not at all. For the home and
/// for what commands write. Errors: io, storage_full; others where they are named.

#include <sys/types.h>

#include <cerrno>
#include <string>
#include <utility>

#include "crypto/bytes.hpp"
#include "crypto/result.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::node {

/// io, or storage_full, with the path and the system's word for `code`.
[[nodiscard]] Error io_error(const std::string& path, int code = errno);

/// Closes a descriptor at the end of its scope.
class OwnedDescriptor {
 public:
  explicit OwnedDescriptor(int fd) : fd_(fd) {}
  ~OwnedDescriptor();
  OwnedDescriptor(OwnedDescriptor&& other) noexcept : fd_(other.release()) {}
  OwnedDescriptor(const OwnedDescriptor&) = delete;
  OwnedDescriptor& operator=(const OwnedDescriptor&) = delete;
  OwnedDescriptor& operator=(OwnedDescriptor&&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

/// A file or directory (`type`: S_IFREG, S_IFDIR) of this user, closed to others, and no symbolic
/// link. Errors: home_missing, refused.
[[nodiscard]] Result<void> check_private(const std::string& path, mode_t type);
/// All of a small file. Errors: as check_private; storage_corrupt (beyond 4 KiB).
[[nodiscard]] Result<SecretBytes> read_private(const std::string& path);
[[nodiscard]] Result<void> write_all(int fd, const std::string& path, ByteView bytes);
/// The names in a directory are on the disk.
[[nodiscard]] Result<void> sync_directory(const std::string& directory);
/// Whole or not at all: written beside, synced, renamed, the directory synced.
[[nodiscard]] Result<void> write_private(const std::string& directory, const std::string& name,
                                         ByteView bytes);

}  // namespace kith::node
