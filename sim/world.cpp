#include "sim/world.hpp"

#include <algorithm>

#include "crypto/assert.hpp"

namespace kith::sim {
namespace {

constexpr std::int64_t kStartSeconds = 1'795'309'200;  // 2026-11-22T01:00:00Z
constexpr std::uint64_t kEventsMax = 200'000'000;      // More: somebody answers himself for ever.

}  // namespace

World::World(std::uint64_t seed)
    : seed_(seed),
      start_(protocol::from_epoch_seconds(kStartSeconds)),
      now_(start_),
      root_(seed, "world") {}

void World::at(Time when, std::function<void()> action) {
  queue_.emplace(std::pair(std::max(when, now_), next_sequence_++), std::move(action));
}

bool World::step(Time limit) {
  if (queue_.empty() || queue_.begin()->first.first > limit) return false;
  ASSERT(++events_ < kEventsMax);
  const auto next = queue_.extract(queue_.begin());
  now_ = next.key().first;
  next.mapped()();
  return true;
}

void World::run_for(Duration duration) {
  const Time end = now_ + duration;
  while (step(end)) {
  }
  now_ = end;
}

bool World::run_until(const std::function<bool()>& done, Duration limit) {
  const Time end = now_ + limit;
  while (!done()) {
    if (!step(end)) return false;
  }
  return true;
}

void World::trace(std::string_view node, std::string_view kind, ByteView what) {
  std::string line = std::to_string((now_ - start_).count());
  line += ' ';
  line += node;
  line += ' ';
  line += kind;
  line += ' ';
  line += crypto::hex(ByteView(crypto::sha256(what)).first(8));
  line += '\n';
  trace_.update(crypto::as_bytes(line));
  if (on_trace) on_trace(line);
}

std::string World::trace_hash() const {
  crypto::Sha256 copy = trace_;
  return crypto::hex(copy.finish());
}

void World::mark(std::string_view name, std::uint64_t times) {
  const auto found = marks_.find(name);
  if (found != marks_.end()) {
    found->second += times;
  } else {
    marks_.emplace(name, times);
  }
}

std::uint64_t World::marked(std::string_view name) const {
  const auto found = marks_.find(name);
  return found == marks_.end() ? 0 : found->second;
}

}  // namespace kith::sim
