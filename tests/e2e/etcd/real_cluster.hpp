#pragma once

/// A real cluster, by its address, for programs that wait for each answer.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "ledger/etcd/etcd_ledger.hpp"
#include "node/runtime/etcd_ledgers.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {

class RealCluster {
 public:
  /// `url` without a path.
  explicit RealCluster(std::string url) : url_(std::move(url)), client_(io_, options()) {}

  [[nodiscard]] ledger::EtcdSession session(const std::string& prefix) const {
    return {must(ledger::EtcdAddress::parse(url_ + "/" + prefix)), std::nullopt};
  }
  [[nodiscard]] ledger::EtcdExchange exchange() {
    return [this](const ledger::EtcdQuestion& question) { return carry(question); };
  }
  /// Returns after that time.
  void wait(std::chrono::milliseconds time) {
    if (time.count() <= 0) return;
    bool over = false;
    boost::asio::steady_timer timer(io_, time);
    timer.async_wait([&](const boost::system::error_code&) { over = true; });
    run_until(over);
  }

 private:
  static node::ClientOptions options() {
    node::ClientOptions options;
    options.policy.allow_private = true;
    return options;
  }
  void run_until(const bool& over) {
    while (!over) {
      if (io_.stopped()) io_.restart();
      io_.run_one();
    }
  }
  Result<ledger::HttpReply> carry(const ledger::EtcdQuestion& question) {
    wait(question.wait);
    std::optional<Result<node::HttpReply>> reply;
    bool over = false;
    client_.request(node::call_of(question), [&](Result<node::HttpReply> got) {
      reply = std::move(got);
      over = true;
    });
    run_until(over);
    return node::reply_of(std::move(*reply));
  }

  std::string url_;
  boost::asio::io_context io_;
  node::HttpClient client_;
};

}  // namespace kith::test
