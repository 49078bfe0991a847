#include "node/storage/home.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

#include "crypto/assert.hpp"
#include "crypto/hash.hpp"
#include "node/storage/private_files.hpp"

namespace kith::node {
namespace {

const std::string kBegun = "begun";
constexpr const char* kMoved = "moved";
/// A file of CA certificates: those of a whole system stay below.
constexpr std::size_t kCaBytesMax = std::size_t{1} << 20;

Result<void> make_directory(const std::string& directory) {
  std::error_code error;
  const auto parent = std::filesystem::path(directory).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (error) return io_error(parent.string(), error.value());
  if (::mkdir(directory.c_str(), S_IRWXU) != 0 && errno != EEXIST) return io_error(directory);
  return check_private(directory, S_IFDIR);
}

std::string holder_of(int fd) {
  char text[32] = {};
  const ssize_t got = ::pread(fd, text, sizeof text - 1, 0);
  const std::string pid(text, got > 0 ? static_cast<std::size_t>(got) : 0);
  const std::size_t digits = pid.find_first_not_of("0123456789");
  return pid.substr(0, digits);
}

Result<int> take_lock(const std::string& directory) {
  const std::string path = directory + "/lock";
  OwnedDescriptor file(
      ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
  if (file.get() < 0) return io_error(path);
  CHECK(check_private(path, S_IFREG));
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return io_error(path);
    const std::string pid = holder_of(file.get());
    return fail(Errc::home_locked, directory + (pid.empty() ? "" : " is in use by process " + pid));
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file.get(), 0) != 0) return io_error(path);
  CHECK(write_all(file.get(), path, crypto::as_bytes(pid)));
  return file.release();
}

Result<int> read_format(const std::string& directory) {
  TRY(const SecretBytes content, read_private(directory + "/format"));
  const std::string_view text = crypto::as_text(content.expose());
  const auto damaged = [] {
    return fail(Errc::storage_corrupt, "the format file of the home is damaged");
  };
  if (!text.ends_with('\n')) return damaged();
  int version = 0;
  const char* const line_end = text.data() + text.size() - 1;
  const auto [end, error] = std::from_chars(text.data(), line_end, version);
  if (error != std::errc() || end != line_end || version < 1) return damaged();
  return version;
}

Result<void> write_format(const std::string& directory, int version) {
  return write_private(directory, "format", crypto::as_bytes(std::to_string(version) + "\n"));
}

Result<int> read_known_format(const std::string& directory, int newest) {
  TRY(const int version, read_format(directory));
  if (version > newest) {
    return fail(Errc::home_newer, "it has format " + std::to_string(version) +
                                      ", this Kith knows " + std::to_string(newest));
  }
  return version;
}

int format_after(const std::vector<Migration>& steps) {
  return static_cast<int>(steps.size()) + 1;
}

Result<void> bring_up_to_date(const std::string& directory, int version,
                              const std::vector<Migration>& steps) {
  for (; version < format_after(steps); ++version) {
    CHECK(steps.at(static_cast<std::size_t>(version) - 1)(directory));
    CHECK(write_format(directory, version + 1));
  }
  return {};
}

std::string without_slash(std::string directory) {
  while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
  return directory;
}

bool has_mark(const std::string& directory, const char* name) {
  struct stat info {};
  return ::lstat((directory + "/" + name).c_str(), &info) == 0;
}

/// Of a home that is no wallet to be used any more.
Result<void> check_in_use(const std::string& directory) {
  if (Home::is_being_erased(directory)) {
    return fail(Errc::wrong_state,
                "this home is being erased; `kith home erase` goes on where it was interrupted");
  }
  if (Home::was_moved(directory)) {
    return fail(Errc::wrong_state,
                "this wallet was moved to another machine, and two must not run at once. `kith "
                "home erase` takes it off this one; if the exported file was never imported, `kith "
                "home keep` takes the move back");
  }
  return {};
}

}  // namespace

Result<std::string> Home::default_directory() {
  if (const char* data = std::getenv("XDG_DATA_HOME"); data != nullptr && data[0] == '/') {
    return std::string(data) + "/kith";
  }
  const char* user = std::getenv("HOME");
  if (user == nullptr || user[0] != '/') {
    return fail(Errc::io, "HOME is not set; name the home with --home");
  }
  return std::string(user) + "/.local/share/kith";
}

bool Home::exists(const std::string& directory) {
  struct stat info {};
  return ::lstat((directory + "/format").c_str(), &info) == 0;
}

Result<Home> Home::create(const std::string& given) {
  const std::string directory = without_slash(given);
  CHECK(make_directory(directory));
  TRY(const int lock, take_lock(directory));
  Home home(directory, lock);
  if (exists(directory)) return fail(Errc::wrong_state, "there is a wallet in " + directory);
  CHECK(check_in_use(directory));  // What was being erased is not built upon.
  // What an interrupted attempt left was sealed under another root key.
  std::error_code error;
  std::filesystem::remove_all(home.database(), error);
  if (error) return fail(Errc::io, home.database() + ": " + error.message());
  return home;
}

Result<Home> Home::create(const std::string& given, const Keystore& keystore) {
  TRY(Home home, create(given));
  CHECK(write_keystore(home.directory(), keystore));
  home.has_passphrase_ = keystore.has_passphrase();
  return home;
}

Result<void> Home::write_keystore(const std::string& directory, const Keystore& keystore) {
  return write_private(without_slash(directory), "keystore", keystore.file().expose());
}

Result<Keystore> Home::read_keystore(const std::string& directory) {
  auto file = read_private(without_slash(directory) + "/keystore");
  if (file.has_value()) return Keystore::parse(std::move(*file));
  if (file.error() == Errc::home_missing) {
    return fail(Errc::storage_corrupt, "the keystore is missing");
  }
  return file.error();
}

Result<void> Home::keep_ca_file(const std::string& source) const {
  std::ifstream in(source, std::ios::binary);
  if (!in) return fail(Errc::io, source + " cannot be read");
  Bytes content(kCaBytesMax + 1);
  in.read(reinterpret_cast<char*>(content.data()), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<std::size_t>(in.gcount()));
  if (content.size() > kCaBytesMax) return fail(Errc::limit_exceeded, source + " is too large");
  return write_private(directory_, "ca.pem", content);
}

Result<void> Home::finish_create() {
  CHECK(write_private(directory_, kBegun, {}));
  return write_format(directory_, kFormat);
}

bool Home::has_first_steps_left(const std::string& directory) {
  struct stat info {};
  return exists(directory) && ::lstat((directory + "/" + kBegun).c_str(), &info) == 0;
}

Result<void> Home::finish_first_steps() {
  const std::string path = directory_ + "/" + kBegun;
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return io_error(path);
  return sync_directory(directory_);
}

Result<void> Home::mark_moved() const {
  return write_private(directory_, kMoved, {});
}

bool Home::was_moved(const std::string& directory) {
  return has_mark(without_slash(directory), kMoved);
}

Result<void> Home::unmark_moved(const std::string& given) {
  const std::string directory = without_slash(given);
  if (!exists(directory)) return fail(Errc::home_missing, directory);
  CHECK(check_private(directory, S_IFDIR));
  TRY(const int lock, take_lock(directory));
  const Home home(directory, lock);
  const std::string path = directory + "/" + kMoved;
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return io_error(path);
  return sync_directory(directory);
}

Result<void> Home::mark_erasing() const {
  const auto written = write_private(directory_, kErasing, {});
  if (written.has_error() && written.error() != Errc::storage_full) return written.error();
  return {};
}

bool Home::is_being_erased(const std::string& directory) {
  return has_mark(without_slash(directory), kErasing);
}

Result<Home> Home::take_to_erase(const std::string& given) {
  const std::string directory = without_slash(given);
  // Only a lock is left where erasing was cut off at its last step.
  const bool is_home = exists(directory) || has_mark(directory, kErasing) ||
                       has_mark(directory, "keystore") || has_mark(directory, "lock");
  if (!is_home) return fail(Errc::home_missing, directory);
  CHECK(check_private(directory, S_IFDIR));
  TRY(const int lock, take_lock(directory));
  return Home(directory, lock);
}

Result<void> Home::keep_imported_settings(const std::string& directory, const std::string& text) {
  return write_private(without_slash(directory), "kith.toml.imported", crypto::as_bytes(text));
}

const std::vector<Migration>& Home::migrations() {
  // To 2: programs of format 1 cannot read a keystore of kind 3, which the next raise may write.
  static const std::vector<Migration> all{[](const std::string&) { return Result<void>(); }};
  ASSERT(format_after(all) == kFormat);
  return all;
}

Result<void> Home::look_at_keystore() {
  const std::string path = directory_ + "/keystore";
  const auto closed = check_private(path, S_IFREG);
  if (closed.has_error() && closed.error() == Errc::home_missing) {
    return fail(Errc::storage_corrupt, "the keystore is missing");
  }
  CHECK(closed);
  const OwnedDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat info {};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0) return io_error(path);
  Bytes head(Keystore::kHeadBytes);
  const ssize_t got = ::pread(file.get(), head.data(), head.size(), 0);
  if (got < 0) return io_error(path);
  head.resize(static_cast<std::size_t>(got));
  TRY(has_passphrase_, Keystore::has_passphrase(head, static_cast<std::size_t>(info.st_size)));
  if (has_passphrase_) {
    head.resize(Keystore::kPublicBytes);
    if (::pread(file.get(), head.data(), head.size(), 0) != static_cast<ssize_t>(head.size())) {
      return io_error(path);
    }
  }
  keystore_mark_ = crypto::hex(crypto::sha256(head));
  return {};
}

Result<Home> Home::open(const std::string& given, const std::vector<Migration>& steps) {
  const std::string directory = without_slash(given);
  if (!exists(directory)) return fail(Errc::home_missing, directory);
  CHECK(check_private(directory, S_IFDIR));
  CHECK(read_known_format(directory, format_after(steps)));  // Before anything is written.
  CHECK(check_in_use(directory));
  TRY(const int lock, take_lock(directory));
  Home home(directory, lock);
  CHECK(home.look_at_keystore());
  // Another process may have brought it up to date, or further, before the lock was free.
  TRY(const int version, read_known_format(directory, format_after(steps)));
  CHECK(bring_up_to_date(directory, version, steps));
  return home;
}

Result<Home> Home::adopt(const std::string& given, int descriptor) {
  const std::string directory = without_slash(given);
  Home home(directory, descriptor);
  struct stat named {};
  struct stat held {};
  if (::stat((directory + "/lock").c_str(), &named) != 0 || ::fstat(descriptor, &held) != 0 ||
      named.st_ino != held.st_ino || named.st_dev != held.st_dev ||
      ::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    return fail(Errc::wrong_state, "the lock of the home was not handed over");
  }
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  CHECK(read_known_format(directory, format_after(migrations())));
  CHECK(home.look_at_keystore());
  return home;
}

Home::~Home() {
  if (lock_ >= 0) ::close(lock_);
}

Home::Home(Home&& other) noexcept
    : directory_(std::move(other.directory_)),
      lock_(std::exchange(other.lock_, -1)),
      has_passphrase_(other.has_passphrase_),
      keystore_mark_(std::move(other.keystore_mark_)) {}

Home& Home::operator=(Home&& other) noexcept {
  if (this != &other) {
    if (lock_ >= 0) ::close(lock_);
    directory_ = std::move(other.directory_);
    lock_ = std::exchange(other.lock_, -1);
    has_passphrase_ = other.has_passphrase_;
    keystore_mark_ = std::move(other.keystore_mark_);
  }
  return *this;
}

}  // namespace kith::node
