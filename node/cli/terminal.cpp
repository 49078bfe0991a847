#include "node/cli/terminal.hpp"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

#include "crypto/limits.hpp"

namespace kith::node {
namespace {

/// Reads up to a line end, the end of input, or the limit. nullopt: nothing there, or too long.
std::optional<SecretBytes> read_secret_line(int fd) {
  SecretBytes buffer(limits::kPassphraseBytesMax + 1);
  std::size_t size = 0;
  while (size < buffer.size()) {
    const ssize_t got = ::read(fd, buffer.expose_mutable().data() + size, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || buffer.expose()[size] == '\n') {
      if (size > 0 && buffer.expose()[size - 1] == '\r') --size;
      if (size == 0) return std::nullopt;
      return SecretBytes::copy_of(buffer.expose().first(size));
    }
    ++size;
  }
  return std::nullopt;
}

/// Switches the echo of the terminal off for its scope.
class NoEcho {
 public:
  NoEcho() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    active_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
  }
  ~NoEcho() {
    if (active_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;

 private:
  termios before_{};
  bool active_ = false;
};

Error bad_passphrase() {
  return fail(Errc::limit_exceeded,
              "a passphrase has 1 to " + std::to_string(limits::kPassphraseBytesMax) + " bytes");
}

}  // namespace

bool is_watched() {
  return ::isatty(STDERR_FILENO) == 1;
}

bool is_terminal() {
  return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
}

std::optional<std::string> ask(const std::string& question, const std::string& otherwise) {
  std::cerr << question << (otherwise.empty() ? "" : " [" + otherwise + "]") << ": " << std::flush;
  std::string line;
  if (!std::getline(std::cin, line)) return std::nullopt;
  return line.empty() ? otherwise : line;
}

bool ask_yes(const std::string& question, bool otherwise) {
  while (true) {
    const auto line = ask(question + (otherwise ? " (Y/n)" : " (y/N)"));
    if (!line) return false;
    if (line->empty()) return otherwise;
    if (*line == "y" || *line == "Y" || *line == "yes") return true;
    if (*line == "n" || *line == "N" || *line == "no") return false;
  }
}

namespace {

Result<SecretBytes> ask_secret(const std::string& question) {
  std::optional<SecretBytes> line;
  {
    const NoEcho quiet;  // Before the question: what is typed at once must not show either.
    std::cerr << question << ": " << std::flush;
    line = read_secret_line(STDIN_FILENO);
  }
  std::cerr << "\n";
  if (!line) return bad_passphrase();
  return std::move(*line);
}

}  // namespace

Result<SecretBytes> ask_passphrase(const std::string& question) {
  if (!is_terminal()) return fail(Errc::step_up_required, "give it with --passphrase-file");
  return ask_secret(question);
}

Result<SecretBytes> ask_pin(const std::string& question) {
  if (!is_terminal()) return fail(Errc::token_pin_needed);
  return ask_secret(question);
}

Result<SecretBytes> read_passphrase_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return fail(Errc::io, path + ": " + std::strerror(errno));
  auto line = read_secret_line(file);
  ::close(file);
  if (!line) return bad_passphrase();
  return std::move(*line);
}

Result<SecretBytes> read_pin_in_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return fail(Errc::io, path + ": " + std::strerror(errno));
  const auto passphrase = read_secret_line(file);
  auto pin = passphrase ? read_secret_line(file) : std::nullopt;
  ::close(file);
  if (!pin) return fail(Errc::token_pin_needed, path + " has one line only");
  return std::move(*pin);
}

void say_progress(const std::string& text) {
  std::cerr << text << std::endl;
}

}  // namespace kith::node
