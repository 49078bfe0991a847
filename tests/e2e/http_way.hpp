#pragma once

/// Carries questions to real servers, for programs that wait for each answer.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <utility>

#include "node/runtime/job_carrier.hpp"

namespace kith::test {

class HttpWay {
 public:
  HttpWay() : client_(io_, options()) {}

  /// At once, whatever the question says.
  [[nodiscard]] Result<ledger::HttpReply> carry(const ledger::JobQuestion& question) {
    std::optional<Result<node::HttpReply>> reply;
    client_.request(node::call_of(question),
                    [&](Result<node::HttpReply> got) { reply = std::move(got); });
    while (!reply) run_one();
    return node::reply_of(std::move(*reply));
  }
  /// Returns after that time.
  void wait(std::chrono::milliseconds time) {
    if (time.count() <= 0) return;
    bool over = false;
    boost::asio::steady_timer timer(io_, time);
    timer.async_wait([&](const boost::system::error_code&) { over = true; });
    while (!over) run_one();
  }

 private:
  static node::ClientOptions options() {
    node::ClientOptions options;
    options.policy.allow_private = true;
    return options;
  }
  void run_one() {
    if (io_.stopped()) io_.restart();
    io_.run_one();
  }

  boost::asio::io_context io_;
  node::HttpClient client_;
};

}  // namespace kith::test
