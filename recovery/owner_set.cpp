#include "recovery/owner_set.hpp"

#include <algorithm>

#include "crypto/assert.hpp"
#include "recovery/vouch.hpp"

namespace kith::recovery {

std::string_view step_name(SetStep step) {
  switch (step) {
    case SetStep::offering:
      return "asking trustees";
    case SetStep::storing:
      return "storing the backup";
    case SetStep::anchoring:
      return "anchoring";
    case SetStep::committing:
      return "confirming with trustees";
    case SetStep::done:
      return "done";
  }
  UNREACHABLE();
}

std::string_view step_name(TrusteeStep step) {
  switch (step) {
    case TrusteeStep::offered:
      return "asked";
    case TrusteeStep::declined:
      return "declined";
    case TrusteeStep::preparing:
      return "agreed";
    case TrusteeStep::prepared:
      return "holds a share";
    case TrusteeStep::committed:
      return "ready";
  }
  UNREACHABLE();
}

void mark_stored(OwnerSet& set, Time now) {
  set.stored_counter = set.backup_counter;
  set.stored_core = set.sealed_core;
  set.stored = now;
}

Result<Bytes> head_for(const OwnerSet& set, std::size_t leaf, Random& random) {
  HeadContents contents{set.stored_counter, {}};
  if (contents.counter == 0 || set.stored_core.size() != contents.core_digest.size())
    return Bytes{};
  std::copy(set.stored_core.begin(), set.stored_core.end(), contents.core_digest.begin());
  TRY(const SecretPoint key, recovery_key_of(set.record));
  const auto& to = set.record.leaves[leaf];
  return seal_head(key, to.r, to.record_id, contents, random);
}

std::optional<OwnerSet> owner_set(Host& host) {
  return load<OwnerSet>(host, "recovery-record", "set");
}

void save_set(Host& host, const OwnerSet& set) {
  save(host, "recovery-record", "set", set);
}

void erase_set(Host& host) {
  host.erase({"recovery-record", "set"});
}

}  // namespace kith::recovery
