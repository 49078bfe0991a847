#pragma once

/// Group commit: the batches of several units of work become one synced write.
///
/// `commit` only remembers; what it was given is found by the next reads, and is durable after
/// `flush`. The owner (EventQueue) lets nothing of these units leave before that: no effect, no
/// answer. A crash between the two is a crash before all of them. Of several writes to one record
/// only the last is written.
///
/// Also keeps records that were read or written lately, up to a number of bytes, and the ids of
/// collections that are listed again and again: reading a record from the disk means to decrypt it,
/// and listing a mailbox means to decrypt the id of each letter. Ids that are kept also say which
/// records are not there. Sealed keys stay sealed.
///
/// Nobody else may write the same records to `inner`, which outlives this. Single-threaded.

#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "protocol/store.hpp"

namespace kith::node {

struct GroupStoreLimits {
  std::size_t kept_bytes = std::size_t{8} << 20;          ///< Of records, their names included.
  std::size_t kept_record_bytes = std::size_t{64} << 10;  ///< Larger ones are not kept.
  std::size_t listed_ids = std::size_t{64} << 10;         ///< Of all collections together.
};

class GroupStore final : public protocol::Store {
 public:
  explicit GroupStore(protocol::Store& inner, const GroupStoreLimits& limits = {})
      : inner_(inner), limits_(limits) {}

  Result<std::optional<Bytes>> get(const protocol::RecordKey& key) override;
  Result<std::vector<std::string>> list(std::string_view collection) override;
  /// Never fails.
  Result<void> commit(const protocol::Batch& batch) override;

  /// Makes everything durable that was committed. Errors: of the inner store's commit; this object
  /// is then of no use any more.
  [[nodiscard]] Result<void> flush();

  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }  ///< Records to write.
  [[nodiscard]] std::size_t kept_bytes() const { return kept_bytes_; }

 private:
  using Value = std::optional<Bytes>;  ///< nullopt: no such record.
  struct Kept {
    Value value;
    std::list<protocol::RecordKey>::iterator use;
  };
  using Records = std::map<protocol::RecordKey, Kept>;

  [[nodiscard]] bool is_known_absent(const protocol::RecordKey& key) const;
  void keep(protocol::RecordKey key, Value value);
  void drop(Records::iterator record);
  void note_in_lists(const protocol::Write& write);

  protocol::Store& inner_;
  GroupStoreLimits limits_;
  std::map<protocol::RecordKey, Value> waiting_;
  Records kept_;
  std::list<protocol::RecordKey> uses_;  ///< The latest first.
  std::size_t kept_bytes_ = 0;
  /// Ids by collection. Sets, because some collections have tens of thousands and change with every
  /// message.
  std::map<std::string, std::set<std::string>, std::less<>> lists_;
  std::size_t listed_ids_ = 0;
};

}  // namespace kith::node
