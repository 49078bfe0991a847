#pragma once

/// The host's side of a ledger over HTTP (http.hpp). Strict: unknown paths, members and parameters
/// are refused, and appends are limited per minute (limits::kLedgerAppendsPerMinute).

#include <cstdint>
#include <string_view>

#include "ledger/ledger.hpp"
#include "ledger/remote/http.hpp"

namespace kith::ledger {

class LedgerService {
 public:
  /// `ledger` outlives the service.
  explicit LedgerService(Ledger& ledger) : ledger_(ledger) {}

  /// Is this path ours?
  [[nodiscard]] static bool handles(std::string_view target);
  [[nodiscard]] HttpReply handle(const HttpQuestion& question, AnchorTime now);

 private:
  [[nodiscard]] Result<HttpReply> answer(const HttpQuestion& question, AnchorTime now);
  [[nodiscard]] Result<HttpReply> append(std::string_view subject, const HttpQuestion& question,
                                         AnchorTime now);
  [[nodiscard]] bool admit(AnchorTime now);

  Ledger& ledger_;
  AnchorTime window_start_{};
  std::uint32_t appends_in_window_ = 0;
};

}  // namespace kith::ledger
