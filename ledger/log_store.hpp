#pragma once

/// Logs that this node keeps: its own, its peers' microledgers, and those it watches. One record
/// per subject (collection `log`), blobs in the order of their ledger (or, for a microledger, of
/// receipt). The reader judges them; this file only keeps them.
///
/// Active private keys of own logs are records of collection `log-key`, by Multikey. They never
/// enter a backup: a recovered device makes new ones.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/log_reader.hpp"
#include "protocol/host.hpp"

namespace kith::ledger {

struct StoredBlob {
  Bytes blob;
  Time anchored{};
  std::string ledger =
      {};  ///< Id of the one it comes from; set in logs that moved, and there alone.
  std::optional<std::vector<std::string>> witnessed = {};  ///< Words of witnesses.
  std::optional<bool> unseen = {};  ///< Its ledger does not show it; `anchored`: first sight.
  template <class V>
  void visit(V& v) {
    v("blob", blob), v("anchored", anchored), v("ledger", ledger);
    v("witnessed", witnessed), v("unseen", unseen);
  }
};
[[nodiscard]] AnchoredBlob anchored_blob(const StoredBlob& stored);
[[nodiscard]] StoredBlob stored_blob(const AnchoredBlob& blob);
/// As a ledger showed it.
[[nodiscard]] StoredBlob stored_blob(protocol::AnchoredBlob shown, std::string ledger = {});

/// Adds the descriptors, as far as they are known here, of the ledgers by whose witnesses some of
/// the blobs may be judged.
void add_descriptors(Host& host, ReaderOptions& options, std::span<const AnchoredBlob> blobs);

struct StoredLog {
  std::vector<StoredBlob> blobs;
  template <class V>
  void visit(V& v) {
    v("blobs", blobs);
  }
};

[[nodiscard]] inline AnchorTime anchor_time(Time time) {
  return anchor_time_ms(protocol::epoch_ms(time));
}

[[nodiscard]] std::vector<AnchoredBlob> stored_blobs(Host& host, std::string_view subject);
/// Keeps these blobs in the place of what was kept.
void store_blobs(Host& host, std::string_view subject, const std::vector<AnchoredBlob>& blobs);
/// Adds words of witnesses to a kept blob, those that are new. False: nothing was.
bool add_words(Host& host, std::string_view subject, ByteView blob,
               const std::vector<WitnessTime>& words);
/// Reads the kept log as of now. Errors: not_found (nothing kept), those of read_log.
[[nodiscard]] Result<LogView> stored_view(Host& host, std::string_view subject);
/// Adds `blob` if it would count next, anchored at `anchored`, in a log that moved on `ledger`; a
/// blob already kept is Ok.
/// Errors: invalid_entry and others of read_with.
[[nodiscard]] Result<LogView> append_checked(Host& host, std::string_view subject, ByteView blob,
                                             Time anchored, std::string_view ledger = {});
/// Whether what is kept of a log says from which ledger it comes.
[[nodiscard]] bool is_marked(const std::vector<AnchoredBlob>& blobs);
/// Replaces what is kept by what a ledger returned, if that reads and does not go back behind the
/// kept head. Errors: conflict (the ledger shows less than was seen before), those of read_log.
[[nodiscard]] Result<LogView> replace_checked(Host& host, std::string_view subject,
                                              const std::vector<AnchoredBlob>& blobs);

void remember_log_key(Host& host, const KeyPair& pair);
[[nodiscard]] std::optional<SealedKey> log_key(Host& host, std::string_view multikey);
void forget_log_key(Host& host, std::string_view multikey);
/// Signs with those active keys of the view that we hold, at most as many as are asked for.
/// Errors: not_found (fewer than the log's t are ours).
[[nodiscard]] Result<void> sign_with_active(Host& host, Entry& entry, const LogView& view);

}  // namespace kith::ledger
