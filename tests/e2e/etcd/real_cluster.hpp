#pragma once

/// A real cluster, by its address, for programs that wait for each answer.

#include <string>
#include <utility>

#include "ledger/etcd/etcd_ledger.hpp"
#include "tests/e2e/http_way.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {

class RealCluster {
 public:
  /// `url` without a path.
  explicit RealCluster(std::string url) : url_(std::move(url)) {}

  [[nodiscard]] ledger::EtcdSession session(const std::string& prefix) const {
    return {must(ledger::EtcdAddress::parse(url_ + "/" + prefix)), std::nullopt};
  }
  [[nodiscard]] ledger::JobExchange exchange() {
    return [this](const ledger::JobQuestion& question) { return carry(question); };
  }
  void wait(std::chrono::milliseconds time) { way_.wait(time); }

 private:
  Result<ledger::HttpReply> carry(const ledger::JobQuestion& question) {
    way_.wait(question.wait);
    return way_.carry(question);
  }

  std::string url_;
  HttpWay way_;
};

}  // namespace kith::test
