#pragma once

/// A node without its keys: it holds its home and its addresses, tells whoever brings mail to come
/// again, and waits for the passphrase. Records are sealed, so it knows nothing of the wallet.

#include <cstdint>
#include <memory>
#include <optional>

#include "node/keys/key_host.hpp"
#include "node/runtime/runtime.hpp"

namespace kith::node {

class LockedNode {
 public:
  /// Listens where `options` say; `home` outlives it. Errors: as Runtime::start.
  [[nodiscard]] static Result<std::unique_ptr<LockedNode>> start(const Home& home,
                                                                 const RuntimeOptions& options);
  ~LockedNode();
  LockedNode(const LockedNode&) = delete;
  LockedNode& operator=(const LockedNode&) = delete;

  struct Unlocked {
    std::unique_ptr<KeyHost> keys;
    std::int64_t lock_after_s = 0;  ///< As `unlock` said; 0: not at all.
    std::int64_t wrong_tries = 0;   ///< Wrong passphrases before the right one.
  };
  /// Until somebody unlocks it, or SIGINT or SIGTERM: nothing then.
  [[nodiscard]] std::optional<Unlocked> run();
  [[nodiscard]] std::uint16_t port() const;  ///< Of the listener; 0 without one.

 private:
  class Impl;
  explicit LockedNode(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kith::node
