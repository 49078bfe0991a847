#pragma once

/// The host's side of a ledger over HTTP (http.hpp). Strict: unknown paths, members and parameters
/// are refused, and appends are limited per minute (limits::kLedgerAppendsPerMinute). What it tells
/// is proven against the checkpoint that it signs (prover.hpp).

#include <cstdint>
#include <optional>
#include <string_view>

#include "ledger/prover.hpp"
#include "ledger/remote/http.hpp"

namespace kith::ledger {

class LedgerService {
 public:
  /// `ledger` outlives the service.
  LedgerService(TreeLedger& ledger, LedgerProver::Sign sign)
      : ledger_(ledger), prover_(ledger, std::move(sign)) {}

  /// Is this path ours?
  [[nodiscard]] static bool handles(std::string_view target);
  [[nodiscard]] HttpReply handle(const HttpQuestion& question, AnchorTime now);

 private:
  class Query;  ///< The parameters of a request.

  [[nodiscard]] Result<HttpReply> answer(const HttpQuestion& question, AnchorTime now);
  [[nodiscard]] Result<HttpReply> get(std::string_view path, Query& query);
  [[nodiscard]] Result<HttpReply> get_proof(std::string_view kind, Query& query);
  [[nodiscard]] Result<HttpReply> page(LedgerPage page, std::optional<std::uint64_t> seen);
  [[nodiscard]] Result<HttpReply> append(std::string_view subject, const HttpQuestion& question,
                                         AnchorTime now);
  [[nodiscard]] bool admit(AnchorTime now);

  TreeLedger& ledger_;
  LedgerProver prover_;
  AnchorTime window_start_{};
  std::uint32_t appends_in_window_ = 0;
};

}  // namespace kith::ledger
