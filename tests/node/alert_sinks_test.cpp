#include "node/runtime/alert_sinks.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "node/runtime/audit_watch.hpp"
#include "tests/support/memory_store.hpp"

namespace kith::node {
namespace {

using namespace std::chrono_literals;

struct Scratch {
  std::filesystem::path directory = std::filesystem::temp_directory_path() / unique();
  Scratch() { std::filesystem::create_directory(directory); }
  ~Scratch() { std::filesystem::remove_all(directory); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  static std::string unique() {
    static int count = 0;
    return "kith-alerts-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
  }
  [[nodiscard]] std::string path(const std::string& name) const { return directory / name; }
  [[nodiscard]] std::string text_of(const std::string& name) const {
    std::ifstream file(path(name));
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
};

/// Runs the loop until `count` deliveries have ended.
struct Outcomes {
  boost::asio::io_context io;
  std::vector<std::string> problems;
  AlertDone done() {
    return [this](const std::string& problem) { problems.push_back(problem); };
  }
  void wait_for(std::size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (problems.size() < count && std::chrono::steady_clock::now() < deadline) {
      io.restart();
      io.run_one_for(1s);
    }
    ASSERT_GE(problems.size(), count);
  }
};

std::vector<std::string> shell(const std::string& script, const std::string& argument = "") {
  return {"/bin/sh", "-c", script, "sh", argument};
}

TEST(AlertCommand, GetsTheAlertAndNothingOfOurs) {
  Scratch place;
  Outcomes out;
  ::setenv("KITH_CANARY", "canary", 1);
  const int secret = ::open("/dev/null", O_RDONLY);  // Not closed on exec.
  AlertCommand command(
      out.io, shell("cat > \"$1/in\"; env > \"$1/env\"; ls /proc/self/fd > \"$1/fd\"; pwd > "
                    "\"$1/pwd\"; grep NoNewPrivs /proc/self/status > \"$1/privs\"",
                    place.directory));
  command.run("{\"alert\":\"$(touch x); 'quoted'\"}\n", out.done());
  out.wait_for(1);
  ::close(secret);
  ::unsetenv("KITH_CANARY");
  EXPECT_EQ(out.problems[0], "");
  EXPECT_EQ(place.text_of("in"), "{\"alert\":\"$(touch x); 'quoted'\"}\n");
  EXPECT_EQ(place.text_of("env").find("canary"), std::string::npos);
  EXPECT_EQ(place.text_of("env").find("HOME"), std::string::npos);
  EXPECT_EQ(place.text_of("fd"), "0\n1\n2\n3\n");  // 3 is the directory that ls reads.
  EXPECT_EQ(place.text_of("pwd"), "/\n");
  EXPECT_NE(place.text_of("privs").find("1"), std::string::npos);
}

TEST(AlertCommand, SaysHowItEnded) {
  Outcomes out;
  AlertCommand failing(out.io, shell("exit 3"));
  failing.run("x", out.done());
  out.wait_for(1);
  EXPECT_NE(out.problems[0].find("3"), std::string::npos);
  AlertCommand missing(out.io, {"/nonexistent/program"});
  missing.run("x", out.done());
  out.wait_for(2);
  EXPECT_NE(out.problems[1].find("could not be started"), std::string::npos);
}

/// Whether the process whose number that file holds comes to its end.
bool ends(const Scratch& place, const std::string& file) {
  const std::string child = place.text_of(file);
  if (child.empty()) return false;
  const auto watched = static_cast<int>(::syscall(SYS_pidfd_open, std::stol(child), 0));
  if (watched < 0) return errno == ESRCH;
  pollfd look{watched, POLLIN, 0};
  const bool ended = ::poll(&look, 1, 20'000) == 1;
  ::close(watched);
  return ended;
}

TEST(AlertCommand, IsEndedWithAllThatItStartedWhenItTakesTooLong) {
  Scratch place;
  Outcomes out;
  AlertCommand command(
      out.io, shell("sleep 1000 & echo $! > \"$1/child\"; sleep 1000", place.directory), 2s);
  command.run("x", out.done());
  out.wait_for(1);
  EXPECT_NE(out.problems[0].find("too long"), std::string::npos);
  EXPECT_TRUE(ends(place, "child"));
}

TEST(AlertCommand, LeavesNobodyBehind) {
  Scratch place;
  Outcomes out;
  AlertCommand command(out.io, shell("sleep 1000 & echo $! > \"$1/child\"", place.directory));
  command.run("x", out.done());
  out.wait_for(1);
  EXPECT_EQ(out.problems[0], "");
  EXPECT_TRUE(ends(place, "child"));
}

TEST(AlertCommand, RunsOneAtATimeAndLetsOnlySoManyWait) {
  Scratch place;
  Outcomes out;
  AlertCommand command(
      out.io, shell("mkdir \"$1/running\" || exit 9; cat >> \"$1/in\"; rmdir \"$1/running\"",
                    place.directory));
  const std::size_t all = watch_limits::kAlertsWaitingMax + 3;
  for (std::size_t i = 0; i < all; ++i) command.run("x", out.done());
  EXPECT_EQ(out.problems.size(), 3U);  // Refused at once.
  out.wait_for(all);
  EXPECT_EQ(std::ranges::count(out.problems, std::string()),
            static_cast<std::ptrdiff_t>(watch_limits::kAlertsWaitingMax));
  EXPECT_EQ(place.text_of("in"), std::string(watch_limits::kAlertsWaitingMax, 'x'));
}

TEST(AlertWebhook, PostsAndTriesAgainWhatMayPass) {
  Outcomes out;
  std::vector<std::string> bodies;
  unsigned answer = 503;
  const auto server = HttpServer::listen(
      out.io, "127.0.0.1", 0, [&](const HttpRequest& request, const HttpRespond& respond) {
        bodies.push_back(std::string(crypto::as_text(request.body)));
        respond({answer, {}, {}, {}});
        if (answer == 503) answer = 204;
      });
  ASSERT_TRUE(server.has_value());
  AlertWebhook hook(out.io, "http://127.0.0.1:" + std::to_string((*server)->port()) + "/a");
  hook.post("{}", out.done());
  out.wait_for(1);
  EXPECT_EQ(out.problems[0], "");
  EXPECT_EQ(bodies, (std::vector<std::string>{"{}", "{}"}));
  answer = 404;
  hook.post("[]", out.done());
  out.wait_for(2);
  EXPECT_NE(out.problems[1].find("404"), std::string::npos);
  EXPECT_EQ(bodies.size(), 3U);
  answer = 307;  // Nobody is followed elsewhere.
  hook.post("[]", out.done());
  out.wait_for(3);
  EXPECT_NE(out.problems[2], "");
  EXPECT_EQ(bodies.size(), 4U);
}

TEST(AlertWebhook, GivesUpAfterAFewTriesAndLetsOnlySoManyWait) {
  Outcomes out;
  std::size_t asked = 0;
  const auto server = HttpServer::listen(out.io, "127.0.0.1", 0,
                                         [&](const HttpRequest&, const HttpRespond& respond) {
                                           ++asked;
                                           respond({500, {}, {}, {}});
                                         });
  ASSERT_TRUE(server.has_value());
  AlertWebhook hook(out.io, "http://127.0.0.1:" + std::to_string((*server)->port()) + "/");
  for (std::size_t i = 0; i < watch_limits::kAlertsWaitingMax + 2; ++i) hook.post("{}", out.done());
  EXPECT_EQ(out.problems.size(), 2U);
  out.wait_for(3);
  EXPECT_EQ(asked, watch_limits::kAlertWebhookTries);
}

struct JournalSocket {
  Scratch place;
  std::string path = place.path("journal");
  int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  JournalSocket() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~JournalSocket() { ::close(socket); }
  JournalSocket(const JournalSocket&) = delete;
  JournalSocket& operator=(const JournalSocket&) = delete;
  std::string receive() {
    std::string text(65536, '\0');
    const auto size = ::recv(socket, text.data(), text.size(), 0);
    text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return text;
  }
};

crypto::PublicKey some_key() {
  return crypto::from_multikey("z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK").value();
}

protocol::AuditEntry noted(std::uint64_t n, JsonObject details) {
  protocol::AuditEntry entry;
  entry.key = some_key();
  entry.n = n;
  entry.event = "agent.added";
  entry.details = std::move(details);
  return entry;
}

TEST(Journal, GetsFieldsThatNobodyCanAddTo) {
  JournalSocket journal;
  ASSERT_TRUE(send_to_journal(
      journal.path, journal_fields(noted(3, {{"agent", "x\nPRIORITY=0\nKITH_AUDIT_N=9"}}))));
  const std::string got = journal.receive();
  EXPECT_NE(got.find("\nKITH_AUDIT_N=3\n"), std::string::npos) << got;
  EXPECT_NE(got.find("\nKITH_AUDIT_EVENT=agent.added\n"), std::string::npos);
  EXPECT_NE(got.find("\nKITH_AUDIT_HASH="), std::string::npos);
  EXPECT_EQ(got.find("\nPRIORITY=0"), std::string::npos);
  EXPECT_EQ(got.find("\nKITH_AUDIT_N=9"), std::string::npos);
  EXPECT_EQ(std::ranges::count(got, '\n'), 6);
  EXPECT_EQ(got.back(), '\n');
}

TEST(Journal, ThatIsNotThereOrDoesNotReadHoldsNothingUp) {
  EXPECT_FALSE(send_to_journal("/nonexistent/socket", "MESSAGE=x\n"));
  EXPECT_FALSE(send_to_journal(std::string(200, 'x'), "MESSAGE=x\n"));
  JournalSocket journal;
  bool refused = false;
  for (int i = 0; i < 100'000 && !refused; ++i) {
    refused = !send_to_journal(journal.path, "MESSAGE=" + std::string(1000, 'x') + "\n");
  }
  EXPECT_TRUE(refused);
}

/// A log as the node writes it, without signatures.
struct Log {
  test::MemoryStore store;
  std::uint64_t count = 0;
  void note(std::size_t entries) {
    for (std::size_t i = 0; i < entries; ++i, ++count) {
      put({"audit", protocol::numbered_id(count)}, protocol::encode_record(noted(count, {})));
    }
    protocol::AuditHead head;
    head.count = count;
    head.key = some_key();
    put({"meta", "audit"}, protocol::encode_record(head));
  }
  void put(const protocol::RecordKey& key, Bytes value) {
    ASSERT_TRUE(store.commit({{key, std::move(value)}}).has_value());
  }
};

TEST(AuditWatch, TellsWhatIsNewOnceAndInOrder) {
  boost::asio::io_context io;
  Log log;
  log.note(5);
  std::vector<std::uint64_t> heard;
  const auto watch = AuditWatch::start(
      io, log.store, [&](const protocol::AuditEntry& entry) { heard.push_back(entry.n); });
  ASSERT_TRUE(watch.has_value());
  (*watch)->look();
  EXPECT_TRUE(heard.empty());
  log.note(2);
  (*watch)->look();
  (*watch)->look();
  EXPECT_EQ(heard, (std::vector<std::uint64_t>{5, 6}));
  log.note(watch_limits::kAuditLookEntries + 1);
  (*watch)->look();
  EXPECT_EQ(heard.size(), 2 + watch_limits::kAuditLookEntries);
  (*watch)->look();
  EXPECT_EQ(heard.size(), 3 + watch_limits::kAuditLookEntries);
}

}  // namespace
}  // namespace kith::node
