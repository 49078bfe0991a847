#pragma once

/// Ledger effects (protocol/effect.hpp) performed: on a ledger of this process, or by HTTP.
///
/// For effects of kind ledger_append, ledger_read, and fetch of a descriptor. Results are complete:
/// the record that the effect's owner expects, or an error with `retry` where another try may help.
/// A stale head is a result (LedgerAppended::stale); an unknown outcome is an error to retry, since
/// appends are idempotent.

#include <string_view>

#include "ledger/ledger.hpp"
#include "ledger/prover.hpp"
#include "ledger/remote/http.hpp"
#include "ledger/remote/page_json.hpp"
#include "protocol/effect.hpp"

namespace kith::ledger {

/// The ledger's URL that the effect is for; empty for other effects. Of a fetch: the URL without
/// "/ledger/descriptor", empty if it ends in something else.
[[nodiscard]] std::string ledger_of(const protocol::Effect& effect);

/// With a prover of the same ledger, results come with the proofs that a host would give.
[[nodiscard]] protocol::EffectResult perform_on(Ledger& ledger, const protocol::Effect& effect,
                                                AnchorTime now, LedgerProver* prover = nullptr);

/// Errors: bad_url, malformed (a payload that does not decode), unsupported (another kind).
[[nodiscard]] Result<HttpQuestion> question_of(const protocol::Effect& effect);
/// `reply`: what came back, or why nothing did (then the effect is retried).
[[nodiscard]] protocol::EffectResult result_of(const protocol::Effect& effect,
                                               const Result<HttpReply>& reply);

/// Results of effects that were performed otherwise; the effect is of the kind that they name.
[[nodiscard]] protocol::EffectResult append_result(const protocol::Effect& effect,
                                                   const Result<AppendOutcome>& outcome);
[[nodiscard]] protocol::EffectResult read_result(const protocol::Effect& effect,
                                                 const Result<LedgerPage>& page);
/// A page as the record that owners of reads expect.
[[nodiscard]] protocol::LedgerEntries entries_record(const ProvenPage& proven);
[[nodiscard]] protocol::EffectResult descriptor_result(const protocol::Effect& effect,
                                                       const Result<LedgerDescriptor>& descriptor);

}  // namespace kith::ledger
