#pragma once

/// The address of a ledger on a chain:
///
///     evm://HOST[:PORT]/CHAIN/CONTRACT[?confirmations=K][&from=BLOCK]     evms:// with TLS
///
/// HOST answers Ethereum's JSON-RPC at "/", on port 8545 if none is named. CHAIN is the chain's
/// number (EIP-155), CONTRACT the address of a KithLog (EIP-55). A block is final when K others
/// were built on it; without K, when the chain says so ("finalized"). BLOCK is where reading
/// begins: that of the contract or any before it.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ledger/evm/account.hpp"

namespace kith::ledger::evm {

/// "evm:" or "evms:".
[[nodiscard]] bool is_url(std::string_view url);

struct Location {
  bool secure = false;
  std::string server;  ///< "host:port".
  std::uint64_t chain = 0;
  std::optional<Account> contract;             ///< nullopt: there is none yet.
  std::optional<std::uint64_t> confirmations;  ///< nullopt: what the chain says is final.
  std::uint64_t from = 0;

  /// Errors: bad_url.
  [[nodiscard]] static Result<Location> parse(std::string_view url);
  /// The same without "/CONTRACT": a chain to make one on. Errors: bad_url.
  [[nodiscard]] static Result<Location> parse_chain(std::string_view url);
  /// What it was parsed from, in its one spelling.
  [[nodiscard]] std::string url() const;
  /// "http://host:port/", or https.
  [[nodiscard]] std::string rpc_url() const;
  /// Of the ledger's descriptor: "kith.evm/CHAIN/CONTRACT/finalized", or the confirmations. Readers
  /// with another rule of finality may see another order, so theirs is another ledger.
  [[nodiscard]] std::string origin() const;
  friend bool operator==(const Location&, const Location&) = default;
};

}  // namespace kith::ledger::evm
