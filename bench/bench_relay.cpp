// A mediator as a process of its own, over loopback: letters of 4 KiB relayed to clients that wait
// on WebSockets, and the memory of 2,000 WebSockets that only wait, with and without TLS 1.3.
//
// The processor time is that of the mediator's two processes with all their threads: the node, and
// the one that holds its keys. The floor is what cannot be left out of one letter, done in this
// process: opening the forward, storing it (one synced write for 64), packing the delivery. It has
// no sockets and no second process, so the mediator's ratio includes the work for those.

#include <leveldb/db.h>
#include <leveldb/write_batch.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <csignal>
#include <cstring>
#include <fstream>
#include <memory>

#include "bench/mail_client.hpp"
#include "node/net/websocket.hpp"
#include "tests/support/temp_directory.hpp"

namespace {

using namespace kith;
using bench::Floor;
using bench::give_up;
using bench::MailClient;
using bench::need;
using Io = boost::asio::io_context;
using Socket = std::unique_ptr<node::WebSocket>;

constexpr std::size_t kLetterBytes = 4096;
constexpr std::size_t kLettersEach = 10;
constexpr std::chrono::seconds kPatience{60};

/// `kith init` and `kith run --mediate`; ended with this object.
class MediatorProcess {
 public:
  explicit MediatorProcess(const std::vector<std::string>& more = {}) {
    const std::string home = directory_.path("home");
    spawn({KITH_PROGRAM, "init", "--name", "M", "--no-passphrase", "--no-identity", "--home", home},
          -1);
    int status = 0;
    if (::waitpid(pid_, &status, 0) != pid_ || status != 0) give_up("kith init failed");
    int ends[2];
    if (::pipe(ends) != 0) give_up("no pipe");
    std::vector<std::string> words{KITH_PROGRAM,  "run",    "--mediate", "--listen",
                                   "127.0.0.1:0", "--home", home,        "--json"};
    words.insert(words.end(), more.begin(), more.end());
    spawn(words, ends[1]);
    ::close(ends[1]);
    std::string line;
    for (char c = 0; ::read(ends[0], &c, 1) == 1 && c != '\n';) line += c;
    output_ = ends[0];
    const auto ready = crypto::parse_json(line);
    if (!ready.has_value()) give_up("kith run did not come up");
    port_ = static_cast<std::uint16_t>(ready->as_object().at("port").as_int64());
  }
  ~MediatorProcess() {
    ::kill(pid_, SIGTERM);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    ::close(output_);
  }
  MediatorProcess(const MediatorProcess&) = delete;
  MediatorProcess& operator=(const MediatorProcess&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] double node_us() const { return processor_us(pid_); }
  /// Of the process of the keys, which the node started.
  [[nodiscard]] double keys_us() const {
    const std::string pid = std::to_string(pid_);
    std::ifstream file("/proc/" + pid + "/task/" + pid + "/children");
    pid_t child = -1;
    if (!(file >> child)) give_up("the mediator has no process for its keys");
    return processor_us(child);
  }
  [[nodiscard]] double resident_bytes() const {
    std::ifstream file("/proc/" + std::to_string(pid_) + "/statm");
    double total = 0, resident = 0;
    file >> total >> resident;
    return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
  }

 private:
  static double processor_us(pid_t pid) {
    clockid_t clock{};
    timespec used{};
    if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &used) != 0) {
      give_up("the system does not tell a process's time");
    }
    return static_cast<double>(used.tv_sec) * 1e6 + static_cast<double>(used.tv_nsec) / 1e3;
  }
  void spawn(const std::vector<std::string>& words, int output) {
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) give_up("no process");
    if (pid_ > 0) return;
    if (output >= 0) {
      ::dup2(output, STDOUT_FILENO);
    } else {
      ::close(STDOUT_FILENO);
    }
    ::execv(arguments.front(), arguments.data());
    ::_exit(127);
  }

  test::TempDirectory directory_;
  pid_t pid_ = -1;
  int output_ = -1;
  std::uint16_t port_ = 0;
};

template <class Done>
void run_until(Io& io, Done done, const char* what) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) give_up(what);
    io.restart();
    io.run_one_for(std::chrono::milliseconds{20});
  }
}

Did routing_did_of(Io& io, std::uint16_t port) {
  boost::asio::ip::tcp::socket socket(io);
  socket.connect({boost::asio::ip::address_v4::loopback(), port});
  constexpr std::string_view kAsk =
      "GET /invitation HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
  boost::asio::write(socket, boost::asio::buffer(kAsk));
  std::string answer;
  boost::system::error_code end;
  boost::asio::read(socket, boost::asio::dynamic_buffer(answer), end);
  const auto body =
      need(crypto::parse_json(answer.substr(answer.find("\r\n\r\n") + 4)), "the invitation");
  return need(
      Did::parse(std::string_view(body.at("invitation").as_object().at("from").get_string())),
      "the routing DID");
}

class Connections {
 public:
  Connections(Io& io, std::string url, std::shared_ptr<const node::TlsContext> tls = {})
      : io_(io), url_(std::move(url)) {
    policy_.allow_private = true;
    node::ConnectOptions options;
    options.policy = policy_;
    options.tls = std::move(tls);
    connector_ = std::make_unique<node::Connector>(io_, options);
  }
  [[nodiscard]] Socket open() {
    std::optional<Result<Socket>> opened;
    const auto opening =
        node::open_websocket(io_, *connector_, policy_, url_, {}, std::chrono::seconds{20},
                             [&](Result<Socket> result) { opened.emplace(std::move(result)); });
    run_until(
        io_, [&] { return opened.has_value(); }, "a connection was not opened");
    return need(std::move(*opened), "a connection");
  }

 private:
  Io& io_;
  std::string url_;
  node::UrlPolicy policy_;
  std::unique_ptr<node::Connector> connector_;
};

/// A client that waits for live deliveries.
struct LiveClient {
  LiveClient(test::World& world, const Did& mediator, Socket open)
      : mail(world, mediator), socket(std::move(open)) {
    socket->start({[this](Bytes message, const node::WebSocket::Sent& done) {
                     last = std::string(crypto::as_text(message));
                     ++heard;
                     done({});
                   },
                   [](const Error&) {}});
  }
  void say(Io& io, const std::string& envelope) {
    const std::size_t before = heard;
    if (!socket->send(crypto::to_bytes(envelope))) give_up("the queue is full");
    run_until(
        io, [&] { return heard > before; }, "no answer");
  }
  MailClient mail;
  Socket socket;
  std::string last;
  std::size_t heard = 0;
};

std::vector<std::unique_ptr<LiveClient>> make_clients(Io& io, test::World& world,
                                                      Connections& connections, const Did& mediator,
                                                      std::size_t count) {
  std::vector<std::unique_ptr<LiveClient>> clients;
  for (std::size_t i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<LiveClient>(world, mediator, connections.open()));
    LiveClient& client = *clients.back();
    client.say(io, client.mail.ask(bench::kMediation, "mediate-request"));
    const JsonObject update{{"recipient_did", client.mail.did().text()}, {"action", "add"}};
    client.say(io, client.mail.ask(bench::kMediation, "recipient-update",
                                   {{"updates", JsonArray{update}}}));
    client.say(io,
               client.mail.ask(bench::kPickup, "live-delivery-change", {{"live_delivery", true}}));
  }
  return clients;
}

void relay(std::size_t count, std::size_t rounds) {
  MediatorProcess mediator;
  Io io{1};
  test::World world(3);
  const Did routing = routing_did_of(io, mediator.port());
  Connections connections(io, "ws://127.0.0.1:" + std::to_string(mediator.port()) + "/");
  auto clients = make_clients(io, world, connections, routing, count);
  test::Party sender = world.make_party();
  std::vector<Socket> ways;
  for (int i = 0; i < 8; ++i) {
    ways.push_back(connections.open());
    ways.back()->start(
        {[](Bytes, const node::WebSocket::Sent& done) { done({}); }, [](const Error&) {}});
  }
  std::string forward;
  const auto heard = [&] {
    std::size_t all = 0;
    for (const auto& client : clients) all += client->heard;
    return all;
  };
  double least_us = 1e18, keys_us = 0, least_wall_us = 1e18;
  const std::size_t letters = count * kLettersEach;
  for (std::size_t round = 0; round < rounds; ++round) {
    std::vector<std::string> forwards;
    for (std::size_t i = 0; i < letters; ++i) {
      forwards.push_back(clients[i % count]->mail.letter_by_mediator(sender, kLetterBytes));
    }
    forward = forwards.back();
    const std::size_t wanted = heard() + letters;
    const double node_begin_us = mediator.node_us();
    const double keys_begin_us = mediator.keys_us();
    const auto begin = std::chrono::steady_clock::now();
    std::size_t next = 0;
    const auto feed = [&] {
      for (Socket& way : ways) {
        while (next < letters && way->queued_bytes() < 65536 &&
               way->send(crypto::to_bytes(forwards[next]))) {
          ++next;
        }
      }
      return heard() >= wanted;
    };
    run_until(io, feed, "letters are missing");
    const std::chrono::duration<double, std::micro> wall = std::chrono::steady_clock::now() - begin;
    const double keys_spent_us = mediator.keys_us() - keys_begin_us;
    const double spent_us = mediator.node_us() - node_begin_us + keys_spent_us;
    if (spent_us < least_us) {
      least_us = spent_us;
      keys_us = keys_spent_us;
    }
    least_wall_us = std::min(least_wall_us, wall.count());
  }

  // The floor of one letter.
  const auto mine = crypto::x25519_generate(world.random);
  const auto theirs = crypto::x25519_generate(world.random);
  const auto jwe = need(crypto::parse_jwe(forward), "a forward");
  const Floor open_floor(Floor::Wraps::openssl, forward,
                         std::string(jwe.ciphertext.size() - 1, 'x'), 0, world.random, mine,
                         theirs);
  LiveClient& client = *clients[(letters - 1) % count];
  const Unpacked delivery = client.mail.open(client.last);
  const Bytes letter = *delivery.message.attachments.front().base64;
  const Floor pack_floor(Floor::Wraps::openssl, client.last, delivery.plaintext, 0, world.random,
                         mine, theirs);
  const auto open = open_floor.unpack();
  const auto pack = pack_floor.pack();
  test::TempDirectory directory;
  leveldb::Options options;
  options.create_if_missing = true;
  options.compression = leveldb::kNoCompression;
  leveldb::DB* raw = nullptr;
  if (!leveldb::DB::Open(options, directory.path("db"), &raw).ok()) give_up("LevelDB");
  const std::unique_ptr<leveldb::DB> db(raw);
  double floor_us = 1e18;
  for (std::size_t round = 0; round < 4 * rounds; ++round) {
    timespec from{}, to{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    leveldb::WriteBatch batch;
    for (std::size_t i = 0; i < 64; ++i) {
      open();
      batch.Put(std::to_string(round) + "-" + std::to_string(i),
                {reinterpret_cast<const char*>(letter.data()), letter.size()});
      pack();
    }
    leveldb::WriteOptions synced;
    synced.sync = true;
    if (!db->Write(synced, &batch).ok()) give_up("LevelDB");
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    floor_us = std::min(floor_us, (static_cast<double>(to.tv_sec - from.tv_sec) * 1e6 +
                                   static_cast<double>(to.tv_nsec - from.tv_nsec) / 1e3) /
                                      64);
  }
  const double each_us = least_us / static_cast<double>(letters);
  std::printf("Letters of 4 KiB to %zu clients on WebSockets\n\n", count);
  std::printf("| what                          | us of processor time | floor / it |\n");
  std::printf("|-------------------------------|----------------------|------------|\n");
  std::printf("| floor without sockets         | %20.1f | %10.2f |\n", floor_us, 1.0);
  std::printf("| mediator's two processes      | %20.1f | %10.2f |\n", each_us, floor_us / each_us);
  std::printf("| of it the one with the keys   | %20.1f |            |\n",
              keys_us / static_cast<double>(letters));
  std::printf("| as seen by all, on the clock  | %20.1f |            |\n\n",
              least_wall_us / static_cast<double>(letters));
}

void run_openssl(const std::string& words) {
  if (std::system(("openssl " + words + " 2>/dev/null >&2").c_str()) != 0) give_up("openssl");
}

double idle_bytes(const MediatorProcess& mediator, Connections& connections, std::size_t count) {
  std::vector<Socket> open;
  for (int i = 0; i < 50; ++i) open.push_back(connections.open());
  const double before = mediator.resident_bytes();
  for (std::size_t i = 0; i < count; ++i) open.push_back(connections.open());
  return (mediator.resident_bytes() - before) / static_cast<double>(count);
}

void idle(std::size_t count) {
  std::printf("%zu WebSockets that wait\n\n", count);
  std::printf("| transport | KiB of the mediator's memory, each |\n");
  std::printf("|-----------|------------------------------------|\n");
  Io io{1};
  {
    MediatorProcess mediator;
    Connections plain(io, "ws://127.0.0.1:" + std::to_string(mediator.port()) + "/");
    std::printf("| TCP       | %34.1f |\n", idle_bytes(mediator, plain, count) / 1024);
  }
  const test::TempDirectory files;
  const std::string key = files.path("key.pem");
  const std::string certificate = files.path("certificate.pem");
  run_openssl(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=M "
      "-addext subjectAltName=IP:127.0.0.1 -keyout " +
      key + " -out " + certificate);
  MediatorProcess mediator({"--tls-cert", certificate, "--tls-key", key});
  Connections secure(io, "wss://127.0.0.1:" + std::to_string(mediator.port()) + "/",
                     need(node::TlsContext::client(certificate), "the certificate"));
  std::printf("| TLS 1.3   | %34.1f |\n", idle_bytes(mediator, secure, count) / 1024);
}

}  // namespace

int main(int argc, char** argv) {
  const kith::crypto::OsRandom system_random;  // Lets libsodium choose its code for this processor.
  const bool brief = argc > 1 && std::string_view(argv[1]) == "--short";
  ::signal(SIGPIPE, SIG_IGN);
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  relay(brief ? 2 : 50, brief ? 1 : 6);
  idle(brief ? 10 : 2000);
  return 0;
}
