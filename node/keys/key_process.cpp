#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <mutex>
#include <thread>
#include <utility>

#include "crypto/key_wire.hpp"
#include "crypto/limits.hpp"
#include "crypto/random_health.hpp"
#include "node/keys/key_frames.hpp"
#include "node/keys/key_start.hpp"
#include "node/keys/opening.hpp"
#include "node/keys/sandbox.hpp"
#include "node/known_answers.hpp"

/// The process that holds the keys: opens the keystore, gives up everything that it does not need,
/// and then answers until its sockets close.

namespace kith::node {
namespace {

/// What the deepest operation leaves on the stack is far less.
constexpr std::size_t kStackWipedBytes = 64 * 1024;
/// What freed memory is filled with.
constexpr int kFreedPattern = 0xA5;

/// Overwrites what the operation before left below this frame.
[[gnu::noinline]] void wipe_stack() {
  std::array<std::uint8_t, kStackWipedBytes> below;
  crypto::wipe(below);
}

/// Its two threads: one answers operations, one stretches passphrases, which takes a second.
class KeyServer {
 public:
  KeyServer(OpenedKeys opened, KeySocket operations, KeySocket passphrases)
      : keystore_(std::move(opened.keystore)),
        keys_(opened.keys.root, random_),
        operations_(std::move(operations)),
        passphrases_(std::move(passphrases)) {
    if (opened.keep_step_up || !keystore_.has_passphrase()) {
      standing_ = keys_.hold_step_up(std::move(opened.keys.step_up));
    }
  }

  /// Nothing of a library may have to look for its files after the sandbox is closed.
  Result<void> warm_up() {
    TRY(const KeyPair key, keys_.generate(KeyType::p256, KeyPurpose::authenticate));
    CHECK(keys_.sign(key.sealed, crypto::as_bytes("warm")).has_value()
              ? Result<void>()
              : Result<void>(fail(Errc::io, "the libraries for keys")));
    TRY(const KeyPair peer, keys_.generate(KeyType::p256, KeyPurpose::agree));
    const crypto::WrapContext context{"ECDH-ES+A256KW", {}, {}, {}};
    SecretBytes one(32);
    one.expose_mutable().back() = 1;
    TRY(const Bytes wrapped, keys_.wrap_cek(nullptr, peer.public_key, one, context, one));
    TRY(const KeyPair payer, keys_.generate(KeyType::secp256k1, KeyPurpose::chain));
    CHECK(keys_.sign_hash(payer.sealed, one.expose()).has_value()
              ? Result<void>()
              : Result<void>(fail(Errc::io, "the libraries for keys")));
    return {};
  }

  Result<void> say_ready() {
    crypto::WireBuffer frame;
    put_ready(frame, {keystore_.has_passphrase(), standing_, keys_.record_keys().both().clone()});
    return passphrases_.send(frame);
  }

  void start_stretching() {
    std::thread([this] { stretch_all(); }).detach();
  }

  void serve() {
    crypto::WireBuffer request;
    crypto::WireBuffer answer;
    while (operations_.receive(request).has_value()) {
      {
        const std::lock_guard lock(mutex_);
        answer_one(request.view(), answer);
      }
      request.clear();
      wipe_stack();
      const bool sent = operations_.send(answer).has_value();
      answer.clear();
      if (!sent) return;
    }
  }

 private:
  void answer_one(ByteView request, crypto::WireBuffer& answer) {
    if (request.empty() || request[0] < crypto::kKeyCallsEnd) {
      return crypto::serve_key_call(keys_, request, answer);
    }
    answer.clear();
    crypto::WireReader in(request.subspan(1));
    const auto number = in.u64();
    if (!number.has_value()) return crypto::put_key_error(answer, number.error());
    if (KeyAside{request[0]} == KeyAside::drop_step_up) {
      keys_.drop_step_up(StepUp{*number});
    } else {
      keys_.keep_agreements(std::min<std::uint64_t>(*number, limits::kAgreementCacheMax));
    }
    answer.u8(0);
  }

  /// Nobody needs this process when the other one is gone.
  void stretch_all() {
    crypto::WireBuffer frame;
    while (passphrases_.receive(frame).has_value()) {
      const SecretBytes passphrase = SecretBytes::copy_of(frame.view());
      frame.clear();
      auto keys = keystore_.unlock(&passphrase);
      if (keys.has_value()) {
        const std::lock_guard lock(mutex_);
        frame.u8(0);
        frame.u64(static_cast<std::uint64_t>(keys_.hold_step_up(std::move(keys->step_up))));
      } else {
        crypto::put_key_error(frame, keys.error());
      }
      wipe_stack();
      if (!passphrases_.send(frame).has_value()) break;
    }
    ::_exit(0);
  }

  const Keystore keystore_;
  crypto::OsRandom random_;
  crypto::SoftwareKeys keys_;
  std::optional<StepUp> standing_;
  KeySocket operations_;
  KeySocket passphrases_;
  std::mutex mutex_;
};

/// The terminal was needed until now; the end of this process is its node's business.
Result<void> leave_terminal() {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP}) {
    std::signal(number, SIG_IGN);
  }
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nothing < 0) return fail(Errc::io, "/dev/null");
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nothing, fd);
  // The file of a passphrase may have been one that the shell had opened.
  return close_descriptors_from(kPassphraseFd + 1);
}

Result<OpenedKeys> open_as_told(KeySocket& passphrases) {
  CHECK(close_up_key_process());
  crypto::WireBuffer frame;
  CHECK(passphrases.receive(frame));
  TRY(KeyStart start, take_start(frame.view()));
  crypto::OsRandom random;
  CHECK(check_known_answers());
  CHECK(crypto::check_random(random));
  return open_keys(std::move(start), random);
}

Result<void> open_and_serve(KeySocket& operations, KeySocket& passphrases) {
  TRY(OpenedKeys opened, open_as_told(passphrases));
  CHECK(leave_terminal());
  KeyServer server(std::move(opened), std::move(operations), KeySocket(passphrases.fd()));
  CHECK(server.warm_up());
  server.start_stretching();
  CHECK(enter_sandbox());
  wipe_stack();
  CHECK(server.say_ready());
  server.serve();
  ::_exit(0);  // The other thread may be anywhere.
}

}  // namespace

int run_key_process() {
  ::mallopt(M_PERTURB, kFreedPattern);
  KeySocket operations(kOperationsFd);
  KeySocket passphrases(kPassphraseFd);
  const auto ended = open_and_serve(operations, passphrases);
  crypto::WireBuffer frame;
  crypto::put_key_error(frame, ended.has_error() ? ended.error() : fail(Errc::keys_gone));
  static_cast<void>(passphrases.send(frame));
  ::_exit(1);
}

}  // namespace kith::node
