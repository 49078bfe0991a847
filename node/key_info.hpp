#pragma once

/// What this node knows about each key that it holds (collection `key-info`), and about those that
/// it held (collection `key-gone`): kind, owner, state, dates, uses. A record lies in the batch of
/// the change that it tells of (key_inventory.hpp keeps it); it holds nothing secret.
///
/// A key is named by the Multikey of its public half; keys of which a node has one, by what they
/// are: "agent", "vault", "audit", "witness", "ledger", "chain", "link-secret", "backup". Those
/// without a public half that is known outside: "share-<record>", "session-<session>",
/// "retire-<record>".

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/key_states.hpp"
#include "protocol/host.hpp"

namespace kith::node {

/// The purposes of KeyOps by their numbers, and what is no key of KeyOps. Stored: never renumber.
enum class KeyKind : std::uint8_t { share = 101, backup = 102 };
constexpr KeyKind kind_of(KeyPurpose purpose) {
  return KeyKind{static_cast<std::uint8_t>(purpose)};
}
constexpr bool is_valid(KeyKind kind) {
  return (kind >= kind_of(KeyPurpose::authenticate) && kind <= kind_of(KeyPurpose::chain)) ||
         kind == KeyKind::share || kind == KeyKind::backup;
}
/// "log-active", "share".
[[nodiscard]] std::string_view key_kind_name(KeyKind kind);

/// How it came here. Stored: never renumber.
enum class KeyOrigin : std::uint8_t {
  made = 1,   ///< Drawn on this device, in the batch that first had it.
  given = 2,  ///< By a backup, another device, or (a share) by its owner.
  found = 3,  ///< Older than the inventory: when it was made is not known.
};
constexpr bool is_valid(KeyOrigin origin) {
  return origin >= KeyOrigin::made && origin <= KeyOrigin::found;
}
[[nodiscard]] std::string_view key_origin_name(KeyOrigin origin);

struct KeyInfo {
  KeyKind kind{};
  KeyState state = KeyState::active;
  KeyOrigin origin = KeyOrigin::made;
  std::optional<KeyType> type;       ///< Absent: no key pair.
  std::optional<std::string> owner;  ///< Our DID or log, or the contact whose share it is.
  std::optional<std::string> mark;  ///< Tells keys apart that have the same name one after another.
  Time made{};                      ///< When this node first had it.
  Time since{};                     ///< When it came to this state.
  std::optional<Time> activated;
  std::optional<Time> ended;        ///< Deactivated, or gone without that.
  std::optional<Time> compromised;  ///< Marked so.
  std::optional<std::string> reason;
  std::optional<std::uint64_t> uses;  ///< Of one that is gone; else in `key-use`.
  template <class V>
  void visit(V& v) {
    v("kind", kind), v("state", state), v("origin", origin), v("type", type), v("owner", owner);
    v("mark", mark), v("made", made), v("since", since), v("activated", activated);
    v("ended", ended), v("compromised", compromised), v("reason", reason);
    v("uses", uses);
  }
};

inline constexpr std::string_view kKeyInfo = "key-info";
inline constexpr std::string_view kKeyGone = "key-gone";

inline constexpr std::string_view kKeyUse = "key-use";

/// Record key-use/<key>.
struct KeyUses {
  std::uint64_t count = 0;
  Time last{};
  template <class V>
  void visit(V& v) {
    v("count", count), v("last", last);
  }
};

/// Takes the step at `now`, with its dates. Errors: wrong_state (nothing is changed).
[[nodiscard]] Result<void> step(KeyInfo& info, KeyEvent event, Time now);

/// Of a key that is held.
[[nodiscard]] std::optional<KeyInfo> key_info(Host& host, std::string_view id);

/// The key that a record of these collections holds, told by its name: own-key, log-key,
/// vault-item, session-key, share, and some of meta and recovery-record. Nullopt: none.
[[nodiscard]] std::optional<std::string> key_in_record(const protocol::RecordKey& record);

/// What a record says of the key that it holds; of those in `log-key` it does not say the kind.
struct KeyFacts {
  KeyKind kind{};
  std::optional<KeyType> type;
  std::optional<std::string> owner;
  std::optional<std::string> mark;
  std::optional<Time> added;  ///< Where the record has it.
  bool given = false;         ///< Made elsewhere.
};
[[nodiscard]] KeyFacts facts_of_key(Host& host, const protocol::RecordKey& record);
/// In a wallet without a vault: whose log a recovery key is for, if it is one.
[[nodiscard]] std::optional<std::string> log_of_recovery_key(Host& host, std::string_view id);

}  // namespace kith::node

namespace kith::crypto {
// KeyType is stored with key records.
constexpr bool is_valid(KeyType type) {
  return type >= KeyType::ed25519 && type <= KeyType::p521;
}
}  // namespace kith::crypto
