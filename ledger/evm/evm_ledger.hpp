#pragma once

/// The plug (ledger.hpp) over a contract on a chain, for callers that wait: jobs driven over a seam
/// that carries one question and brings its answer. The node drives the same jobs without waiting
/// (evm_effects.hpp).
///
/// Anchor times are those of blocks. Positions have gaps. What is not final is not there.

#include <functional>
#include <memory>

#include "ledger/evm/jobs.hpp"

namespace kith::ledger {

class EvmLedger final : public Ledger {
 public:
  /// `test_mode`: test logs are taken. Errors: those of evm::Describe.
  [[nodiscard]] static Result<std::unique_ptr<EvmLedger>> open(evm::Session session,
                                                               JobExchange exchange,
                                                               bool test_mode);

  [[nodiscard]] const LedgerDescriptor& descriptor() const override { return descriptor_; }
  /// Also: those of evm::Append.
  [[nodiscard]] Result<AppendOutcome> append(const AppendRequest& request, AnchorTime now) override;
  [[nodiscard]] Result<LedgerPage> read(std::string_view subject, std::uint64_t from) override;
  [[nodiscard]] Result<LedgerPage> follow(std::uint64_t position, std::size_t max) override;

 private:
  EvmLedger(evm::Session session, JobExchange exchange, bool test_mode)
      : session_(std::move(session)), exchange_(std::move(exchange)), test_mode_(test_mode) {}

  evm::Session session_;
  JobExchange exchange_;
  bool test_mode_;
  LedgerDescriptor descriptor_;
};

}  // namespace kith::ledger
