#include "recovery/super_judge.hpp"

#include <algorithm>

#include "crypto/limits.hpp"
#include "ledger/log_rules.hpp"
#include "ledger/log_writer.hpp"
#include "ledger/proposal_limits.hpp"
#include "ledger/strict_json.hpp"

namespace kith::recovery {
namespace {

using ledger::Entry;
using ledger::LogRecord;

/// The entry that would be followed; nullptr: none that counts.
const LogRecord* fork_of(const ledger::LogView& view, const Entry& entry) {
  if (entry.n == 0 || entry.n > view.history.size()) return nullptr;
  const LogRecord& fork = view.history[static_cast<std::size_t>(entry.n) - 1];
  return fork.hash == entry.prev && fork.entry->content ? &fork : nullptr;
}

Result<void> check_size(const Entry& entry) {
  const std::size_t bytes =
      ledger::entry_blob(entry).size() + entry.reveal->t * ledger::proposal_limits::kSignatureBytes;
  if (bytes > limits::kEntryBytesMax) {
    return fail(Errc::limit_exceeded, "with all signatures the entry would be too long");
  }
  return {};
}

/// Too few signatures is the last thing that the rule of a recover finds.
Result<void> dry_run(const SuperGround& ground, const Entry& entry) {
  std::vector<ledger::AnchoredBlob> blobs(ground.blobs.begin(), ground.blobs.end());
  const std::string& there = ground.options.ledger;
  blobs.push_back({ledger::entry_blob(entry), ground.options.now, there});
  TRY(const ledger::LogView after, ledger::read_log(entry.id, blobs, ground.options));
  for (const ledger::JunkEntry& junk : after.junk) {
    if (junk.position + 1 != blobs.size()) continue;
    const bool lacks_signatures =
        junk.rule == ledger::Rule::recover && junk.detail == ledger::kTooFewSignatures;
    return lacks_signatures ? Result<void>() : fail(Errc::invalid_entry, junk.detail);
  }
  return fail(Errc::invalid_entry, "the log would not take it");
}

std::string day(ledger::AnchorTime time) {
  return ledger::utc_text(time);
}

std::string replaced_text(const ledger::LogView& view, std::size_t first) {
  std::string text;
  for (std::size_t i = first; i < view.history.size(); ++i) {
    const LogRecord& record = view.history[i];
    text += (text.empty() ? "" : ", ") + std::string(ledger::op_name(record.entry->op)) + " of " +
            day(record.anchored);
  }
  return text;
}

}  // namespace

Result<void> check_super_entry(const SuperGround& ground, const Entry& entry,
                               std::string_view key) {
  if (entry.op != ledger::Op::recover || !entry.content || !entry.reveal) {
    return fail(Errc::unsupported, "not a recovery");
  }
  if (!entry.sigs.empty()) return fail(Errc::refused, "it bears signatures already");
  const LogRecord* fork = fork_of(ground.view, entry);
  if (fork == nullptr) {
    return fail(Errc::invalid_entry, "it does not follow an entry that counts in the log");
  }
  const ledger::RecoveryRule& rule = fork->entry->content->rec;
  if (!rule.hi || ledger::recovery_digest(*entry.reveal) != *rule.hi) {
    return fail(Errc::refused, "it is not by the super-quorum of that log");
  }
  if (!ledger::contains(entry.reveal->k, key)) {
    return fail(Errc::refused, "this agent has no key in that super-quorum");
  }
  if (entry.content->rec.delay != rule.delay || entry.content->rec.contest != rule.contest) {
    return fail(Errc::refused, "it changes the waiting times of the log");
  }
  if (entry.content->rec.hi) {
    return fail(Errc::refused, "it names another super-quorum: one is chosen with its holders");
  }
  if (entry.content->ledgers != fork->entry->content->ledgers) {
    return fail(Errc::refused, "it takes the log to other ledgers");
  }
  CHECK(check_size(entry));
  return dry_run(ground, entry);
}

ledger::ProposalWords super_words(const SuperGround& ground, const Entry& entry) {
  const ledger::LogView& view = ground.view;
  const LogRecord* fork = fork_of(view, entry);
  ledger::ProposalWords words;
  const bool is_policy = view.kind == ledger::Kind::policy;
  const std::string what = is_policy ? "the policy (who may act for them)" : "the public DID";
  words.changes.push_back("Takes " + what + " back to its entry " + std::to_string(entry.n - 1) +
                          " of " + day(fork->anchored) + ", and gives it new keys.");
  const std::string replaced = replaced_text(view, static_cast<std::size_t>(entry.n));
  if (!replaced.empty())
    words.changes.push_back("Replaces what came after that: " + replaced + ".");
  if (view.pending) {
    words.changes.push_back("Takes the place of a recovery that waits until " +
                            day(view.pending->record.effective_from) + ".");
  }
  auto states = ledger::words_of(view.kind, view.current.state, entry.content->state, {});
  std::ranges::move(states.changes, std::back_inserter(words.changes));
  words.warnings = std::move(states.warnings);
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(view.delay_in_force).count();
  words.changes.push_back("Counts " + std::to_string(hours) +
                          " hours after it is posted, unless whoever holds the next keys and the "
                          "recovery keys of that entry objects until then.");
  if (replaced.empty() && !view.pending) {
    words.warnings.push_back(
        "Nothing in this log waits or would be replaced. Ask why they need you.");
  }
  if (view.pending && view.pending->record.super_quorum) {
    words.warnings.emplace_back(
        "A recovery by the super-quorum waits already: this one comes too late.");
  }
  return words;
}

}  // namespace kith::recovery
