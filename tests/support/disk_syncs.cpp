#include "tests/support/disk_syncs.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace {

std::atomic<std::size_t> g_syncs{0};
std::atomic<bool> g_fail{false};

}  // namespace

extern "C" int fdatasync(int file) {
  ++g_syncs;
  if (g_fail) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_fdatasync, file));
}

namespace kith::test {

DiskSyncs::DiskSyncs() : before_(g_syncs) {}

DiskSyncs::~DiskSyncs() {
  g_fail = false;
}

std::size_t DiskSyncs::count() const {
  return g_syncs - before_;
}

void DiskSyncs::fail_from_now_on() {
  g_fail = true;
}

}  // namespace kith::test
