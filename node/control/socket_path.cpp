#include "node/control/socket_path.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "crypto/bytes.hpp"
#include "crypto/hash.hpp"
#include "crypto/limits.hpp"

namespace kith::node {
namespace {

/// 128 bits: no two homes of one user meet by accident, and nobody else can write there.
constexpr std::size_t kHashBytes = 16;

Error system_failure(const std::string& what, const std::string& path) {
  return fail(Errc::io, what + " " + path + ": " + std::strerror(errno));
}

}  // namespace

Result<std::string> control_socket_path(const std::string& home) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(home, error);
  if (error) return fail(Errc::io, "the home's path cannot be read: " + error.message());
  // lexically_normal leaves "a/" for "a/.", and weakly_canonical keeps the slash of a missing one.
  auto canonical = std::filesystem::weakly_canonical(absolute, error);
  if (error) return fail(Errc::io, "the home's path cannot be read: " + error.message());
  if (!canonical.has_filename()) canonical = canonical.parent_path();
  std::string in_home = (canonical / "control.sock").string();
  if (in_home.size() <= limits::kControlPathBytesMax) return in_home;

  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime == nullptr || runtime[0] != '/') {
    return fail(Errc::limit_exceeded,
                "the home's path is too long for a socket, and XDG_RUNTIME_DIR is not set");
  }
  const auto digest = crypto::sha256(crypto::as_bytes(canonical.string()));
  const std::string name = crypto::hex(ByteView{digest}.first(kHashBytes)) + ".sock";
  std::string path = (std::filesystem::path{runtime} / "kith" / name).string();
  if (path.size() > limits::kControlPathBytesMax) {
    return fail(Errc::limit_exceeded, "the paths of the home and XDG_RUNTIME_DIR are too long");
  }
  return path;
}

Result<void> check_private_directory(const std::string& directory) {
  struct stat info {};
  if (::lstat(directory.c_str(), &info) != 0) {
    if (errno == ENOENT) return fail(Errc::home_missing, "there is no directory " + directory);
    return system_failure("cannot look at", directory);
  }
  if (S_ISLNK(info.st_mode)) return fail(Errc::refused, directory + " is a symbolic link");
  if (!S_ISDIR(info.st_mode)) return fail(Errc::refused, directory + " is not a directory");
  if (info.st_uid != ::geteuid())
    return fail(Errc::refused, directory + " belongs to another user");
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(Errc::refused, directory + " is open to others (chmod 700 closes it)");
  }
  return {};
}

namespace {

/// In a directory that others cannot change. Errors: refused, io.
Result<void> remove_stale_socket(const std::string& socket_path) {
  struct stat info {};
  if (::lstat(socket_path.c_str(), &info) != 0) {
    if (errno == ENOENT) return {};
    return system_failure("cannot look at", socket_path);
  }
  if (!S_ISSOCK(info.st_mode)) return fail(Errc::refused, socket_path + " is not a socket");
  if (info.st_uid != ::geteuid()) {
    return fail(Errc::refused, socket_path + " belongs to another user");
  }
  if (::unlink(socket_path.c_str()) != 0) return system_failure("cannot remove", socket_path);
  return {};
}

}  // namespace

Result<void> prepare_group_socket_path(const std::string& socket_path) {
  if (socket_path.size() > limits::kControlPathBytesMax) {
    return fail(Errc::limit_exceeded, "the path is too long for a socket");
  }
  const std::string directory = std::filesystem::path{socket_path}.parent_path().string();
  struct stat info {};
  if (directory.empty() || ::lstat(directory.c_str(), &info) != 0) {
    return system_failure("cannot look at", directory);
  }
  const bool is_ours = info.st_uid == ::geteuid() || info.st_uid == 0;
  if (!S_ISDIR(info.st_mode) || !is_ours || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fail(Errc::refused, directory + " is no directory that you alone may write to");
  }
  return remove_stale_socket(socket_path);
}

Result<void> prepare_socket_path(const std::string& socket_path) {
  if (socket_path.size() > limits::kControlPathBytesMax) {
    return fail(Errc::limit_exceeded, "the path is too long for a socket");
  }
  const std::filesystem::path directory = std::filesystem::path{socket_path}.parent_path();
  struct stat info {};
  if (::lstat(directory.c_str(), &info) != 0 && errno == ENOENT) {
    CHECK(check_private_directory(directory.parent_path().string()));
    if (::mkdir(directory.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
      return system_failure("cannot make", directory.string());
    }
  }
  CHECK(check_private_directory(directory.string()));
  // From here on only this user can change what the directory holds.
  return remove_stale_socket(socket_path);
}

}  // namespace kith::node
