#pragma once

/// Host: all that a handler may touch. One Host lives for one unit of work; everything done through
/// it becomes durable in one atomic batch, or nothing does. Effects leave after that batch is
/// synced.
///
/// Single-threaded. Reads see the unit's own writes. Reads throw StoreFailure (store.hpp).

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/key_ops.hpp"
#include "crypto/random.hpp"
#include "protocol/effect.hpp"
#include "protocol/record.hpp"
#include "protocol/store.hpp"
#include "protocol/time.hpp"

namespace kith::protocol {

/// A sentence for the user, kept until read.
struct Notice {
  std::string kind;     ///< Stable word for programs: "message", "recovery-request", "alarm", ...
  std::string text;     ///< One or two plain sentences with the next step.
  std::string subject;  ///< Id of what it is about.
  Time time{};
  template <class V>
  void visit(V& v) {
    v("kind", kind), v("text", text), v("subject", subject), v("time", time);
  }
};

/// How an envelope came that is handled in a unit of its own.
struct Arrival {
  std::string looked_up = {};  ///< The sender whose document it waited for (look_up.hpp).
  /// Its sender waited for an answer, on a connection that may be over by now (kChannelOver).
  bool waited = false;
  bool no_new_clients = false;  ///< Where it comes from, enough became clients when it came.
  template <class V>
  void visit(V& v) {
    v("looked_up", looked_up), v("waited", waited), v("no_new_clients", no_new_clients);
  }
};

class Host {
 public:
  virtual ~Host() = default;

  // Records
  [[nodiscard]] virtual std::optional<Bytes> get(const RecordKey& key) = 0;
  virtual void put(const RecordKey& key, Bytes value) = 0;
  virtual void erase(const RecordKey& key) = 0;
  [[nodiscard]] virtual std::vector<std::string> list(std::string_view collection) = 0;

  // Effects. `effect.id` is ignored and given anew; returns it.
  virtual std::string start(Effect effect) = 0;
  virtual void cancel_effect(std::string_view id) = 0;

  /// Hands in an envelope that came inside another message (pickup), or that was parked: handled
  /// in a unit of its own, after this one is durable.
  virtual void arrived(Bytes envelope, const Arrival& how) = 0;

  // Timers: one per (module, name); setting again moves it.
  virtual void set_timer(std::string_view module, std::string_view name, Time at) = 0;
  virtual void cancel_timer(std::string_view module, std::string_view name) = 0;

  // People and the audit log
  virtual void notify(Notice notice) = 0;
  /// `event` is a stable dotted word; `details` hold no secrets and no names of people.
  virtual void audit(std::string_view event, JsonObject details = {}) = 0;

  // Seams
  [[nodiscard]] virtual Time now() const = 0;
  /// Time this agent has been running, summed over all its lives; clock changes do not touch it.
  [[nodiscard]] virtual Duration uptime() const = 0;
  [[nodiscard]] virtual crypto::Random& random() = 0;
  [[nodiscard]] virtual crypto::KeyOps& keys() = 0;
  /// Test mode lets logs have windows of zero; fixed when the home is made.
  [[nodiscard]] virtual bool test_mode() const = 0;
};

/// Typed records. A record that does not decode is damage or our own bug, never a peer's doing:
/// reported as StoreFailure{storage_corrupt}.
template <class T>
[[nodiscard]] std::optional<T> load(Host& host, std::string_view collection, std::string_view id) {
  const auto bytes = host.get({std::string(collection), std::string(id)});
  if (!bytes) return std::nullopt;
  auto value = decode_record<T>(*bytes);
  if (!value.has_value()) {
    throw StoreFailure{
        fail(Errc::storage_corrupt, std::string(collection) + ": " + value.error().detail)};
  }
  return std::move(*value);
}

template <class T>
void save(Host& host, std::string_view collection, std::string_view id, const T& value) {
  host.put({std::string(collection), std::string(id)}, encode_record(value));
}

}  // namespace kith::protocol

namespace kith {
using protocol::Host;
using protocol::load;
using protocol::save;
}  // namespace kith
