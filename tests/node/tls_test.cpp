#include "node/net/tls.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "node/net/http.hpp"
#include "tests/node/net_fixture.hpp"
#include "tests/support/temp_directory.hpp"

namespace kith::node {
namespace {

using namespace std::chrono_literals;
using test::RawPeer;
using test::run_until;

/// A CA of our own with certificates for this machine, made once by the openssl program.
class Authority {
 public:
  Authority() {
    make_ca("ca");
    make_ca("other-ca");
    sign("good", "IP:127.0.0.1,DNS:kith.test", "30");
    sign("wrong-name", "DNS:elsewhere.test", "30");
    sign("old", "IP:127.0.0.1", "-1");
  }
  [[nodiscard]] std::string file(const std::string& name) const { return directory_.path(name); }

 private:
  static void run(const std::string& arguments) {
    const int status = std::system(("openssl " + arguments + " 2>/dev/null").c_str());
    if (status != 0) ADD_FAILURE() << "openssl " << arguments;
  }
  void make_ca(const std::string& name) const {
    run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=" + name +
        " -keyout " + file(name + ".key") + " -out " + file(name + ".pem"));
  }
  void sign(const std::string& name, const std::string& for_whom, const std::string& days) const {
    run("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + name + " -keyout " +
        file(name + ".key") + " -out " + file(name + ".csr"));
    const std::string names = file(name + ".cnf");
    static_cast<void>(std::system(("echo subjectAltName=" + for_whom + " > " + names).c_str()));
    run("x509 -req -in " + file(name + ".csr") + " -CA " + file("ca.pem") + " -CAkey " +
        file("ca.key") + " -days " + days + " -extfile " + names + " -out " + file(name + ".pem"));
    ::chmod(file(name + ".key").c_str(), 0600);
  }
  kith::test::TempDirectory directory_;
};

const Authority& authority() {
  static const Authority made;
  return made;
}

class TlsTest : public testing::Test {
 protected:
  void listen(const std::string& certificate, ServerLimits limits = {}) {
    auto tls = TlsContext::server(authority().file(certificate + ".pem"),
                                  authority().file(certificate + ".key"));
    ASSERT_TRUE(tls.has_value()) << tls.error().detail;
    ServerExtras extras;
    extras.tls = *tls;
    extras.on_websocket = [this](std::unique_ptr<WebSocket> socket) {
      socket_ = std::move(socket);
      socket_->start({[this](Bytes message, const WebSocket::Sent& done) {
                        done({});
                        EXPECT_TRUE(socket_->send(std::move(message)));
                      },
                      [](const Error&) {}});
    };
    auto server = HttpServer::listen(
        io_, "127.0.0.1", 0,
        [](HttpRequest request, const HttpRespond& respond) {
          respond({200, "text/plain", std::move(request.body), {}});
        },
        limits, std::move(extras));
    ASSERT_TRUE(server.has_value());
    server_ = std::move(*server);
  }

  static std::shared_ptr<const TlsContext> trusting(const std::string& ca) {
    return TlsContext::client(ca.empty() ? "" : authority().file(ca)).value();
  }

  Result<HttpReply> request(const std::string& ca, std::string url, std::string_view body = "") {
    ClientOptions options;
    options.policy.allow_private = true;
    options.tls = trusting(ca);
    options.resolve = [](std::string, const ResolveDone& done) {
      done(std::vector<boost::asio::ip::address>{boost::asio::ip::address_v4::loopback()});
    };
    HttpClient client(io_, options);
    std::optional<Result<HttpReply>> reply;
    HttpCall call;
    call.url = std::move(url);
    call.body = crypto::to_bytes(body);
    client.request(std::move(call), [&](Result<HttpReply> got) { reply = std::move(got); });
    EXPECT_TRUE(run_until(io_, [&] { return reply.has_value(); }));
    return std::move(*reply);
  }
  std::string url(std::string_view scheme = "https", std::string_view host = "127.0.0.1") const {
    return std::string{scheme} + "://" + std::string{host} + ":" + std::to_string(server_->port()) +
           "/";
  }

  boost::asio::io_context io_{1};
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<WebSocket> socket_;
};

TEST_F(TlsTest, CarriesRequestsOfAnySize) {
  listen("good");
  for (const std::size_t size : {0U, 1U, 20'000U, 1'000'000U}) {
    const std::string body(size, 'x');
    const auto reply = request("ca.pem", url(), body);
    ASSERT_TRUE(reply.has_value()) << reply.error().detail;
    EXPECT_EQ(reply->status, 200U);
    EXPECT_EQ(crypto::as_text(reply->body), body);
  }
  EXPECT_TRUE(request("ca.pem", url("https", "kith.test")).has_value()) << "by name";
}

TEST_F(TlsTest, RefusesCertificatesThatNobodyVouchesFor) {
  struct Row {
    std::string certificate;
    std::string ca;
    std::string host;
    std::string why;
  };
  const Row rows[] = {
      {"good", "other-ca.pem", "127.0.0.1", "unable to get local issuer certificate"},
      {"good", "", "127.0.0.1", "unable to get local issuer certificate"},
      {"good", "ca.pem", "someone.test", "hostname mismatch"},
      {"wrong-name", "ca.pem", "127.0.0.1", "IP address mismatch"},
      {"old", "ca.pem", "127.0.0.1", "certificate has expired"},
  };
  for (const Row& row : rows) {
    listen(row.certificate);
    const auto reply = request(row.ca, url("https", row.host));
    ASSERT_FALSE(reply.has_value()) << row.why;
    EXPECT_EQ(reply.error().code, Errc::unreachable);
    EXPECT_NE(reply.error().detail.find("its certificate is not trusted"), std::string::npos)
        << reply.error().detail;
    EXPECT_NE(reply.error().detail.find(row.why), std::string::npos) << reply.error().detail;
  }
}

TEST_F(TlsTest, SpeaksNothingOlderThanTls13) {
  listen("good");
  const std::string to = "127.0.0.1:" + std::to_string(server_->port());
  // The server runs in this loop, so the client runs beside it and leaves its exit status behind.
  const auto connects = [&](const std::string& version) {
    const std::string status = authority().file("status-" + version);
    const std::string command = "(openssl s_client -connect " + to + " -" + version + " -CAfile " +
                                authority().file("ca.pem") +
                                " -verify_return_error < /dev/null > /dev/null 2>&1; echo $? > " +
                                status + ".new; mv " + status + ".new " + status + ") &";
    EXPECT_EQ(std::system(command.c_str()), 0);
    EXPECT_TRUE(run_until(io_, [&] { return std::filesystem::exists(status); }));
    std::ifstream in(status);
    int code = -1;
    in >> code;
    return code == 0;
  };
  EXPECT_TRUE(connects("tls1_3"));
  EXPECT_FALSE(connects("tls1_2"));
}

TEST_F(TlsTest, TellsAServerWithoutTlsApart) {
  auto plain = HttpServer::listen(io_, "127.0.0.1", 0, [](HttpRequest, const HttpRespond& respond) {
    respond({200, "", {}, {}});
  });
  ASSERT_TRUE(plain.has_value());
  server_ = std::move(*plain);
  const auto reply = request("ca.pem", url());
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().detail, "the other side does not speak TLS");
}

TEST_F(TlsTest, EndsConnectionsThatDoNotFinishTheirHandshake) {
  ServerLimits limits;
  limits.handshake_timeout = 60ms;
  listen("good", limits);
  RawPeer silent(io_, server_->port());
  RawPeer garbage(io_, server_->port());
  garbage.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(run_until(io_, [&] { return silent.closed() && garbage.closed(); }));
  EXPECT_TRUE(run_until(io_, [&] { return server_->connection_count() == 0; }));
}

TEST_F(TlsTest, CarriesWebSockets) {
  listen("good");
  ConnectOptions options;
  options.policy.allow_private = true;
  options.tls = trusting("ca.pem");
  Connector connector(io_, options);
  std::unique_ptr<WebSocket> client;
  const auto opening = open_websocket(io_, connector, options.policy, url("wss"), {}, 4s,
                                      [&](Result<std::unique_ptr<WebSocket>> opened) {
                                        ASSERT_TRUE(opened.has_value()) << opened.error().detail;
                                        client = std::move(*opened);
                                      });
  ASSERT_TRUE(run_until(io_, [&] { return client && socket_; }));
  std::string received;
  client->start({[&](Bytes message, const WebSocket::Sent& done) {
                   received = std::string(crypto::as_text(message));
                   done({});
                 },
                 [](const Error&) {}});
  const std::string large(200'000, 'x');
  ASSERT_TRUE(client->send(crypto::to_bytes(large)));
  EXPECT_TRUE(run_until(io_, [&] { return received == large; }));
}

TEST_F(TlsTest, ChecksTheFilesOfAListener) {
  const auto error = [](const std::string& certificate, const std::string& key) {
    return TlsContext::server(authority().file(certificate), authority().file(key)).error();
  };
  EXPECT_EQ(error("none.pem", "good.key").code, Errc::io);
  EXPECT_EQ(error("good.pem", "none.key").code, Errc::io);
  EXPECT_EQ(error("good.key", "good.key").code, Errc::bad_key);
  EXPECT_EQ(error("good.pem", "old.key").detail, "the key does not belong to the certificate");
  ::chmod(authority().file("other-ca.key").c_str(), 0644);
  EXPECT_NE(error("other-ca.pem", "other-ca.key").detail.find("chmod 600"), std::string::npos);
  EXPECT_EQ(TlsContext::client(authority().file("none.pem")).error().code, Errc::io);
  EXPECT_EQ(TlsContext::client(authority().file("good.key")).error().code, Errc::bad_key);
}

}  // namespace
}  // namespace kith::node
