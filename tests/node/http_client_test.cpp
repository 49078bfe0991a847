#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "node/net/http.hpp"
#include "tests/node/net_fixture.hpp"

namespace kith::node {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;
using test::run_for;
using test::run_until;
using Reply = std::optional<Result<HttpReply>>;

ClientOptions local() {
  ClientOptions options;
  options.policy.allow_private = true;
  return options;
}

/// The error of a reply; nullopt if there is none.
std::optional<Errc> error_of(const Result<HttpReply>& reply) {
  if (reply) return std::nullopt;
  return reply.error().code;
}

/// Gives each request of a connection the next of its answers; closes after the last, and instead
/// of an empty one.
class ScriptedServer {
 public:
  ScriptedServer(boost::asio::io_context& io, std::vector<std::string> answers)
      : acceptor_(io, {boost::asio::ip::address_v4::loopback(), 0}), answers_(std::move(answers)) {
    accept();
  }

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  [[nodiscard]] int connections() const { return counts_->connections; }
  [[nodiscard]] int requests() const { return counts_->requests; }
  /// The last request, as it came.
  [[nodiscard]] const std::string& heard() const { return counts_->heard; }

 private:
  struct Counts {
    int connections = 0;
    int requests = 0;
    std::string heard;
  };
  struct Peer {
    tcp::socket socket;
    std::vector<std::string> answers;
    std::shared_ptr<Counts> counts;
    std::array<char, 4096> piece{};
    std::size_t next = 0;
  };

  void accept() {
    acceptor_.async_accept([this](boost::system::error_code error, tcp::socket socket) {
      if (error) return;
      ++counts_->connections;
      serve(std::make_shared<Peer>(Peer{std::move(socket), answers_, counts_}));
      accept();
    });
  }

  // The requests of these tests are small and come in one piece.
  static void serve(const std::shared_ptr<Peer>& peer) {
    peer->socket.async_read_some(
        boost::asio::buffer(peer->piece),
        [peer](boost::system::error_code error, std::size_t size) {
          if (error) return;
          ++peer->counts->requests;
          peer->counts->heard.assign(peer->piece.data(), size);
          if (peer->next >= peer->answers.size() || peer->answers[peer->next].empty()) return;
          boost::asio::write(peer->socket, boost::asio::buffer(peer->answers[peer->next++]), error);
          if (!error) serve(peer);
        });
  }

  tcp::acceptor acceptor_;
  std::vector<std::string> answers_;
  std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();
};

class HttpClientTest : public testing::Test {
 protected:
  void listen(HttpHandler handler, ServerLimits limits = {}) {
    auto server = HttpServer::listen(io_, "127.0.0.1", 0, std::move(handler), limits);
    ASSERT_TRUE(server.has_value());
    server_ = std::move(*server);
  }
  void listen_echo() {
    listen([](HttpRequest request, const HttpRespond& respond) {
      HttpResponse response;
      response.content_type = request.content_type;
      response.body = std::move(request.body);
      respond(std::move(response));
    });
  }

  static std::string url(std::uint16_t port, std::string_view path = "/") {
    return "http://127.0.0.1:" + std::to_string(port) + std::string{path};
  }
  std::string url(std::string_view path = "/") const { return url(server_->port(), path); }
  std::string named_url(std::string_view host) const {
    return "http://" + std::string{host} + ":" + std::to_string(server_->port()) + "/";
  }

  static HttpCall post(std::string to, std::string_view body,
                       std::chrono::milliseconds timeout = 4s) {
    HttpCall call;
    call.url = std::move(to);
    call.content_type = "text/plain";
    call.body = crypto::to_bytes(body);
    call.timeout = timeout;
    return call;
  }

  Result<HttpReply> run(HttpClient& client, HttpCall call) {
    Reply reply;
    int calls = 0;
    client.request(std::move(call), [&](Result<HttpReply> result) {
      ++calls;
      reply = std::move(result);
    });
    EXPECT_FALSE(reply.has_value()) << "never before request() returns";
    EXPECT_TRUE(run_until(io_, [&] { return reply.has_value(); }));
    run_for(io_, 2ms);
    EXPECT_EQ(calls, 1);
    return reply ? std::move(*reply) : Result<HttpReply>{fail(Errc::wrong_state, "no answer")};
  }

  boost::asio::io_context io_{1};
  std::unique_ptr<HttpServer> server_;
};

constexpr const char* kShortAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";

TEST_F(HttpClientTest, CarriesRequestAndAnswer) {
  listen_echo();
  HttpClient client(io_, local());
  const auto reply = run(client, post(url(), "hello"));
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->status, 200U);
  EXPECT_EQ(reply->content_type, "text/plain");
  EXPECT_EQ(crypto::as_text(reply->body), "hello");
}

TEST_F(HttpClientTest, ReportsErrorStatusesAsReplies) {
  listen([](const HttpRequest&, const HttpRespond& respond) {
    HttpResponse response;
    response.status = 404;
    respond(std::move(response));
  });
  HttpClient client(io_, local());
  const auto reply = run(client, post(url(), "x"));
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->status, 404U);
}

TEST_F(HttpClientTest, ReusesItsConnection) {
  const ScriptedServer server(io_, std::vector<std::string>(5, kShortAnswer));
  HttpClient client(io_, local());
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(run(client, post(url(server.port()), "x")).has_value());
  }
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(client.idle_count(), 1U);
  client.close_idle();
  EXPECT_EQ(client.idle_count(), 0U);
}

TEST_F(HttpClientTest, DropsIdleConnectionsInTime) {
  listen_echo();
  ClientOptions options = local();
  options.idle_timeout = 20ms;
  HttpClient client(io_, options);
  ASSERT_TRUE(run(client, post(url(), "x")).has_value());
  ASSERT_TRUE(run_until(io_, [&] { return client.idle_count() == 0; }));
  ASSERT_TRUE(run_until(io_, [&] { return server_->connection_count() == 0; }));
}

TEST_F(HttpClientTest, NoticesThatTheServerClosedAnIdleConnection) {
  ServerLimits limits;
  limits.idle_timeout = 20ms;
  listen([](const HttpRequest&, const HttpRespond& respond) { respond({}); }, limits);
  HttpClient client(io_, local());
  ASSERT_TRUE(run(client, post(url(), "x")).has_value());
  ASSERT_TRUE(run_until(io_, [&] { return server_->connection_count() == 0; }));
  EXPECT_TRUE(run(client, post(url(), "x")).has_value());
}

TEST_F(HttpClientTest, SendsOnceMoreWhenAReusedConnectionDiesBeforeTheAnswer) {
  const ScriptedServer server(io_, {kShortAnswer, ""});
  HttpClient client(io_, local());
  ASSERT_TRUE(run(client, post(url(server.port()), "x")).has_value());
  EXPECT_TRUE(run(client, post(url(server.port()), "x")).has_value());
  EXPECT_EQ(server.connections(), 2);
  EXPECT_EQ(server.requests(), 3);
}

TEST_F(HttpClientTest, DoesNotSendTwiceOnANewConnection) {
  const ScriptedServer server(io_, {""});
  HttpClient client(io_, local());
  EXPECT_EQ(error_of(run(client, post(url(server.port()), "x"))), Errc::unreachable);
  EXPECT_EQ(server.requests(), 1);
}

TEST_F(HttpClientTest, TimesOut) {
  std::vector<HttpRespond> kept;
  listen([&](const HttpRequest&, HttpRespond respond) { kept.push_back(std::move(respond)); });
  ClientOptions options = local();
  options.connections_per_host = 1;
  HttpClient client(io_, options);
  EXPECT_EQ(error_of(run(client, post(url(), "x", 60ms))), Errc::timeout);
  EXPECT_EQ(kept.size(), 1U);
  // One that waits for its turn has the same right.
  Reply first;
  Reply second;
  client.request(post(url(), "x", 300ms), [&](Result<HttpReply> r) { first = std::move(r); });
  client.request(post(url(), "x", 30ms), [&](Result<HttpReply> r) { second = std::move(r); });
  ASSERT_TRUE(run_until(io_, [&] { return second.has_value(); }));
  EXPECT_FALSE(first.has_value());
  EXPECT_EQ(error_of(*second), Errc::timeout);
  ASSERT_TRUE(run_until(io_, [&] { return first.has_value(); }));
  EXPECT_EQ(kept.size(), 2U) << "the waiting call never went out";
}

TEST_F(HttpClientTest, TimesOutWhileAResolverIsSilent) {
  ClientOptions options = local();
  ResolveDone kept;
  options.resolve = [&](const std::string&, ResolveDone done) { kept = std::move(done); };
  HttpClient client(io_, options);
  EXPECT_EQ(error_of(run(client, post("http://peer.example/", "x", 20ms))), Errc::timeout);
  kept(std::vector<boost::asio::ip::address>{});
}

TEST_F(HttpClientTest, SaysUnreachableWhenNobodyListens) {
  std::uint16_t port = 0;
  {
    const tcp::acceptor closed(io_, {boost::asio::ip::address_v4::loopback(), 0});
    port = closed.local_endpoint().port();
  }
  HttpClient client(io_, local());
  EXPECT_EQ(error_of(run(client, post(url(port), "x"))), Errc::unreachable);
}

TEST_F(HttpClientTest, TriesTheNextAddressOfAName) {
  listen_echo();
  ClientOptions options = local();
  options.resolve = [](const std::string&, const ResolveDone& done) {
    done(std::vector{boost::asio::ip::make_address("127.0.0.2"),
                     boost::asio::ip::make_address("127.0.0.1")});
  };
  HttpClient client(io_, options);
  EXPECT_TRUE(run(client, post(named_url("peer.example"), "x")).has_value());
}

TEST_F(HttpClientTest, ResolvesNamesWithTheSystem) {
  listen_echo();
  HttpClient client(io_, local());
  EXPECT_TRUE(run(client, post(named_url("localhost"), "x")).has_value());
}

TEST_F(HttpClientTest, RefusesANameThatIsReboundToThisMachine) {
  listen_echo();
  ClientOptions options;
  int resolved = 0;
  options.resolve = [&](const std::string&, const ResolveDone& done) {
    ++resolved;
    done(std::vector{boost::asio::ip::make_address("127.0.0.1"),
                     boost::asio::ip::make_address("::ffff:127.0.0.1")});
  };
  HttpClient strict(io_, options);
  EXPECT_EQ(error_of(run(strict, post(named_url("peer.example"), "x"))), Errc::refused);
  EXPECT_EQ(resolved, 1);
  EXPECT_EQ(server_->connection_count(), 0U);
  options.policy.allow_private = true;
  HttpClient relaxed(io_, options);
  EXPECT_TRUE(run(relaxed, post(named_url("peer.example"), "x")).has_value())
      << "only the policy stood in the way";
}

TEST_F(HttpClientTest, RefusesWhatTheUrlPolicyRefuses) {
  HttpClient client(io_);
  EXPECT_EQ(error_of(run(client, post("http://127.0.0.1/", "x"))), Errc::refused);
  EXPECT_EQ(error_of(run(client, post("https://example.com/", "x"))), Errc::unsupported);
  EXPECT_EQ(error_of(run(client, post("nonsense", "x"))), Errc::bad_url);
}

TEST_F(HttpClientTest, ShowsAnAuthorizationOnlyWhereItWasMeantToGo) {
  ScriptedServer server(io_, {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                              "HTTP/1.1 307 Elsewhere\r\nLocation: /other\r\n"
                              "Content-Length: 0\r\n\r\n",
                              "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"});
  HttpClient client(io_, local());
  HttpCall call = post(url(server.port()), "");
  call.method = "GET";  // Without a body it comes in one piece.
  call.authorization = "token";
  ASSERT_TRUE(run(client, call).has_value());
  EXPECT_NE(server.heard().find("Authorization: token"), std::string::npos) << server.heard();
  ASSERT_TRUE(run(client, call).has_value());
  EXPECT_EQ(server.requests(), 3);
  EXPECT_NE(server.heard().find("GET /other"), std::string::npos);
  EXPECT_EQ(server.heard().find("Authorization"), std::string::npos);
}

TEST_F(HttpClientTest, FollowsOnlyAllowedTemporaryRedirects) {
  std::string location;
  unsigned status = 307;
  int hops = 0;
  listen([&](HttpRequest request, const HttpRespond& respond) {
    HttpResponse response;
    if (request.path == "/end") {
      response.body = std::move(request.body);
    } else {
      ++hops;
      response.status = status;
      if (!location.empty()) response.fields = {{"Location", location}};
    }
    respond(std::move(response));
  });
  HttpClient client(io_, local());
  for (const std::string& to : {std::string{"/end"}, url("/end")}) {
    location = to;
    const auto reply = run(client, post(url("/start"), "body"));
    ASSERT_TRUE(reply.has_value()) << to;
    EXPECT_EQ(crypto::as_text(reply->body), "body") << to;
  }
  const std::pair<std::string, Errc> refused[] = {
      {"http://169.254.169.254/", Errc::refused},
      {"https://example.com/", Errc::unsupported},
      {"//127.0.0.1/end", Errc::bad_url},
      {"end", Errc::bad_url},
      {"", Errc::malformed},
  };
  for (const auto& [to, error] : refused) {
    location = to;
    EXPECT_EQ(error_of(run(client, post(url(), "x"))), error) << to;
  }
  location = "/again";
  hops = 0;
  EXPECT_EQ(error_of(run(client, post(url(), "x"))), Errc::limit_exceeded);
  EXPECT_EQ(hops, 4) << "the call and three redirects";
  location = "/end";
  for (const unsigned other : {301U, 302U, 303U, 308U}) {
    status = other;
    const auto reply = run(client, post(url(), "x"));
    ASSERT_TRUE(reply.has_value());
    EXPECT_EQ(reply->status, other);
  }
}

TEST_F(HttpClientTest, HandsARedirectOverWhenAskedNotToFollow) {
  listen([&](const HttpRequest& request, const HttpRespond& respond) {
    HttpResponse response;
    response.status = request.path == "/start" ? 307 : 200;
    if (response.status == 307) response.fields = {{"Location", "/end"}};
    respond(std::move(response));
  });
  HttpClient client(io_, local());
  HttpCall call = post(url("/start"), "x");
  call.follow_redirects = false;
  const auto reply = run(client, call);
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->status, 307U);
  EXPECT_EQ(reply->location, "/end");
  call.follow_redirects = true;
  EXPECT_EQ(run(client, call)->status, 200U);
}

TEST_F(HttpClientTest, KeepsCallsForStrangersAwayFromPrivateAddresses) {
  int requests = 0;
  listen([&](const HttpRequest&, const HttpRespond& respond) {
    ++requests;
    respond({});
  });
  HttpClient client(io_, local());
  ASSERT_TRUE(run(client, post(url(), "x")).has_value()) << "leaves a connection to reuse";
  HttpCall call = post(url(), "x");
  call.public_only = true;
  EXPECT_EQ(error_of(run(client, call)), Errc::refused);
  EXPECT_EQ(requests, 1);
}

TEST_F(HttpClientTest, BoundsOneAnswerBelowItsOwnBound) {
  listen([&](const HttpRequest&, const HttpRespond& respond) {
    HttpResponse response;
    response.body.resize(101);
    respond(std::move(response));
  });
  HttpClient client(io_, local());
  HttpCall call = post(url(), "x");
  call.answer_bytes = 100;
  EXPECT_EQ(error_of(run(client, call)), Errc::limit_exceeded);
  call.answer_bytes = 101;
  EXPECT_TRUE(run(client, call).has_value());
}

TEST_F(HttpClientTest, RefusesLargeAnswers) {
  std::size_t size = 1001;
  listen([&](const HttpRequest&, const HttpRespond& respond) {
    HttpResponse response;
    response.body.resize(size);
    respond(std::move(response));
  });
  ClientOptions options = local();
  options.body_bytes = 1000;
  HttpClient client(io_, options);
  EXPECT_EQ(error_of(run(client, post(url(), "x"))), Errc::limit_exceeded);
  size = 1000;
  EXPECT_TRUE(run(client, post(url(), "x")).has_value());
}

TEST_F(HttpClientTest, JudgesRawAnswers) {
  struct Row {
    std::string answer;
    std::optional<Errc> error;
  };
  const Row rows[] = {
      {kShortAnswer, std::nullopt},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", std::nullopt},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", std::nullopt},
      {"SSH-2.0-OpenSSH\r\n\r\n", Errc::malformed},
      {"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", Errc::malformed},
      {"HTTP/1.1 101 Switching Protocols\r\n\r\n", Errc::malformed},
      {"HTTP/1.1 200 OK\r\nA: " + std::string(9000, 'a') + "\r\n\r\n", Errc::limit_exceeded},
      {"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n", Errc::limit_exceeded},
  };
  for (const Row& row : rows) {
    const ScriptedServer server(io_, {row.answer});
    HttpClient client(io_, local());
    EXPECT_EQ(error_of(run(client, post(url(server.port()), "x"))), row.error)
        << row.answer.substr(0, 60);
  }
}

TEST_F(HttpClientTest, CarriesTwoHundredCallsAtOnce) {
  listen_echo();
  HttpClient client(io_, local());
  int good = 0;
  int done = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string body = "call " + std::to_string(i);
    client.request(post(url(), body), [&good, &done, body](const Result<HttpReply>& reply) {
      ++done;
      if (reply && crypto::as_text(reply->body) == body) ++good;
    });
  }
  ASSERT_TRUE(run_until(io_, [&] { return done == 200; }));
  EXPECT_EQ(good, 200);
  EXPECT_LE(server_->connection_count(), limits::kHttpClientConnectionsPerHostMax);
}

TEST_F(HttpClientTest, BoundsTheNumberOfCalls) {
  std::vector<HttpRespond> kept;
  listen([&](const HttpRequest&, HttpRespond respond) { kept.push_back(std::move(respond)); });
  ClientOptions options = local();
  options.calls = 1;
  HttpClient client(io_, options);
  Reply first;
  client.request(post(url(), "x"), [&](Result<HttpReply> r) { first = std::move(r); });
  EXPECT_EQ(error_of(run(client, post(url(), "x"))), Errc::limit_exceeded);
  ASSERT_TRUE(run_until(io_, [&] { return !kept.empty(); }));
  kept[0]({});
  ASSERT_TRUE(run_until(io_, [&] { return first.has_value(); }));
  EXPECT_TRUE(first->has_value());
}

TEST_F(HttpClientTest, DestructionEndsCallsWithoutCallback) {
  std::vector<HttpRespond> kept;
  listen([&](const HttpRequest&, HttpRespond respond) { kept.push_back(std::move(respond)); });
  auto client = std::make_unique<HttpClient>(io_, local());
  int called = 0;
  for (int i = 0; i < 10; ++i) {
    client->request(post(url(), "x"), [&](const Result<HttpReply>&) { ++called; });
  }
  ASSERT_TRUE(run_until(io_, [&] { return !kept.empty(); }));
  client.reset();
  run_for(io_, 20ms);
  for (const HttpRespond& respond : kept) respond({});
  ASSERT_TRUE(run_until(io_, [&] { return server_->connection_count() == 0; }));
  EXPECT_EQ(called, 0);
}

TEST_F(HttpClientTest, MayBeDestroyedByItsCallback) {
  listen_echo();
  auto client = std::make_unique<HttpClient>(io_, local());
  bool called = false;
  client->request(post(url(), "x"), [&](const Result<HttpReply>&) {
    client.reset();
    called = true;
  });
  ASSERT_TRUE(run_until(io_, [&] { return called; }));
  run_for(io_, 5ms);
  EXPECT_EQ(client, nullptr);
}

}  // namespace
}  // namespace kith::node
