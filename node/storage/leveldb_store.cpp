#include "node/storage/leveldb_store.hpp"

#include <leveldb/db.h>
#include <leveldb/filter_policy.h>
#include <leveldb/write_batch.h>
#include <sys/statvfs.h>

#include <algorithm>

#include "node/storage/record_seal.hpp"

namespace kith::node {
namespace {

constexpr std::size_t kWriteBufferBytes = std::size_t{4} << 20;
constexpr int kOpenFilesMax = 200;
/// Whether a message is a repeat is asked of records that mostly are not there: this many bits let
/// one such question in a hundred read a table.
constexpr int kFilterBitsPerKey = 10;
/// Below this the file system is as good as full: LevelDB writes at least a page at a time.
constexpr std::uint64_t kFullBelowBytes = 64 * 1024;

std::string_view view_of(const leveldb::Slice& slice) {
  return {slice.data(), slice.size()};
}
leveldb::Slice slice_of(std::string_view text) {
  return {text.data(), text.size()};
}

/// LevelDB reports errors of the system as text alone, so the file system is asked too.
bool disk_is_full(const std::string& directory, const leveldb::Status& status) {
  const std::string text = status.ToString();
  if (text.find("No space left") != std::string::npos ||
      text.find("File too large") != std::string::npos ||
      text.find("quota exceeded") != std::string::npos) {
    return true;
  }
  struct statvfs space {};
  return ::statvfs(directory.c_str(), &space) == 0 &&
         std::uint64_t{space.f_bavail} * space.f_frsize < kFullBelowBytes;
}

Error read_error(const leveldb::Status& status) {
  if (status.IsCorruption()) return fail(Errc::storage_corrupt, "the database is damaged");
  return fail(Errc::io, "the database cannot be read: " + status.ToString());
}

}  // namespace

class LeveldbStore::Impl {
 public:
  Impl(std::string directory, crypto::KeyOps& keys,
       std::unique_ptr<const leveldb::FilterPolicy> filter, std::unique_ptr<leveldb::DB> db)
      : directory_(std::move(directory)),
        seal_(keys),
        filter_(std::move(filter)),
        db_(std::move(db)) {
    read_.verify_checksums = true;
    write_.sync = true;
  }

  Result<std::optional<Bytes>> get(const protocol::RecordKey& key) {
    if (broken_) return *broken_;
    std::string stored;
    const std::string disk_key = seal_.key(key);
    const leveldb::Status status = db_->Get(read_, slice_of(disk_key), &stored);
    if (status.IsNotFound()) return std::optional<Bytes>();
    if (!status.ok()) return read_error(status);
    TRY(Bytes value, seal_.open_value(disk_key, stored));
    return std::optional<Bytes>(std::move(value));
  }

  Result<std::vector<std::string>> list(std::string_view collection) {
    if (broken_) return *broken_;
    const std::string prefix = seal_.prefix(collection);
    const std::unique_ptr<leveldb::Iterator> at(db_->NewIterator(read_));
    std::vector<std::string> ids;
    for (at->Seek(slice_of(prefix)); at->Valid() && at->key().starts_with(slice_of(prefix));
         at->Next()) {
      TRY(std::string id, seal_.open_id(collection, view_of(at->key()), view_of(at->value())));
      ids.push_back(std::move(id));
    }
    if (!at->status().ok()) return read_error(at->status());
    std::sort(ids.begin(), ids.end());
    return ids;
  }

  Result<void> commit(const protocol::Batch& batch) {
    if (broken_) return *broken_;
    leveldb::WriteBatch writes;
    for (const protocol::Write& write : batch) {
      const std::string key = seal_.key(write.key);
      if (write.value) {
        writes.Put(slice_of(key), slice_of(seal_.seal(key, write.key.id, *write.value)));
      } else {
        writes.Delete(slice_of(key));
      }
    }
    const leveldb::Status status = db_->Write(write_, &writes);
    if (status.ok()) return {};
    broken_ = disk_is_full(directory_, status) ? fail(Errc::storage_full, status.ToString())
                                               : fail(Errc::storage_unknown, status.ToString());
    return *broken_;
  }

 private:
  std::string directory_;
  RecordSeal seal_;
  std::unique_ptr<const leveldb::FilterPolicy> filter_;  ///< The database uses it.
  std::unique_ptr<leveldb::DB> db_;
  leveldb::ReadOptions read_;
  leveldb::WriteOptions write_;
  std::optional<Error> broken_;
};

Result<std::unique_ptr<LeveldbStore>> LeveldbStore::open(const std::string& directory,
                                                         crypto::KeyOps& keys) {
  leveldb::Options options;
  options.create_if_missing = true;
  options.paranoid_checks = true;
  options.write_buffer_size = kWriteBufferBytes;
  options.max_open_files = kOpenFilesMax;
  options.compression = leveldb::kNoCompression;  // Sealed values do not compress.
  std::unique_ptr<const leveldb::FilterPolicy> filter(
      leveldb::NewBloomFilterPolicy(kFilterBitsPerKey));
  options.filter_policy = filter.get();
  leveldb::DB* db = nullptr;
  const leveldb::Status status = leveldb::DB::Open(options, directory, &db);
  if (!status.ok()) {
    const std::string text = status.ToString();
    if (status.IsCorruption() || status.IsInvalidArgument()) {
      return fail(Errc::storage_corrupt, "the database is damaged: " + text);
    }
    if (text.find("lock") != std::string::npos) return fail(Errc::home_locked, text);
    if (disk_is_full(directory, status)) return fail(Errc::storage_full, text);
    return fail(Errc::io, text);
  }
  auto impl =
      std::make_unique<Impl>(directory, keys, std::move(filter), std::unique_ptr<leveldb::DB>(db));
  return std::unique_ptr<LeveldbStore>(new LeveldbStore(std::move(impl)));
}

LeveldbStore::LeveldbStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LeveldbStore::~LeveldbStore() = default;

Result<std::optional<Bytes>> LeveldbStore::get(const protocol::RecordKey& key) {
  return impl_->get(key);
}
Result<std::vector<std::string>> LeveldbStore::list(std::string_view collection) {
  return impl_->list(collection);
}
Result<void> LeveldbStore::commit(const protocol::Batch& batch) {
  return impl_->commit(batch);
}

}  // namespace kith::node
