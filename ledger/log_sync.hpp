#pragma once

/// Telling contacts of new entries, and taking theirs. Used by connection.cpp alone; send_sync and
/// its kin are declared in connection.hpp.

#include <cstdint>
#include <string>
#include <string_view>

#include "ledger/log_reader.hpp"
#include "protocol/contact.hpp"
#include "protocol/module.hpp"

namespace kith::ledger {

/// Collection `log-sync`, by contact id: how far the contact knows our log.
struct SyncState {
  std::uint64_t confirmed = 0;  ///< Blobs that they have.
  std::uint64_t sent = 0;       ///< Blobs that they have once `message_id` is confirmed.
  std::string message_id;       ///< Of the last sync.
  std::uint32_t tries = 0;
  template <class V>
  void visit(V& v) {
    v("confirmed", confirmed), v("sent", sent), v("message_id", message_id), v("tries", tries);
  }
};

/// The contact has our log as it is now (it came with the handshake).
void note_synced(Host& host, const Contact& contact);
void repeat_sync(Host& host, std::string_view contact_id);
void on_sync_sent(Host& host, std::string_view contact_id);

[[nodiscard]] Result<void> on_sync(Host& host, const Inbound& inbound);
[[nodiscard]] Result<void> on_sync_ack(Host& host, const Inbound& inbound);
/// Where we are reached has changed: our logs towards people say so from now on, if the keys to
/// change them are here.
void announce_address(Host& host);
/// A pending recover of a peer's log may have taken effect.
void reread_log(Host& host, std::string_view did);

}  // namespace kith::ledger
