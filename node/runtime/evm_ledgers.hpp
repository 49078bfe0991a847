#pragma once

/// Ledgers on chains: carries the questions of ledger/evm over HTTP, without waiting for any of
/// them. One session for each address, so that transactions on their way are known.
///
/// The home has one account that pays on all chains: a key of its own behind KeyOps, made when it
/// is first needed, in the record meta/ledger-account.

#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "crypto/key_ops.hpp"
#include "ledger/evm/evm_effects.hpp"
#include "node/runtime/job_carrier.hpp"
#include "protocol/store.hpp"

namespace kith::node {

class EvmLedgers {
 public:
  using OnDeployed = std::function<void(Result<JsonObject>)>;

  /// All references outlive it. `test_mode`: test logs are taken.
  EvmLedgers(boost::asio::io_context& io, HttpClient& client, protocol::Store& store,
             crypto::KeyOps& keys, bool test_mode);

  /// A ledger effect for the URL `url`; `submit` gets its one result, at once or later.
  void perform(const protocol::Effect& effect, const std::string& url, OnEffectResult submit);
  /// Makes a contract on the chain of `url` (evm://HOST/CHAIN): {account, block, contract, ledger:
  /// its URL}. Errors: bad_url, of the store, those of evm::Deploy.
  void deploy(const std::string& url, OnDeployed done);
  /// Command ledger-account: {account}. Errors: of the store.
  [[nodiscard]] Result<JsonObject> account();

 private:
  [[nodiscard]] Result<ledger::evm::Signer> signer();
  [[nodiscard]] Result<std::shared_ptr<ledger::evm::Session>> session(const std::string& url);

  boost::asio::io_context& io_;
  HttpClient& client_;
  protocol::Store& store_;
  crypto::KeyOps& keys_;
  bool test_mode_;
  std::map<std::string, std::shared_ptr<ledger::evm::Session>> sessions_;
};

}  // namespace kith::node
