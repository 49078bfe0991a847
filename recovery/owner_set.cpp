#include "recovery/owner_set.hpp"

#include "crypto/assert.hpp"

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

std::optional<OwnerSet> owner_set(Host& host) {
  return load<OwnerSet>(host, "recovery-record", "set");
}

void save_set(Host& host, const OwnerSet& set) {
  save(host, "recovery-record", "set", set);
}

}  // namespace kith::recovery
