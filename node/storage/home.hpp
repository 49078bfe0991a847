#pragma once

/// A home: the directory that holds one wallet.
///
///   format        version of everything in here, a number and a newline; written last by `create`
///   begun         there until `kith init` has come to its end, so that it can be repeated; empty
///   lock          locked (flock) by the process that uses the home; holds its pid
///   keystore      the root key (keystore.hpp)
///   db/           records (leveldb_store.hpp)
///   ledger/       the embedded ledger, if there is one
///   ledger-copy/  a copy of somebody else's ledger, if there is one
///   control.sock  of the running node
///   moved         there if the wallet went to another machine (`kith export --move`); empty
///   erasing       there while the home is being erased (home_erase.hpp); empty
///
/// The directory and all above files belong to the user, are closed to others (0700, 0600) and are
/// no symbolic links; anything else is refused. One process at a time.

#include <functional>
#include <string>
#include <vector>

#include "crypto/result.hpp"
#include "node/storage/keystore.hpp"

namespace kith::node {

/// One step from the format of its place to the next (first: 1 to 2), on a locked home. A crash may
/// come at any point of it: it must do its work when it is run again, and leave alone what it did.
/// The new format is written when it has returned.
using Migration = std::function<Result<void>(const std::string& directory)>;

class Home {
 public:
  static constexpr int kFormat = 2;  ///< 2: the keystore may be of kind 3.
  /// kFormat - 1 of them.
  [[nodiscard]] static const std::vector<Migration>& migrations();

  /// `$XDG_DATA_HOME/kith`, or `~/.local/share/kith`. Errors: io (neither variable is set).
  [[nodiscard]] static Result<std::string> default_directory();
  /// Whether `create` has finished there. Takes no lock.
  [[nodiscard]] static bool exists(const std::string& directory);

  /// Makes the directory (and its parents), takes the lock. A home that was begun but not finished
  /// is begun anew. Without a keystore: its place is filled with write_keystore next. Errors:
  /// wrong_state (there is a wallet already), refused, home_locked, io, storage_full.
  [[nodiscard]] static Result<Home> create(const std::string& directory);
  [[nodiscard]] static Result<Home> create(const std::string& directory, const Keystore& keystore);
  /// The keystore of a home, whole or not at all: for the process that holds the keys, while
  /// another has the home's lock. Errors: io, storage_full; storage_corrupt, refused.
  [[nodiscard]] static Result<void> write_keystore(const std::string& directory,
                                                   const Keystore& keystore);
  [[nodiscard]] static Result<Keystore> read_keystore(const std::string& directory);
  /// The last step of making a home: from now on it exists. Errors: io, storage_full.
  [[nodiscard]] Result<void> finish_create();
  /// Whether it exists, but what follows (name, identity, mediator) was interrupted.
  [[nodiscard]] static bool has_first_steps_left(const std::string& directory);
  /// What follows is done; may be repeated. Errors: io.
  [[nodiscard]] Result<void> finish_first_steps();
  /// The wallet went elsewhere: from now on nothing opens this home but unmark_moved and erasing.
  /// Errors: io, storage_full.
  [[nodiscard]] Result<void> mark_moved() const;
  [[nodiscard]] static bool was_moved(const std::string& directory);
  /// It did not, after all. Errors: home_missing, home_locked, io.
  [[nodiscard]] static Result<void> unmark_moved(const std::string& directory);
  /// The first step of erasing; may be repeated. Errors: io. A full disk is none: what is removed
  /// next makes room, and the keystore goes first in any case.
  [[nodiscard]] Result<void> mark_erasing() const;
  [[nodiscard]] static bool is_being_erased(const std::string& directory);
  static constexpr const char* kErasing = "erasing";
  /// Whatever state it is in, with its lock: to be erased, and for nothing else. Errors:
  /// home_missing, home_locked, refused, io.
  [[nodiscard]] static Result<Home> take_to_erase(const std::string& directory);
  /// Settings of another home (kith.toml), for its owner to look through. Errors: io,
  /// storage_full.
  [[nodiscard]] static Result<void> keep_imported_settings(const std::string& directory,
                                                           const std::string& text);
  /// Copies a PEM file of CAs into the home, where ca_file() finds it. Errors: io, limit_exceeded.
  [[nodiscard]] Result<void> keep_ca_file(const std::string& source) const;

  /// Opens a home whose lock this process has already, as `descriptor`: it inherited it. Errors: as
  /// open; wrong_state (that is not its lock).
  [[nodiscard]] static Result<Home> adopt(const std::string& directory, int descriptor);
  /// Takes the lock, brings an older format up to date by `steps`; tests have other steps than this
  /// version. Errors: home_missing, home_newer (nothing was changed), home_locked (naming the pid),
  /// refused, storage_corrupt, io; wrong_state (moved, or being erased); of a step: what it did is
  /// kept, and it is run again next time.
  [[nodiscard]] static Result<Home> open(const std::string& directory,
                                         const std::vector<Migration>& steps = migrations());

  ~Home();
  Home(Home&& other) noexcept;
  Home& operator=(Home&& other) noexcept;
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;

  [[nodiscard]] const std::string& directory() const { return directory_; }
  /// Known without reading a secret.
  [[nodiscard]] bool has_passphrase() const { return has_passphrase_; }
  /// SHA-256 of what is public in the keystore, in hex: another one after every writing of one with
  /// a passphrase.
  [[nodiscard]] const std::string& keystore_mark() const { return keystore_mark_; }
  /// Another process, which was asked to, has written the keystore. Errors: as open.
  [[nodiscard]] Result<void> keystore_was_written() { return look_at_keystore(); }
  /// Of the lock, to be handed to who takes this process over.
  [[nodiscard]] int lock_descriptor() const { return lock_; }
  [[nodiscard]] std::string database() const { return directory_ + "/db"; }
  [[nodiscard]] std::string ledger() const { return directory_ + "/ledger"; }
  [[nodiscard]] std::string ledger_copy() const { return directory_ + "/ledger-copy"; }
  /// Further CAs that this node trusts when it connects (PEM); need not exist.
  [[nodiscard]] static std::string ca_file(const std::string& directory) {
    return directory + "/ca.pem";
  }

 private:
  Home(std::string directory, int lock) : directory_(std::move(directory)), lock_(lock) {}
  [[nodiscard]] Result<void> look_at_keystore();
  std::string directory_;
  int lock_ = -1;
  bool has_passphrase_ = false;
  std::string keystore_mark_;
};

}  // namespace kith::node
