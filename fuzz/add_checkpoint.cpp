// What strangers send a witness (ledger/add_checkpoint.hpp): requests in their one spelling, judged
// for a ledger that is watched. Nothing that is not signed by its key is ever to be cosigned.

#include "fuzz/target.hpp"
#include "ledger/witness.hpp"
#include "tests/support/ledger_kit.hpp"

namespace kith::fuzz {
namespace {

/// Nothing of it was cosigned yet.
ledger::WatchedLedger watched_ledger() {
  ledger::WatchedLedger watched;
  const ledger::LedgerDescriptor descriptor = test::ledger_descriptor();
  watched.descriptor = ledger::descriptor_json(descriptor);
  return watched;
}

}  // namespace

Verdict add_checkpoint(ByteView input) {
  static const ledger::WatchedLedger kWatched = watched_ledger();
  const auto request = ledger::parse_add_checkpoint(crypto::as_text(input));
  if (!request.has_value()) return Verdict::refused;
  hold(written(ledger::add_checkpoint_text(*request)) == crypto::as_text(input),
       "a request has one spelling");
  const auto judged = ledger::judge_add_checkpoint(*request, kWatched);
  if (!judged.has_value()) return Verdict::accepted;
  hold(request->old_size <= judged->checkpoint.size, "the old size is not larger");
  const ledger::LedgerDescriptor ledger =
      must(ledger::parse_descriptor(kWatched.descriptor), "own");
  const auto opened = must(ledger::open_checkpoint(written(judged->note), ledger), "kept note");
  hold(opened.checkpoint == judged->checkpoint, "what is kept is what was judged");
  if (judged->verdict == ledger::WitnessVerdict::cosign) {
    hold(request->old_size == 0 && request->consistency.empty(), "it begins where it was cosigned");
  }
  return Verdict::accepted;
}

}  // namespace kith::fuzz
