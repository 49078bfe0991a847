#pragma once

/// What the owner chooses for a new set, and the set dealt from it. Internal to the module
/// "recovery" (owner_setup.hpp).

#include <map>
#include <string>
#include <vector>

#include "protocol/contact.hpp"
#include "protocol/module.hpp"
#include "recovery/owner_set.hpp"

namespace kith::recovery {

/// What the owner chose for all trustees alike.
struct Choices {
  Plan plan;                      ///< Of contact ids; no trustee has two leaves.
  bool one_is_enough = false;     ///< The owner knows that one trustee alone can do everything.
  std::vector<Contact> trustees;  ///< By leaf.
  Terms terms;
  std::string text;
  std::map<std::string, std::string> questions;  ///< By contact id: never one for two trustees.
};
/// Arguments of recovery-setup. Errors: usage, malformed, limit_exceeded, unknown_peer,
/// wrong_state.
[[nodiscard]] Result<Choices> read_choices(Host& host, const JsonObject& args);

/// A new set, dealt and not yet sent; its retire keys are put into the vault. `vault` is open.
/// Errors: wrong_state (no identity, vault or mediator), those of make_set.
[[nodiscard]] Result<OwnerSet> deal_owner_set(Host& host, const Choices& choices,
                                              const SealedKey& vault);

}  // namespace kith::recovery
