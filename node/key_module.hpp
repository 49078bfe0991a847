#pragma once

/// Module "keys": what the owner sees and decides of single keys. The inventory itself is kept at
/// every commit (key_inventory.hpp); states and uses are held by the guard (key_guard.hpp).
///
/// A key is named by its id, or by an end or a beginning of it that no other has (6 characters).
///
/// Commands (arguments -> reply; `!` needs the passphrase where the key's successor lies in the
/// vault):
///   keys-list         {state?} -> {keys: [{id, kind, state, of, made, due?, uses}], counts}
///                     states "destroyed" and "destroyed-compromised" list what is gone
///   keys-show         {key} -> the same of one, with its dates, origin and rules
///   keys-at-risk      {} -> {keys: [{..., why: [text]}]}: overdue, due within 30 days, used too
///                     often, compromised, suspended, or of an algorithm that ends
///   keys-impact       {key} -> {id, kind, state, affects: [{what, id, name?}], steps: [text],
///                     grants: [text]}
///   keys-compromised! {key, reason?} -> as keys-impact, with {rotated: [text]}: marks the key, and
///                     replaces it by the flow that there is for its kind, here or as a step that
///                     `steps` names
///   keys-rotate       {contact} -> {id, state}: new keys of this device towards a contact
///   keys-suspend      {key, reason?} -> {id, state}; keys-renew {key} -> {id, state}
///   keys-destroy      {key, reason?} -> {id, state}. Errors: wrong_state (grants remain), refused
///                     (keys that change a ledger: vetoes may need them)
/// Errors of all: not_found, conflict (several keys end or begin so), wrong_state (no such step).
///
/// Once a day the crypto-periods are looked at: keys of relationships are replaced by themselves,
/// kRotatedAtOnce a time; of others that are due the owner is told, once (notice "keys"). The old
/// keys of a relationship stay until a day after the contact has confirmed the new ones, to the new
/// keys, which shows that they work. What was found stands in meta/key-review, for `kith status`.

#include "protocol/module.hpp"

namespace kith::node {

class KeyModule final : public Module {
 public:
  std::string_view name() const override { return "keys"; }
  std::vector<std::string> commands() const override;
  bool only_reads(std::string_view command) const override;
  Result<JsonObject> on_command(Host& host, const Command& command) override;
  void on_start(Host& host) override;
  void on_timer(Host& host, std::string_view timer) override;
};

/// What the last look at the crypto-periods found.
struct KeyReview {
  std::uint64_t overdue = 0;
  std::uint64_t due_soon = 0;
  Time at{};
  std::vector<std::string> told;  ///< Keys of which the owner was told.
  template <class V>
  void visit(V& v) {
    v("overdue", overdue), v("due_soon", due_soon), v("at", at), v("told", told);
  }
};
[[nodiscard]] std::optional<KeyReview> key_review(Host& host);

}  // namespace kith::node
