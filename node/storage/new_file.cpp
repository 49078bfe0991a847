#include "node/storage/new_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

namespace kith::node {
namespace {

Error is_there(const std::string& path) {
  return fail(Errc::conflict, path + " exists, and nothing is written over: name another");
}

}  // namespace

Result<NewFile> NewFile::begin(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0) return is_there(path);
  const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
  const int descriptor = ::open((path + ".new").c_str(), flags, S_IRUSR | S_IWUSR);
  if (descriptor < 0) return io_error(path);
  return NewFile(path, descriptor);
}

NewFile::~NewFile() {
  if (file_.get() >= 0) ::unlink(beside().c_str());
}

Result<void> NewFile::add(ByteView bytes) {
  return write_all(file_.get(), path_, bytes);
}

Result<void> NewFile::finish() {
  if (::fsync(file_.get()) != 0) return io_error(path_);
  // Unlike rename, link never replaces what came there meanwhile; not every file system has it.
  if (::link(beside().c_str(), path_.c_str()) != 0) {
    if (errno == EEXIST) return is_there(path_);
    if (::rename(beside().c_str(), path_.c_str()) != 0) return io_error(path_);
  }
  ::unlink(beside().c_str());
  ::close(file_.release());
  const std::string parent = std::filesystem::path(path_).parent_path().string();
  return sync_directory(parent.empty() ? "." : parent);
}

}  // namespace kith::node
