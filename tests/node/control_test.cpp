#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

#include "node/control/client.hpp"
#include "node/control/frame.hpp"
#include "node/control/server.hpp"
#include "node/control/socket_path.hpp"
#include "node/runtime/worker.hpp"
#include "tests/node/net_fixture.hpp"

namespace kith::node {
namespace {

using namespace std::chrono_literals;
using test::run_until;
namespace fs = std::filesystem;

/// A private directory of its own for each test.
class TempHome {
 public:
  TempHome() {
    std::string pattern = (fs::temp_directory_path() / "kith-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempHome() { fs::remove_all(path_); }
  TempHome(const TempHome&) = delete;
  TempHome& operator=(const TempHome&) = delete;
  [[nodiscard]] std::string operator/(std::string_view name) const { return path_ / name; }
  [[nodiscard]] std::string path() const { return path_; }

 private:
  fs::path path_;
};

/// Sets an environment variable for one test.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const std::optional<std::string>& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    apply(value);
  }
  ~ScopedVariable() { apply(before_); }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  void apply(const std::optional<std::string>& value) const {
    if (value) {
      ::setenv(name_, value->c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
  }
  const char* name_;
  std::optional<std::string> before_;
};

mode_t mode_of(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(::lstat(path.c_str(), &info), 0);
  return info.st_mode & 07777U;
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), address.sun_path);
  return address;
}

/// A raw connection: what a broken or hostile local program would send.
class RawControl {
 public:
  explicit RawControl(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    const sockaddr_un address = address_of(path);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~RawControl() { ::close(socket_); }
  RawControl(const RawControl&) = delete;
  RawControl& operator=(const RawControl&) = delete;

  void send(std::string_view bytes) const {
    ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  [[nodiscard]] bool closed() const {
    char byte = 0;
    const ssize_t got = ::recv(socket_, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
    return got == 0 || (got < 0 && errno == ECONNRESET);
  }

 private:
  int socket_;
};

Errc prepare_error(const std::string& path) {
  const auto result = prepare_socket_path(path);
  EXPECT_FALSE(result.has_value()) << path;
  return result ? Errc::usage : result.error().code;
}

TEST(ControlFrame, SurvivesAnySplit) {
  const std::string two = *encode_frame("{\"a\":1}") + *encode_frame("x");
  for (std::size_t cut = 0; cut <= two.size(); ++cut) {
    FrameReader reader;
    std::vector<std::string> frames;
    for (const std::string& part : {two.substr(0, cut), two.substr(cut)}) {
      reader.add(part);
      while (true) {
        auto frame = reader.next();
        ASSERT_TRUE(frame.has_value());
        if (!*frame) break;
        frames.push_back(**frame);
      }
    }
    EXPECT_EQ(frames, (std::vector<std::string>{"{\"a\":1}", "x"})) << cut;
    EXPECT_FALSE(reader.partial());
  }
}

TEST(ControlFrame, RefusesEmptyAndLargeFrames) {
  EXPECT_EQ(encode_frame("").error().code, Errc::malformed);
  const std::string large(limits::kControlFrameBytesMax + 1, 'x');
  EXPECT_EQ(encode_frame(large).error().code, Errc::limit_exceeded);
  EXPECT_TRUE(encode_frame(std::string_view{large}.substr(1)).has_value());
  FrameReader empty;
  empty.add({"\0\0\0\0", 4});
  EXPECT_EQ(empty.next().error().code, Errc::malformed);
  FrameReader too_large(10);
  too_large.add({"\0\0\0\x0B", 4});
  EXPECT_EQ(too_large.next().error().code, Errc::limit_exceeded) << "before the frame itself came";
}

TEST(ControlSocketPath, LivesInTheHomeOrTheRuntimeDirectory) {
  const TempHome home;
  const ScopedVariable runtime("XDG_RUNTIME_DIR", home.path());
  EXPECT_EQ(*control_socket_path(home.path()), home / "control.sock");
  EXPECT_EQ(*control_socket_path(home.path() + "/"), home / "control.sock");
  EXPECT_EQ(*control_socket_path(home / "a/../."), home / "control.sock");

  const std::string deep = home / std::string(100, 'd');
  const auto first = control_socket_path(deep);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->rfind(home / "kith/", 0), 0U) << *first;
  EXPECT_LE(first->size(), limits::kControlPathBytesMax);
  EXPECT_EQ(*control_socket_path(deep + "/"), *first);
  EXPECT_NE(*control_socket_path(deep + "e"), *first);

  const ScopedVariable none("XDG_RUNTIME_DIR", std::nullopt);
  EXPECT_EQ(control_socket_path(deep).error().code, Errc::limit_exceeded);
}

TEST(ControlSocketPath, UsesExactlyTheBytesThatFit) {
  const TempHome home;
  const ScopedVariable none("XDG_RUNTIME_DIR", std::nullopt);
  const std::size_t rest =
      limits::kControlPathBytesMax - home.path().size() - std::string_view{"//control.sock"}.size();
  const auto fits = control_socket_path(home / std::string(rest, 'd'));
  ASSERT_TRUE(fits.has_value());
  EXPECT_EQ(fits->size(), limits::kControlPathBytesMax);
  EXPECT_FALSE(control_socket_path(home / std::string(rest + 1, 'd')).has_value());
}

TEST(ControlSocketPath, RefusesDirectoriesThatOthersPrepared) {
  const TempHome home;
  EXPECT_TRUE(prepare_socket_path(home / "control.sock").has_value());
  for (const mode_t mode : {0755U, 0710U, 0701U, 0720U, 0770U, 0777U}) {
    const std::string directory = home / ("mode" + std::to_string(mode));
    ::mkdir(directory.c_str(), 0700);
    EXPECT_TRUE(prepare_socket_path(directory + "/s").has_value());
    ::chmod(directory.c_str(), mode);
    EXPECT_EQ(prepare_error(directory + "/s"), Errc::refused) << mode;
  }
  ::mkdir((home / "real").c_str(), 0700);
  EXPECT_TRUE(check_private_directory(home / "real").has_value());
  fs::create_directory_symlink(home / "real", home / "link");
  EXPECT_EQ(prepare_error(home / "link/s"), Errc::refused);
  fs::create_directory_symlink(home / "nowhere", home / "dangling");
  EXPECT_EQ(prepare_error(home / "dangling/s"), Errc::refused);
  std::ofstream(home / "file") << "x";
  EXPECT_EQ(prepare_error(home / "file/s"), Errc::refused);
  EXPECT_EQ(check_private_directory(home / "missing").error().code, Errc::home_missing);
  EXPECT_EQ(prepare_error(home / "missing/below/s"), Errc::home_missing);
  if (::geteuid() == 0) {
    ::mkdir((home / "foreign").c_str(), 0700);
    ASSERT_EQ(::chown((home / "foreign").c_str(), 65534, 65534), 0);
    EXPECT_EQ(prepare_error(home / "foreign/s"), Errc::refused);
  }
}

TEST(ControlSocketPath, MakesItsDirectoryAndRemovesOnlyStaleSockets) {
  const TempHome home;
  ASSERT_TRUE(prepare_socket_path(home / "kith/s").has_value());
  EXPECT_EQ(mode_of(home / "kith"), 0700U);
  std::ofstream(home / "control.sock") << "precious";
  EXPECT_EQ(prepare_error(home / "control.sock"), Errc::refused);
  EXPECT_TRUE(fs::exists(home / "control.sock"));
  fs::create_symlink(home / "control.sock", home / "link.sock");
  EXPECT_EQ(prepare_error(home / "link.sock"), Errc::refused);
  EXPECT_EQ(prepare_error(home / std::string(100, 's')), Errc::limit_exceeded);
}

class ControlTest : public testing::Test {
 protected:
  void listen(ControlLimits limits = {}, PeerUid peer = peer_uid) {
    // The old one first: its destructor removes the socket, which the new one is to have.
    server_.reset();
    auto server = ControlServer::listen(
        io_, path_,
        [this](std::string request, ControlRespond respond) {
          requests_.push_back(request);
          if (defer_) {
            deferred_.push_back(std::move(respond));
          } else {
            respond("re:" + request);
          }
        },
        limits, std::move(peer));
    ASSERT_TRUE(server.has_value()) << server.error().detail;
    server_ = std::move(*server);
  }

  /// Runs the blocking client on the worker while this thread serves.
  template <class Job>
  Result<std::string> with_client(Job job) {
    std::optional<Result<std::string>> reply;
    const auto started = worker_.run(
        [path = path_, job]() -> Result<std::string> {
          TRY(auto client, ControlClient::connect(path));
          return job(client);
        },
        [&](Result<std::string> result) { reply = std::move(result); });
    EXPECT_TRUE(started.has_value());
    EXPECT_TRUE(run_until(io_, [&] { return reply.has_value(); }));
    return reply ? *reply : Result<std::string>{fail(Errc::wrong_state, "no answer")};
  }
  Result<std::string> call(const std::string& text, std::chrono::milliseconds timeout = 4s) {
    return with_client(
        [text, timeout](ControlClient& client) { return client.call(text, timeout); });
  }
  Errc call_error(std::chrono::milliseconds timeout = 4s) {
    const auto reply = call("x", timeout);
    EXPECT_FALSE(reply.has_value());
    return reply ? Errc::usage : reply.error().code;
  }

  TempHome home_;
  std::string path_ = home_ / "control.sock";
  boost::asio::io_context io_{1};
  std::unique_ptr<ControlServer> server_;
  std::vector<std::string> requests_;
  std::vector<ControlRespond> deferred_;
  bool defer_ = false;
  Worker worker_{io_};
};

TEST_F(ControlTest, CarriesSeveralFramesOnOneConnection) {
  listen();
  const auto reply = with_client([](ControlClient& client) -> Result<std::string> {
    TRY(const std::string first, client.call("one"));
    TRY(const std::string second, client.call(std::string(300000, 'x')));
    return first + std::to_string(second.size());
  });
  ASSERT_TRUE(reply.has_value()) << reply.error().detail;
  EXPECT_EQ(*reply, "re:one300003");
  EXPECT_EQ(requests_.size(), 2U);
}

TEST_F(ControlTest, HandlesFramesThatCameTogetherOneByOne) {
  defer_ = true;
  listen();
  const RawControl peer(path_);
  peer.send(*encode_frame("a") + *encode_frame("b"));
  ASSERT_TRUE(run_until(io_, [&] { return deferred_.size() == 1; }));
  test::run_for(io_, 5ms);
  EXPECT_EQ(requests_.size(), 1U);
  deferred_[0]("1");
  deferred_[0]("again");
  ASSERT_TRUE(run_until(io_, [&] { return deferred_.size() == 2; }));
  EXPECT_EQ(requests_[1], "b");
}

TEST_F(ControlTest, IsOpenToThisUserOnly) {
  const mode_t before = ::umask(0);
  listen();
  EXPECT_EQ(::umask(before), 0U) << "the umask is put back";
  EXPECT_EQ(mode_of(path_), 0600U);
}

TEST_F(ControlTest, ClosesConnectionsOfOtherUsersUnread) {
  listen({}, [](int) -> Result<uid_t> { return ::geteuid() + 1; });
  EXPECT_EQ(call_error(), Errc::unreachable);
  listen({}, [](int) -> Result<uid_t> { return fail(Errc::io, "unknown"); });
  EXPECT_EQ(call_error(), Errc::unreachable);
  EXPECT_TRUE(requests_.empty());
  listen({}, peer_uid);
  EXPECT_EQ(*call("x"), "re:x") << "only the user id stood in the way";
}

TEST_F(ControlTest, ReplacesAStaleSocketAndRemovesItsOwn) {
  const int stale = ::socket(AF_UNIX, SOCK_STREAM, 0);
  const sockaddr_un address = address_of(path_);
  ASSERT_EQ(::bind(stale, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(stale);
  ASSERT_TRUE(fs::exists(path_));
  EXPECT_EQ(call_error(), Errc::unreachable) << "nobody listens";
  listen();
  EXPECT_EQ(*call("x"), "re:x");
  server_->stop();
  EXPECT_FALSE(fs::exists(path_));
  EXPECT_EQ(call_error(), Errc::unreachable);
}

TEST_F(ControlTest, ClosesOnGarbageAndOnLargeFrames) {
  ControlLimits limits;
  limits.frame_bytes = 1000;
  listen(limits);
  const RawControl garbage(path_);
  garbage.send("GET / HTTP/1.1\r\n\r\n");
  const RawControl large(path_);
  large.send({"\0\0\x03\xE9", 4});
  const RawControl empty(path_);
  empty.send({"\0\0\0\0", 4});
  ASSERT_TRUE(run_until(io_, [&] { return garbage.closed() && large.closed() && empty.closed(); }));
  EXPECT_TRUE(requests_.empty());
  EXPECT_EQ(*call(std::string(1000, 'x')), "re:" + std::string(1000, 'x'));
}

TEST_F(ControlTest, ClosesHalfOpenAndIdleConnections) {
  ControlLimits limits;
  limits.frame_timeout = 40ms;
  limits.idle_timeout = 40ms;
  listen(limits);
  const RawControl silent(path_);
  const RawControl half(path_);
  half.send({"\0\0\0\x05he", 6});
  ASSERT_TRUE(run_until(io_, [&] { return silent.closed() && half.closed(); }));
  EXPECT_EQ(server_->connection_count(), 0U);
}

TEST_F(ControlTest, BoundsItsConnections) {
  ControlLimits limits;
  limits.connections = 1;
  listen(limits);
  {
    const RawControl first(path_);
    const RawControl second(path_);
    ASSERT_TRUE(run_until(io_, [&] { return second.closed(); }));
    EXPECT_FALSE(first.closed());
  }
  ASSERT_TRUE(run_until(io_, [&] { return server_->connection_count() == 0; }));
  EXPECT_EQ(*call("x"), "re:x");
}

TEST_F(ControlTest, RequestsBeyondThoseOfASecondWaitForTheirTurn) {
  std::vector<std::int64_t> times;
  auto server = ControlServer::listen(io_, path_, [&](std::string, const ControlRespond& respond) {
    times.push_back(read_clocks().steady_ms);
    respond("done");
  });
  ASSERT_TRUE(server.has_value());
  constexpr std::size_t kMany = limits::kControlRequestsPerSecond + 10;
  const RawControl one(path_);
  const RawControl other(path_);  // The limit is for all together.
  for (std::size_t i = 0; i < kMany; ++i) (i % 2 == 0 ? one : other).send(*encode_frame("x"));
  ASSERT_TRUE(run_until(io_, [&] { return times.size() == kMany; })) << "none is lost";
  EXPECT_LT(times[limits::kControlRequestsPerSecond - 1] - times[0], 900) << "these do not wait";
  for (std::size_t i = limits::kControlRequestsPerSecond; i < kMany; ++i) {
    EXPECT_GE(times[i] - times[i - limits::kControlRequestsPerSecond], 900) << i;
  }
}

TEST_F(ControlTest, AHandlerThatNeverAnswersEndsInTime) {
  ControlLimits limits;
  limits.respond_timeout = 30ms;
  defer_ = true;
  listen(limits);
  EXPECT_EQ(call_error(), Errc::unreachable);
  ASSERT_EQ(deferred_.size(), 1U);
  deferred_[0]("late");
  limits.respond_timeout = 4s;
  listen(limits);
  EXPECT_EQ(call_error(30ms), Errc::timeout) << "the client has a limit of its own";
}

TEST_F(ControlTest, StopFinishesRepliesAndDestructionDropsThem) {
  defer_ = true;
  listen();
  const RawControl busy(path_);
  busy.send(*encode_frame("x"));
  const RawControl idle(path_);
  ASSERT_TRUE(
      run_until(io_, [&] { return deferred_.size() == 1 && server_->connection_count() == 2; }));
  server_->stop();
  ASSERT_TRUE(run_until(io_, [&] { return idle.closed(); }));
  EXPECT_EQ(server_->connection_count(), 1U);
  deferred_[0]("done");
  ASSERT_TRUE(run_until(io_, [&] { return server_->connection_count() == 0; }));

  listen();
  const RawControl dropped(path_);
  dropped.send(*encode_frame("y"));
  ASSERT_TRUE(run_until(io_, [&] { return deferred_.size() == 2; }));
  server_.reset();
  deferred_[1]("nobody");
  ASSERT_TRUE(run_until(io_, [&] { return dropped.closed(); }));
}

TEST_F(ControlTest, SaysThatNoNodeIsRunning) {
  EXPECT_EQ(ControlClient::connect(path_).error().code, Errc::unreachable);
  EXPECT_EQ(ControlClient::connect(std::string(108, 'x')).error().code, Errc::limit_exceeded);
}

}  // namespace
}  // namespace kith::node
