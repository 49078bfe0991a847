// Entries of logs as a ledger or a peer hands them over (ledger/entry.hpp): one spelling each.

#include "fuzz/target.hpp"
#include "ledger/entry.hpp"

namespace kith::fuzz {

Verdict log_entry(ByteView input) {
  const auto entry = ledger::parse_entry(input);
  if (!entry.has_value()) return Verdict::refused;
  const std::string text = written(std::string(crypto::as_text(ledger::entry_blob(*entry))));
  hold(text == crypto::as_text(input), "an entry has one spelling");
  hold(ledger::is_digest(ledger::entry_hash(*entry)), "its hash is a digest");
  hold(ledger::signed_message(*entry).size() == 12U + 32U, "what is signed has one length");
  for (const ledger::EntrySignature& signature : entry->sigs) {
    hold(ledger::signing_key(signature.k).has_value(), "signers are keys");
  }
  ledger::Entry unsigned_entry = *entry;
  unsigned_entry.sigs.clear();
  hold(ledger::entry_hash(unsigned_entry) == ledger::entry_hash(*entry),
       "signatures do not change the hash");
  return Verdict::accepted;
}

}  // namespace kith::fuzz
