#pragma once

/// Crashes on purpose, for tests of recovery from them: with KITH_CRASH_AT=<site>:<nth> in the
/// environment the process kills itself (SIGKILL) at the nth time it passes the site.
///
///   commit-before  a batch is ready, nothing is written
///   commit-after   the batch is durable, nobody has heard of it
///   effect         an effect is about to leave

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/store.hpp"

namespace kith::node {

class CrashPoints {
 public:
  /// Errors: usage (neither empty nor <site>:<nth>).
  [[nodiscard]] static Result<CrashPoints> parse(std::string_view setting);
  void pass(std::string_view site);

 private:
  std::string site_;
  std::uint64_t left_ = 0;
};

/// A store with the two sites of a commit. Both outlive it.
class CrashingStore final : public protocol::Store {
 public:
  CrashingStore(protocol::Store& store, CrashPoints& points) : store_(store), points_(points) {}
  Result<std::optional<Bytes>> get(const protocol::RecordKey& key) override {
    return store_.get(key);
  }
  Result<std::vector<std::string>> list(std::string_view collection) override {
    return store_.list(collection);
  }
  Result<void> commit(const protocol::Batch& batch) override;

 private:
  protocol::Store& store_;
  CrashPoints& points_;
};

}  // namespace kith::node
