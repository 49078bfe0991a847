#include "node/keys/sandbox.hpp"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define KITH_KEYS_WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KITH_KEYS_WATCHED 1
#endif
#endif

namespace kith::node {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "name this processor's AUDIT_ARCH here"
#endif

Error refused_by_kernel(const char* what) {
  return fail(Errc::io, std::string(what) + ": " + std::strerror(errno));
}

constexpr auto kAllowed = std::to_array<long>({
    // The sockets that it has.
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_recvfrom,
    SYS_sendto,
    SYS_recvmsg,
    SYS_sendmsg,
    SYS_ppoll,
    SYS_close,
#ifdef SYS_poll
    SYS_poll,
#endif
    // Memory.
    SYS_brk,
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_mlock,
    SYS_munlock,
    // Randomness, clocks, who it is.
    SYS_getrandom,
    SYS_clock_gettime,
    SYS_gettimeofday,
    SYS_getpid,
    SYS_gettid,
    SYS_getppid,
    SYS_getuid,
    SYS_geteuid,
    // Its two threads, and their end.
    SYS_futex,
    SYS_sched_yield,
    SYS_restart_syscall,
    SYS_rt_sigreturn,
    SYS_rt_sigprocmask,
    SYS_rt_sigaction,
    SYS_tgkill,
    SYS_exit,
    SYS_exit_group,
    SYS_set_robust_list,
#ifdef SYS_rseq
    SYS_rseq,
#endif
});

/// Libraries look for files now and then, and go on without.
constexpr auto kDenied = std::to_array<long>({
    SYS_openat,
    SYS_newfstatat,
    SYS_fstat,
    SYS_faccessat,
    SYS_ioctl,
    SYS_readlinkat,
    SYS_lseek,
    SYS_uname,
    SYS_prlimit64,
    SYS_sched_getaffinity,
    SYS_sysinfo,
#ifdef SYS_open
    SYS_open,
    SYS_stat,
    SYS_lstat,
    SYS_access,
    SYS_readlink,
#endif
});

/// These may not make memory executable: their third argument is looked at.
constexpr auto kProtecting = std::to_array<long>({SYS_mmap, SYS_mprotect});

constexpr std::uint32_t kNumberAt = offsetof(seccomp_data, nr);
constexpr std::uint32_t kArchitectureAt = offsetof(seccomp_data, arch);
/// The low half of the third argument, on little-endian machines.
constexpr std::uint32_t kProtectionAt = offsetof(seccomp_data, args) + 2 * sizeof(std::uint64_t);

std::vector<sock_filter> filter_rows() {
  const auto load = [](std::uint32_t at) {
    return sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at);
  };
  const auto give = [](std::uint32_t verdict) {
    return sock_filter BPF_STMT(BPF_RET | BPF_K, verdict);
  };
  const auto unless_equal = [](std::uint32_t value, std::uint8_t skip) {
    return sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip);
  };
  std::vector<sock_filter> rows;
  rows.push_back(load(kArchitectureAt));
  rows.push_back(sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0));
  rows.push_back(give(SECCOMP_RET_KILL_PROCESS));
  rows.push_back(load(kNumberAt));
  for (const long number : kAllowed) {
    rows.push_back(unless_equal(static_cast<std::uint32_t>(number), 1));
    rows.push_back(give(SECCOMP_RET_ALLOW));
  }
  for (const long number : kDenied) {
    rows.push_back(unless_equal(static_cast<std::uint32_t>(number), 1));
    rows.push_back(give(SECCOMP_RET_ERRNO | EACCES));
  }
  for (const long number : kProtecting) {
    rows.push_back(unless_equal(static_cast<std::uint32_t>(number), 4));
    rows.push_back(load(kProtectionAt));
    rows.push_back(sock_filter BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0));
    rows.push_back(give(SECCOMP_RET_ALLOW));
    rows.push_back(give(SECCOMP_RET_KILL_PROCESS));
  }
  rows.push_back(give(SECCOMP_RET_KILL_PROCESS));
  return rows;
}

}  // namespace

Result<void> close_up_key_process() {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return refused_by_kernel("PR_SET_PDEATHSIG");
  if (::prctl(PR_SET_DUMPABLE, 0) != 0) return refused_by_kernel("PR_SET_DUMPABLE");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused_by_kernel("no_new_privs");
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) return refused_by_kernel("RLIMIT_CORE");
  return {};
}

Result<void> close_descriptors_from(int first) {
  if (::syscall(SYS_close_range, static_cast<unsigned>(first), ~0U, 0U) != 0) {
    return refused_by_kernel("close_range");
  }
  return {};
}

Result<void> enter_sandbox() {
  std::vector<sock_filter> rows = filter_rows();
#ifndef KITH_KEYS_WATCHED
  const sock_fprog program{static_cast<unsigned short>(rows.size()), rows.data()};
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0) {
    return refused_by_kernel("seccomp");
  }
#endif
  return {};
}

}  // namespace kith::node
