#include "node/storage/private_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <utility>

namespace kith::node {
namespace {

constexpr std::size_t kHomeFileBytesMax = 4096;  // Of `format`, `lock` and `keystore`.

}  // namespace

OwnedDescriptor::~OwnedDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Error io_error(const std::string& path, int code) {
  const Errc kind =
      code == ENOSPC || code == EDQUOT || code == EFBIG ? Errc::storage_full : Errc::io;
  return fail(kind, path + ": " + std::strerror(code));
}

Result<void> check_private(const std::string& path, mode_t type) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return fail(Errc::home_missing, path);
    return io_error(path);
  }
  if ((info.st_mode & S_IFMT) != type) {
    return fail(Errc::refused,
                path + (S_ISLNK(info.st_mode) ? " is a symbolic link" : " is of another kind"));
  }
  if (info.st_uid != ::geteuid()) return fail(Errc::refused, path + " belongs to another user");
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(Errc::refused, path + " is open to other users; close it with chmod go-rwx");
  }
  return {};
}

Result<SecretBytes> read_private(const std::string& path) {
  CHECK(check_private(path, S_IFREG));
  const OwnedDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.get() < 0) return io_error(path);
  SecretBytes content(kHomeFileBytesMax);
  std::size_t size = 0;
  while (size < kHomeFileBytesMax) {
    const ssize_t got =
        ::read(file.get(), content.expose_mutable().data() + size, kHomeFileBytesMax - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error(path);
    if (got == 0) return SecretBytes::copy_of(content.expose().first(size));
    size += static_cast<std::size_t>(got);
  }
  return fail(Errc::storage_corrupt, path + " is too large");
}

Result<void> write_all(int fd, const std::string& path, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return io_error(path);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> sync_directory(const std::string& directory) {
  const OwnedDescriptor handle(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle.get() < 0 || ::fsync(handle.get()) != 0) return io_error(directory);
  return {};
}

Result<void> write_private(const std::string& directory, const std::string& name, ByteView bytes) {
  const std::string path = directory + "/" + name;
  const std::string beside = path + ".new";
  {
    const OwnedDescriptor file(::open(
        beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
    if (file.get() < 0) return io_error(beside);
    CHECK(write_all(file.get(), beside, bytes));
    if (::fsync(file.get()) != 0) return io_error(beside);
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) return io_error(path);
  return sync_directory(directory);
}

}  // namespace kith::node
