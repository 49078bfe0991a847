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
#include <unordered_map>
#include <vector>

#include "crypto/hash.hpp"
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
  struct Held;
  /// Strangers choose ids, so it has a key of its own.
  class Hash {
   public:
    Hash();
    std::size_t operator()(const protocol::RecordKey& key) const;

   private:
    crypto::TableHash hash_;
  };
  using Records = std::unordered_map<protocol::RecordKey, Held, Hash>;
  using Record = Records::value_type;  ///< Stays where it is.
  struct Held {
    Value value;
    bool waits = false;                ///< To be written; held whatever its size.
    std::list<Record*>::iterator use;  ///< Of one that does not wait.
  };

  [[nodiscard]] bool is_known_absent(const protocol::RecordKey& key) const;
  [[nodiscard]] bool is_kept(const protocol::RecordKey& key, const Value& value) const;
  void keep(Record& record);
  void unkeep(Record& record);
  void erase(const Record& record);
  void note_in_lists(const protocol::Write& write);

  protocol::Store& inner_;
  GroupStoreLimits limits_;
  Records records_;
  std::vector<Record*> waiting_;
  std::list<Record*> uses_;  ///< Records that do not wait, the latest use first.
  std::size_t kept_bytes_ = 0;
  /// Ids by collection. Sets, because some collections have tens of thousands and change with every
  /// message.
  std::map<std::string, std::set<std::string>, std::less<>> lists_;
  std::size_t listed_ids_ = 0;
};

}  // namespace kith::node
