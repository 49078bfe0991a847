#include "node/runtime/relock.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace kith::node {
namespace {

constexpr const char* kVariable = "KITH_HANDOVER";  // "LOCK-DESCRIPTOR:PORT"

std::vector<std::string> command_line() {
  std::ifstream in("/proc/self/cmdline", std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(in), {}};
  std::vector<std::string> words;
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = std::min(all.find('\0', at), all.size());
    words.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

}  // namespace

std::optional<Handover> take_handover() {
  const char* found = std::getenv(kVariable);
  if (found == nullptr) return std::nullopt;
  const std::string text = found;
  ::unsetenv(kVariable);
  Handover handover;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, handover.lock_descriptor);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != ':') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, handover.port);
  if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
  return handover;
}

Error start_anew_locked(Home home, std::uint16_t port) {
  std::vector<std::string> words = command_line();
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const std::string handover = std::to_string(home.lock_descriptor()) + ":" + std::to_string(port);
  ::setenv(kVariable, handover.c_str(), 1);
  // Only what is named goes along.
  ::syscall(SYS_close_range, static_cast<unsigned>(STDERR_FILENO + 1), ~0U, CLOSE_RANGE_CLOEXEC);
  ::fcntl(home.lock_descriptor(), F_SETFD, 0);
  ::execv("/proc/self/exe", arguments.data());
  return fail(Errc::io, std::string("locking: ") + std::strerror(errno));
}

}  // namespace kith::node
