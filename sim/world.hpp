#pragma once

/// World: virtual time, named random streams and the trace of one simulated run.
///
/// One thread. Things happen in the order (time, order of asking); nothing takes time but waiting.
/// The same seed gives the same run on every machine and compiler, which the trace hash shows:
/// SHA-256 over one line for everything that happened ("<ms> <node> <kind> <digest>\n").

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/hash.hpp"
#include "crypto/random.hpp"
#include "protocol/time.hpp"

namespace kith::sim {

class World {
 public:
  explicit World(std::uint64_t seed);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  [[nodiscard]] Time now() const { return now_; }
  [[nodiscard]] Time start() const { return start_; }
  /// A random stream of its own: draws from one never shift another.
  [[nodiscard]] crypto::SeededRandom stream(std::string_view name) const {
    return root_.fork(name);
  }

  /// What lies in the past happens as soon as possible.
  void at(Time when, std::function<void()> action);
  void after(Duration delay, std::function<void()> action) { at(now_ + delay, std::move(action)); }

  /// Lets the next thing happen, if it is due by `limit`.
  bool step(Time limit);
  void run_for(Duration duration);
  /// Until `done` holds; false if `limit` passes first.
  bool run_until(const std::function<bool()>& done, Duration limit);

  void trace(std::string_view node, std::string_view kind, ByteView what = {});
  /// Of everything traced so far, in hex.
  [[nodiscard]] std::string trace_hash() const;
  [[nodiscard]] std::uint64_t events() const { return events_; }
  /// Sees every line of the trace.
  std::function<void(std::string_view)> on_trace;

  /// Coverage: what really happened in this run, by name.
  void mark(std::string_view name, std::uint64_t times = 1);
  [[nodiscard]] std::uint64_t marked(std::string_view name) const;
  using Marks = std::map<std::string, std::uint64_t, std::less<>>;
  [[nodiscard]] const Marks& marks() const { return marks_; }

 private:
  std::uint64_t seed_;
  Time start_;
  Time now_;
  crypto::SeededRandom root_;
  std::map<std::pair<Time, std::uint64_t>, std::function<void()>> queue_;
  std::uint64_t next_sequence_ = 0;
  std::uint64_t events_ = 0;
  crypto::Sha256 trace_;
  Marks marks_;
};

}  // namespace kith::sim
