#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <utility>

#include "crypto/assert.hpp"
#include "crypto/limits.hpp"
#include "crypto/remote_keys.hpp"
#include "node/keys/key_frames.hpp"
#include "node/keys/key_host.hpp"
#include "node/keys/key_start.hpp"

/// The node's side of the process that holds the keys.

namespace kith::node {
namespace {

Error system_error(const char* what, int code = errno) {
  return fail(Errc::io, std::string(what) + ": " + std::strerror(code));
}

struct SocketPair {
  KeySocket ours;
  KeySocket theirs;  ///< Beyond the numbers that the child's will get.
};

Result<SocketPair> make_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return system_error("socketpair");
  }
  SocketPair pair{KeySocket(ends[0]), KeySocket(ends[1])};
  const int moved = ::fcntl(ends[1], F_DUPFD_CLOEXEC, kPassphraseFd + 1);
  if (moved < 0) return system_error("socketpair");
  pair.theirs = KeySocket(moved);
  return pair;
}

/// This program anew: it shares no memory with us.
Result<pid_t> spawn_key_process(int operations, int passphrases) {
  posix_spawn_file_actions_t actions{};
  if (::posix_spawn_file_actions_init(&actions) != 0) return fail(Errc::no_memory);
  ::posix_spawn_file_actions_adddup2(&actions, operations, kOperationsFd);
  ::posix_spawn_file_actions_adddup2(&actions, passphrases, kPassphraseFd);
  std::string name = "kith";
  std::string word = kKeyProcessWord;
  const std::array<char*, 3> words{name.data(), word.data(), nullptr};
  pid_t pid = 0;
  const int failed =
      ::posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, words.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return system_error("the process for the keys", failed);
  return pid;
}

class OperationsChannel final : public crypto::KeyChannel {
 public:
  explicit OperationsChannel(KeySocket socket) : socket_(std::move(socket)), owner_(::getpid()) {}
  Result<void> exchange(crypto::WireBuffer& frame) override {
    // A forked child has the socket too; two who ask would get each other's answers.
    ASSERT(::getpid() == owner_);
    CHECK(socket_.send(frame));
    return socket_.receive(frame);
  }
  [[nodiscard]] KeySocket& socket() { return socket_; }

 private:
  KeySocket socket_;
  pid_t owner_;
};

class ProcessKeyHost final : public KeyHost {
 public:
  ProcessKeyHost(pid_t pid, KeySocket operations, KeySocket passphrases, KeysReady ready)
      : pid_(pid),
        channel_(std::move(operations)),
        passphrases_(std::move(passphrases)),
        has_passphrase_(ready.has_passphrase),
        standing_(ready.standing),
        keys_(channel_, crypto::RecordKeys(std::move(ready.record_keys)), random_) {}

  ~ProcessKeyHost() override {
    // It ends by itself when its sockets close; a signal ends it also in the middle of Argon2id.
    channel_.socket().close();
    passphrases_.close();
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  crypto::KeyOps& ops() override { return keys_; }
  bool has_passphrase() const override { return has_passphrase_; }
  std::optional<StepUp> standing() const override { return standing_; }
  bool gone() const override { return keys_.gone() || gone_; }
  int watched() const override { return passphrases_.fd(); }

  Result<PassphraseProof> prove(const SecretBytes& passphrase) override {
    const std::lock_guard lock(proving_);
    crypto::WireBuffer frame;
    frame.raw(passphrase.expose());
    CHECK(passphrases_.send(frame));
    CHECK(passphrases_.receive(frame));
    crypto::WireReader in(frame.view());
    CHECK(crypto::take_key_status(in));
    TRY(const std::uint64_t number, in.u64());
    return PassphraseProof{{}, StepUp{number}};
  }

  StepUp hold(PassphraseProof proof) override {
    ASSERT(proof.number.has_value());
    return *proof.number;
  }
  void drop(StepUp step_up) override {
    tell(KeyAside::drop_step_up, static_cast<std::uint64_t>(step_up));
  }
  void keep_agreements(std::size_t pairs_max) override {
    tell(KeyAside::keep_agreements, pairs_max);
  }

 private:
  void tell(KeyAside what, std::uint64_t number) {
    if (gone()) return;
    crypto::WireBuffer frame;
    frame.u8(static_cast<std::uint8_t>(what));
    frame.u64(number);
    gone_ = channel_.exchange(frame).has_error();
  }

  pid_t pid_;
  crypto::OsRandom random_;
  OperationsChannel channel_;
  std::mutex proving_;
  KeySocket passphrases_;
  bool has_passphrase_;
  bool gone_ = false;
  std::optional<StepUp> standing_;
  crypto::RemoteKeys keys_;
};

/// Ends a process that did not come up.
class StartingProcess {
 public:
  explicit StartingProcess(pid_t pid) : pid_(pid) {}
  ~StartingProcess() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  StartingProcess(const StartingProcess&) = delete;
  StartingProcess& operator=(const StartingProcess&) = delete;
  pid_t release() { return std::exchange(pid_, 0); }

 private:
  pid_t pid_;
};

}  // namespace

Result<std::unique_ptr<KeyHost>> start_key_process(KeyStart start) {
  TRY(SocketPair operations, make_pair());
  TRY(SocketPair passphrases, make_pair());
  TRY(const pid_t pid, spawn_key_process(operations.theirs.fd(), passphrases.theirs.fd()));
  StartingProcess starting(pid);
  operations.theirs.close();
  passphrases.theirs.close();
  crypto::WireBuffer frame;
  put_start(frame, start);
  CHECK(passphrases.ours.send(frame));
  // Without a limit: a person may have to type.
  CHECK(passphrases.ours.receive(frame));
  TRY(KeysReady ready, take_ready(frame.view()));
  CHECK(operations.ours.set_timeout(limits::kKeyAnswerTimeout));
  CHECK(passphrases.ours.set_timeout(limits::kKeyAnswerTimeout));
  return std::unique_ptr<KeyHost>(
      std::make_unique<ProcessKeyHost>(starting.release(), std::move(operations.ours),
                                       std::move(passphrases.ours), std::move(ready)));
}

}  // namespace kith::node
