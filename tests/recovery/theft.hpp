#pragma once

/// What thieves and guardians do to the logs of a neighbourhood's owner (device_world.hpp).

#include <algorithm>
#include <string>
#include <vector>

#include "ledger/log_writer.hpp"
#include "protocol/vault.hpp"
#include "recovery/finish_sign.hpp"
#include "recovery/vault_keys.hpp"
#include "tests/recovery/device_world.hpp"

namespace kith::recovery::testing {

inline std::vector<ledger::AnchoredBlob> on_ledger(LostDevice& world, const std::string& subject) {
  std::vector<ledger::AnchoredBlob> blobs;
  const auto page = world.log_ledger->read(subject, 0);
  for (const auto& entry : page->entries) blobs.push_back({entry.blob, entry.time});
  return blobs;
}
inline ledger::LogView view_of(LostDevice& world, const std::string& subject) {
  const ledger::ReaderOptions options{ledger::anchor_time(world.net.now()), true};
  return ledger::read_log(subject, on_ledger(world, subject), options).value();
}
inline void post(LostDevice& world, const std::string& subject, const Bytes& blob) {
  ledger::AppendRequest request{subject, blob, view_of(world, subject).head().hash};
  const auto posted = world.log_ledger->append(request, ledger::anchor_time(world.net.now()));
  ASSERT_TRUE(posted.has_value()) << posted.error().detail;
}

/// The thief has device and passphrase, and takes the log to keys of his own.
inline void steal(LostDevice& world, const std::string& subject) {
  const auto planned = world.owner.look([&](Host& host) {
    const SealedKey vault = protocol::open_vault(host, world.owner.step_up()).value();
    const auto blobs = on_ledger(world, subject);
    const Json state = view_of(world, subject).current.state;
    return plan_log(host, vault, subject, blobs, state).value().entries;
  });
  for (const PlannedEntry& entry : planned) post(world, subject, entry.blob);
}

/// The keys that the thief's vault holds for the fork point of a pending recover.
inline void veto(LostDevice& world, const std::string& subject) {
  const auto view = view_of(world, subject);
  ASSERT_TRUE(view.pending.has_value());
  const auto& fork = *view.history[static_cast<std::size_t>(view.pending->fork_n)].entry->content;
  const Bytes blob = world.owner.look([&](Host& host) {
    const SealedKey vault = protocol::open_vault(host, world.owner.step_up()).value();
    ledger::Entry entry = ledger::make_veto(view, ledger::anchor_time(world.net.now())).value();
    std::vector<KeyPair> keys;
    for (const auto& item : protocol::vault_items_of(host, subject, protocol::VaultUse::log_next)) {
      const auto& kd = fork.next.kd;
      if (std::ranges::find(kd, ledger::key_digest(item.id)) == kd.end()) continue;
      keys.push_back(protocol::open_vault_item(host, vault, item.id).value());
    }
    EXPECT_TRUE(ledger::add_signatures(entry, keys, fork.next.t, host.keys()).has_value());
    return ledger::entry_blob(entry);
  });
  post(world, subject, blob);
}

/// Which next keys an entry of others announces.
enum class Announces { keys_of_theirs, what_the_owner_announced };

/// Guardians who act together have opened the vault: they recover the log to keys of their own.
inline void recover_as_guardians(LostDevice& world, const std::string& subject,
                                 Announces announces = Announces::keys_of_theirs) {
  const auto view = view_of(world, subject);
  const Bytes blob = world.owner.look([&](Host& host) {
    const SealedKey vault = protocol::open_vault(host, world.owner.step_up()).value();
    const auto authority = held_authority(host, vault, subject, view.current.rec.d).value();
    const auto keys = ledger::generate_log_keys(host.keys(), host.random()).value();
    ledger::LogContent content =
        ledger::make_content(keys, view.current.ledgers, view.current.state);
    content.rec.delay = view.current.rec.delay;
    content.rec.contest = view.current.rec.contest;
    if (announces == Announces::what_the_owner_announced) content.next = view.current.next;
    ledger::Entry entry = ledger::make_recover(view, view.n(), authority.reveal, content,
                                               ledger::anchor_time(world.net.now()))
                              .value();
    EXPECT_TRUE(ledger::add_signatures(entry, authority.pairs, authority.reveal.t, host.keys())
                    .has_value());
    return ledger::entry_blob(entry);
  });
  post(world, subject, blob);
}

}  // namespace kith::recovery::testing
