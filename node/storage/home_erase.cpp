#include "node/storage/home_erase.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "crypto/random.hpp"
#include "node/control/socket_path.hpp"
#include "node/storage/private_files.hpp"

namespace kith::node {
namespace {

namespace fs = std::filesystem;

/// In this order; directories with all that is in them.
constexpr auto kMadeByKith = std::to_array<std::string_view>(
    {"keystore", "keystore.new", "db", "ledger", "ledger-copy", "ca.pem", "ca.pem.new", "kith.toml",
     "kith.toml.imported", "kith.toml.imported.new", "policy", "begun", "begun.new", "moved",
     "moved.new", "control.sock", "format.new", "format"});
constexpr std::size_t kOverwriteBytes = 64 * 1024;

/// Once, with noise, and onto the disk. A link, a socket or what cannot be opened is left to be
/// removed.
void write_over(const fs::path& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (file < 0) return;
  struct stat info {};
  if (::fstat(file, &info) == 0 && S_ISREG(info.st_mode)) {
    crypto::OsRandom random;
    const Bytes noise = random.bytes(kOverwriteBytes);
    for (off_t at = 0; at < info.st_size;) {
      const auto left = static_cast<std::size_t>(info.st_size - at);
      const ssize_t written = ::pwrite(file, noise.data(), std::min(noise.size(), left), at);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) break;
      at += written;
    }
    ::fsync(file);
  }
  ::close(file);
}

class Eraser {
 public:
  Eraser(std::string directory, const EraseStep& step)
      : directory_(std::move(directory)), step_(step) {}

  Result<Erased> run() {
    for (const std::string_view name : kMadeByKith) {
      CHECK(remove_all(fs::path(directory_) / name));
      // The keystore's end is on the disk before anything else is touched.
      if (name == "keystore.new") CHECK(sync_directory(directory_));
    }
    // Where the path in the home is too long for a socket, it lies elsewhere.
    if (const auto socket = control_socket_path(directory_); socket.has_value()) {
      CHECK(remove_one(*socket));
    }
    CHECK(sync_directory(directory_));
    CHECK(remove_one(fs::path(directory_) / Home::kErasing));
    CHECK(note_strangers());
    CHECK(remove_one(fs::path(directory_) / "lock"));
    if (done_.left.empty() && ::rmdir(directory_.c_str()) != 0 && errno != ENOENT) {
      return io_error(directory_);
    }
    return std::move(done_);
  }

 private:
  Result<void> remove_one(const fs::path& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) return {};
    if (step_ && !step_()) return fail(Errc::timeout, "stopped");
    write_over(path);
    if (step_ && !step_()) return fail(Errc::timeout, "stopped");
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return io_error(path.string());
    ++done_.files;
    return {};
  }

  Result<void> remove_all(const fs::path& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) return {};
    if (!S_ISDIR(info.st_mode)) return remove_one(path);
    std::error_code error;
    std::vector<fs::path> inside;
    for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
      inside.push_back(at->path());
    }
    if (error) return fail(Errc::io, path.string() + ": " + error.message());
    for (const fs::path& each : inside) CHECK(remove_all(each));
    if (step_ && !step_()) return fail(Errc::timeout, "stopped");
    if (::rmdir(path.c_str()) != 0 && errno != ENOENT) return io_error(path.string());
    return {};
  }

  Result<void> note_strangers() {
    std::error_code error;
    for (fs::directory_iterator at(directory_, error), end; !error && at != end;
         at.increment(error)) {
      const std::string name = at->path().filename().string();
      if (name != "lock") done_.left.push_back(name);
    }
    if (error) return fail(Errc::io, directory_ + ": " + error.message());
    std::ranges::sort(done_.left);
    return {};
  }

  std::string directory_;
  const EraseStep& step_;
  Erased done_;
};

}  // namespace

Result<Erased> erase_home(const Home& home, const EraseStep& step) {
  CHECK(home.mark_erasing());
  return Eraser(home.directory(), step).run();
}

}  // namespace kith::node
