#pragma once

/// Ledgers in etcd clusters: carries the questions of ledger/etcd over HTTP, without waiting for
/// any of them. One session for each address, so that a token and the server that answers are found
/// once.
///
/// The name and password come from a file (`--ledger-login`) and are kept, sealed, in the record
/// meta/ledger-login. They are shown to the servers that they name and to no others.

#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "crypto/random.hpp"
#include "ledger/etcd/etcd_effects.hpp"
#include "node/runtime/job_carrier.hpp"
#include "protocol/store.hpp"

namespace kith::node {

/// The kept login, after that of `file` was kept if one is named. Errors: io (the file cannot be
/// read), refused (others may read it), malformed, bad_url, storage errors.
[[nodiscard]] Result<std::optional<ledger::EtcdLogin>> ledger_login(protocol::Store& store,
                                                                    const std::string& file);

class EtcdLedgers {
 public:
  /// All references outlive it. `test_mode`: test logs are taken.
  EtcdLedgers(boost::asio::io_context& io, HttpClient& client, Random& random,
              std::optional<ledger::EtcdLogin> login, bool test_mode);

  /// A ledger effect for the etcd URL `url`; `submit` gets its one result, at once or later.
  void perform(const protocol::Effect& effect, const std::string& url, OnEffectResult submit);

 private:
  [[nodiscard]] Result<std::shared_ptr<ledger::EtcdSession>> session(const std::string& url);

  boost::asio::io_context& io_;
  HttpClient& client_;
  Random& random_;
  std::optional<ledger::EtcdLogin> login_;
  bool test_mode_;
  std::map<std::string, std::shared_ptr<ledger::EtcdSession>> sessions_;
};

}  // namespace kith::node
