#pragma once

/// What a node does about keys that may go away: nothing decided without them is kept, and it hears
/// of it at once.

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "node/keys/key_host.hpp"
#include "protocol/store.hpp"

namespace kith::node {

/// A store that takes nothing once an operation has failed because the keys were gone: a unit of
/// work that went on with that error decided wrongly. Both outlive it.
class KeyGuardedStore final : public protocol::Store {
 public:
  KeyGuardedStore(protocol::Store& store, const KeyHost& keys) : store_(store), keys_(keys) {}
  Result<std::optional<Bytes>> get(const protocol::RecordKey& key) override {
    return store_.get(key);
  }
  Result<std::vector<std::string>> list(std::string_view collection) override {
    return store_.list(collection);
  }
  /// Errors: keys_gone besides the store's.
  Result<void> commit(const protocol::Batch& batch) override {
    if (keys_.gone()) return fail(Errc::keys_gone);
    return store_.commit(batch);
  }

 private:
  protocol::Store& store_;
  const KeyHost& keys_;
};

/// Calls `on_gone` once, on the io_context's thread, when the keys' process ends.
class KeyWatch {
 public:
  /// `keys` outlives it. Errors: io.
  [[nodiscard]] static Result<std::unique_ptr<KeyWatch>> start(boost::asio::io_context& io,
                                                               const KeyHost& keys,
                                                               std::function<void()> on_gone);
  ~KeyWatch();
  KeyWatch(const KeyWatch&) = delete;
  KeyWatch& operator=(const KeyWatch&) = delete;
  /// Never calls again.
  void stop();

 private:
  class Impl;
  explicit KeyWatch(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace kith::node
