#pragma once

/// One event -> one unit of work -> one atomic, synced batch: new state, inbox mark, effects,
/// timers, notices and audit entries together. Until `commit` nothing of it exists outside.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocol/audit_log.hpp"
#include "protocol/host.hpp"

namespace kith::protocol {

class UnitOfWork;

/// Stands between units and their keys: sees each use of one (node/key_guard.hpp).
class KeyWatch {
 public:
  virtual ~KeyWatch() = default;
  [[nodiscard]] virtual crypto::KeyOps& keys_for(UnitOfWork& unit) = 0;
};

/// Who a unit works for. All referenced objects outlive the unit.
struct UnitContext {
  Store& store;
  crypto::KeyOps& keys;
  crypto::Random& random;
  Time now{};
  Duration uptime{};
  bool test_mode = false;
  KeyWatch* watch = nullptr;  ///< Null: `keys` are used as they are.
};

/// A timer as stored (collection `timer`, id "<module>|<name>").
struct StoredTimer {
  Time at{};
  template <class V>
  void visit(V& v) {
    v("at", at);
  }
};

/// An envelope waiting for its own unit (collection `arrived`).
struct ArrivedEnvelope {
  Bytes envelope;
  Arrival how;
  template <class V>
  void visit(V& v) {
    v("envelope", envelope);
    how.visit(v);
  }
};

class UnitOfWork final : public Host {
 public:
  explicit UnitOfWork(const UnitContext& context);

  std::optional<Bytes> get(const RecordKey& key) override;
  void put(const RecordKey& key, Bytes value) override;
  void erase(const RecordKey& key) override;
  std::vector<std::string> list(std::string_view collection) override;
  std::string start(Effect effect) override;
  void cancel_effect(std::string_view id) override;
  void arrived(Bytes envelope, const Arrival& how) override;
  void set_timer(std::string_view module, std::string_view name, Time at) override;
  void cancel_timer(std::string_view module, std::string_view name) override;
  void notify(Notice notice) override;
  void audit(std::string_view event, JsonObject details) override;
  Time now() const override { return context_.now; }
  Duration uptime() const override { return context_.uptime; }
  crypto::Random& random() override { return context_.random; }
  crypto::KeyOps& keys() override {
    return context_.watch == nullptr ? context_.keys : context_.watch->keys_for(*this);
  }
  bool test_mode() const override { return context_.test_mode; }

  /// A point to return to when a handler fails: all since then is forgotten.
  struct Savepoint;
  [[nodiscard]] Savepoint savepoint() const;
  void roll_back(Savepoint savepoint);

  /// Effects started by this unit, in order, transient ones included.
  [[nodiscard]] const std::vector<Effect>& started() const { return changes_.started; }
  [[nodiscard]] std::vector<Effect> take_started() { return std::move(changes_.started); }
  [[nodiscard]] const std::vector<std::string>& cancelled() const { return changes_.cancelled; }
  /// Timers set (time) or cancelled (nullopt), by "<module>|<name>".
  [[nodiscard]] const std::map<std::string, std::optional<Time>>& timers() const {
    return changes_.timers;
  }
  /// Ids of records in collection `arrived` that this unit added.
  [[nodiscard]] const std::vector<std::string>& arrivals() const { return changes_.arrivals; }
  [[nodiscard]] bool changed() const { return !changes_.overlay.empty(); }
  /// Ids of the records of a collection that this unit put or erased, in their order.
  [[nodiscard]] std::vector<std::string> changed(std::string_view collection) const;
  /// The record in which this unit found a sealed key, or put it. Where a watch asks, all that was
  /// read of collections with keys is known.
  [[nodiscard]] std::optional<RecordKey> record_with(ByteView blob) const;
  /// Whether this unit noted such an event in the audit log.
  [[nodiscard]] bool audited(std::string_view event) const;

  /// Writes the batch; nothing to write is Ok. Errors: those of Store::commit.
  [[nodiscard]] Result<void> commit();

 private:
  struct Changes {
    std::map<RecordKey, std::optional<Bytes>> overlay;
    std::vector<Effect> started;
    std::vector<std::string> cancelled;
    std::vector<std::string> arrivals;
    std::map<std::string, std::optional<Time>> timers;
    std::vector<AuditEntry> audit;  ///< Chained and signed at commit.
    std::uint64_t transient_count = 0;
  };

  std::uint64_t next_number(std::string_view counter);
  void write_audit();

  UnitContext context_;
  Changes changes_;
  std::map<RecordKey, Bytes> keys_read_;  ///< Records with sealed keys, for the watch.

 public:
  struct Savepoint {
    Changes changes;
  };
};

}  // namespace kith::protocol
