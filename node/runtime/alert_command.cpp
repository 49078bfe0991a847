#include "node/runtime/alert_command.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <csignal>
#include <deque>
#include <utility>

namespace kith::node {
namespace {

constexpr int kCouldNotStart = 127;

/// A pipe that holds the whole input before anybody reads it; -1: there is none.
int filled_pipe(const std::string& input) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return -1;
  const auto written = ::write(ends[1], input.data(), input.size());
  ::close(ends[1]);
  if (written == static_cast<ssize_t>(input.size())) return ends[0];
  ::close(ends[0]);
  return -1;
}

/// Between fork and exec nothing is allowed but calls of the system.
[[noreturn]] void become_program(char* const* words, char* const* environment, int input) {
  ::setpgid(0, 0);
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    ::sigaction(signal, &standard, nullptr);
  }
  sigset_t none{};
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  const rlimit no_core{0, 0};
  const bool closed_up =
      nowhere >= 0 && ::dup2(input, STDIN_FILENO) >= 0 && ::dup2(nowhere, STDOUT_FILENO) >= 0 &&
      ::dup2(nowhere, STDERR_FILENO) >= 0 &&
      ::fcntl(STDIN_FILENO, F_SETFL, 0) == 0 &&  // Programs expect an input that blocks.
      ::syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0U) == 0 &&
      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::setrlimit(RLIMIT_CORE, &no_core) == 0 &&
      ::chdir("/") == 0;
  ::umask(S_IRWXG | S_IRWXO);
  if (closed_up) ::execve(words[0], words, environment);
  ::_exit(kCouldNotStart);
}

/// 0: failed.
pid_t start_program(std::vector<std::string> words, int input) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::string path = "PATH=/usr/local/bin:/usr/bin:/bin";
  std::array<char*, 2> environment{path.data(), nullptr};
  const pid_t pid = ::fork();
  if (pid == 0) become_program(argv.data(), environment.data(), input);
  if (pid < 0) return 0;
  ::setpgid(pid, pid);  // Whoever comes first: killing the group must find it.
  return pid;
}

std::string problem_of(int status, bool too_late) {
  if (too_late) return "it took too long and was ended";
  if (WIFSIGNALED(status)) return "it was ended by signal " + std::to_string(WTERMSIG(status));
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : kCouldNotStart;
  if (code == 0) return {};
  if (code == kCouldNotStart) return "it could not be started (127)";
  return "it ended with " + std::to_string(code);
}

}  // namespace

class AlertCommand::Impl {
 public:
  Impl(boost::asio::io_context& io, std::vector<std::string> words,
       std::chrono::milliseconds timeout)
      : words_(std::move(words)), timeout_(timeout), ended_(io), timer_(io) {}
  ~Impl() {
    if (pid_ == 0) return;
    ::kill(-pid_, SIGKILL);
    reap();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void run(std::string input, AlertDone done) {
    if (waiting() >= watch_limits::kAlertsWaitingMax) return done("too many wait already");
    tasks_.push_back({std::move(input), std::move(done)});
    if (pid_ == 0) start_next();
  }
  [[nodiscard]] std::size_t waiting() const { return tasks_.size() + (pid_ == 0 ? 0 : 1); }

 private:
  struct Task {
    std::string input;
    AlertDone done;
  };

  void start_next() {
    while (pid_ == 0 && !tasks_.empty()) {
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      if (start(task.input)) {
        done_ = std::move(task.done);
      } else {
        task.done("it could not be started");
      }
    }
  }

  bool start(const std::string& input) {
    const int pipe = filled_pipe(input);
    if (pipe < 0) return false;
    too_late_ = false;
    pid_ = start_program(words_, pipe);
    ::close(pipe);
    if (pid_ == 0) return false;
    const auto watched = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    if (watched < 0) {  // Nobody would notice its end.
      ::kill(-pid_, SIGKILL);
      reap();
      return false;
    }
    ended_.assign(watched);
    ended_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                      [this](const boost::system::error_code& error) {
                        if (!error) on_end();
                      });
    timer_.expires_after(timeout_);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (error || pid_ == 0) return;
      too_late_ = true;
      ::kill(-pid_, SIGKILL);
    });
    return true;
  }

  void on_end() {
    timer_.cancel();
    ended_.close();
    ::kill(-pid_, SIGKILL);  // What it left behind.
    const int status = reap();
    const AlertDone done = std::exchange(done_, nullptr);
    done(problem_of(status, too_late_));
    start_next();
  }

  int reap() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return status;
  }

  std::vector<std::string> words_;
  std::chrono::milliseconds timeout_;
  boost::asio::posix::stream_descriptor ended_;
  boost::asio::steady_timer timer_;
  std::deque<Task> tasks_;
  AlertDone done_;  ///< Of the running one.
  pid_t pid_ = 0;
  bool too_late_ = false;
};

AlertCommand::AlertCommand(boost::asio::io_context& io, std::vector<std::string> words,
                           std::chrono::milliseconds timeout)
    : impl_(std::make_unique<Impl>(io, std::move(words), timeout)) {}
AlertCommand::~AlertCommand() = default;
void AlertCommand::run(std::string input, AlertDone done) {
  impl_->run(std::move(input), std::move(done));
}
std::size_t AlertCommand::waiting() const {
  return impl_->waiting();
}

}  // namespace kith::node
