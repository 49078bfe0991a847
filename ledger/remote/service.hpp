#pragma once

/// The host's side of a ledger over HTTP (http.hpp). Strict: unknown paths, members and parameters
/// are refused, and appends are limited per minute (limits::kLedgerAppendsPerMinute). What it tells
/// is proven against the checkpoint that it signs (prover.hpp).
///
/// An entry of a ledger that asks for witnesses is kept at once, and told to its writer as done
/// when enough of them have seen it: until then the answer is 503 with ledger.not_witnessed.
/// Whoever carries the answer may wait and ask for another one: appended().
///
/// Appends of several that wait at the same time share one synced write (TreeLedger): begin() each,
/// flush the ledger once, then finish() each.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "ledger/prover.hpp"
#include "ledger/remote/cosigning.hpp"
#include "ledger/remote/http.hpp"

namespace kith::ledger {

/// 503, worth another try: there is nothing to answer with yet.
[[nodiscard]] HttpReply unavailable_reply(const std::string& why);

class LedgerService {
 public:
  /// `ledger` outlives the service. `witnesses`: where those of the ledger are asked.
  LedgerService(TreeLedger& ledger, LedgerProver::Sign sign,
                std::vector<WitnessAddress> witnesses = {})
      : ledger_(ledger), prover_(ledger, std::move(sign)), witnesses_(std::move(witnesses)) {}
  /// Of a copy: it only reads. `origin`: the address of the ledger itself.
  LedgerService(TreeLedger& copy, std::string origin)
      : ledger_(copy), prover_(copy, {}), origin_(std::move(origin)) {}

  /// Is this path ours?
  [[nodiscard]] static bool handles(std::string_view target);
  /// begin(), flush and finish() in one.
  [[nodiscard]] HttpReply handle(const HttpQuestion& question, AnchorTime now,
                                 std::optional<std::uint64_t>* awaits = nullptr);

  /// What an append came to, which nobody may hear of before the ledger's flush.
  struct StagedAppend {
    Result<AppendOutcome> outcome;
  };
  using Begun = std::variant<HttpReply, StagedAppend>;
  [[nodiscard]] Begun begin(const HttpQuestion& question, AnchorTime now);
  /// `synced`: what the flush said. `awaits` gets the position of an entry that was appended and
  /// waits for witnesses.
  [[nodiscard]] HttpReply finish(const StagedAppend& append, const Result<void>& synced,
                                 std::optional<std::uint64_t>* awaits = nullptr);
  /// The answer to the append of the entry there, as it is now.
  [[nodiscard]] HttpReply appended(std::uint64_t position);

 private:
  class Query;  ///< The parameters of a request.

  [[nodiscard]] Result<Begun> answer(const HttpQuestion& question, AnchorTime now);
  [[nodiscard]] Result<HttpReply> get(std::string_view path, Query& query);
  [[nodiscard]] Result<HttpReply> get_proof(std::string_view kind, Query& query);
  [[nodiscard]] Result<HttpReply> page(LedgerPage page, std::optional<std::uint64_t> seen);
  [[nodiscard]] Result<Begun> append(std::string_view subject, const HttpQuestion& question,
                                     AnchorTime now);
  [[nodiscard]] Result<HttpReply> outcome_reply(const StagedAppend& append);
  [[nodiscard]] Result<HttpReply> appended_reply(const Appended& appended);
  [[nodiscard]] bool admit(AnchorTime now);

  /// Whoever has seen more elsewhere is not told of less: it would look like a step back.
  [[nodiscard]] Result<void> check_seen(std::uint64_t seen) const;

  TreeLedger& ledger_;
  LedgerProver prover_;
  std::vector<WitnessAddress> witnesses_;
  std::string origin_;  ///< Empty: this is the ledger itself.
  AnchorTime window_start_{};
  std::uint32_t appends_in_window_ = 0;
};

}  // namespace kith::ledger
