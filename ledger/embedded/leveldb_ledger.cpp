#include "ledger/embedded/leveldb_ledger.hpp"

#include <leveldb/db.h>
#include <leveldb/write_batch.h>

#include <algorithm>
#include <map>

#include "crypto/assert.hpp"
#include "crypto/limits.hpp"
#include "ledger/did_kith.hpp"
#include "protocol/record.hpp"

namespace kith::ledger {

namespace {

/// "1" had no tree: it is laid when such a ledger is opened.
constexpr std::string_view kFormat = "2";
constexpr std::string_view kFormatWithoutTree = "1";
constexpr const char* kFormatKey = "!format";
constexpr const char* kDescriptorKey = "!descriptor";
constexpr const char* kStateKey = "!state";
constexpr const char* kCosignedKey = "!cosigned";

struct State {
  std::uint64_t size = 0;
  std::int64_t newest_ms = 0;
  template <class V>
  void visit(V& v) {
    v("size", size), v("newest_ms", newest_ms);
  }
};

struct SubjectHead {
  std::string hash;
  std::uint64_t position = 0;
  std::uint64_t count = 0;
  template <class V>
  void visit(V& v) {
    v("hash", hash), v("position", position), v("count", count);
  }
};

/// Beside an entry that came with them.
struct KeptWords {
  std::vector<std::string> words;
  template <class V>
  void visit(V& v) {
    v("words", words);
  }
};

struct NewestCosigned {
  std::uint64_t size = 0;
  std::string note;
  template <class V>
  void visit(V& v) {
    v("size", size), v("note", note);
  }
};

std::string big_endian(std::uint64_t value) {
  Bytes bytes;
  crypto::append_u64_be(bytes, value);
  return std::string(crypto::as_text(bytes));
}

Result<std::uint64_t> from_big_endian(std::string_view text) {
  if (text.size() != 8) return fail(Errc::storage_corrupt, "a position of the ledger is damaged");
  std::uint64_t value = 0;
  for (const char c : text) value = value << 8U | static_cast<std::uint8_t>(c);
  return value;
}

std::string entry_key(std::uint64_t position) {
  return "e" + big_endian(position);
}
std::string subject_prefix(std::string_view subject) {
  std::string key = "s" + std::string(subject);
  key.push_back('\0');
  return key;
}
std::string blob_key(std::string_view hash) {
  return "b" + std::string(hash);
}
std::string head_key(std::string_view subject) {
  return "h" + std::string(subject);
}

std::string cosigned_key(std::uint64_t size) {
  return "c" + big_endian(size);
}

std::string words_key(std::uint64_t position) {
  return "w" + big_endian(position);
}

std::string node_key(const MerkleNode& node) {
  ASSERT(node.level < 64);
  return std::string("t") + static_cast<char>(node.level) + big_endian(node.index);
}

leveldb::Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}
std::string_view view_of(const leveldb::Slice& slice) {
  return {slice.data(), slice.size()};
}

/// LevelDB reports errors of the system as text alone.
bool names_full_disk(const std::string& text) {
  return text.find("No space left") != std::string::npos ||
         text.find("File too large") != std::string::npos ||
         text.find("quota exceeded") != std::string::npos;
}

Error io_error(const leveldb::Status& status) {
  const std::string text = status.ToString();
  if (status.IsCorruption()) return fail(Errc::storage_corrupt, "ledger: " + text);
  return fail(names_full_disk(text) ? Errc::storage_full : Errc::storage_unknown,
              "ledger: " + text);
}

template <class T>
Result<T> decode(const std::string& text) {
  auto value = protocol::decode_record<T>(crypto::as_bytes(text));
  if (!value.has_value()) return fail(Errc::storage_corrupt, "ledger: " + value.error().detail);
  return value;
}

template <class T>
std::string encode(const T& value) {
  return std::string(crypto::as_text(protocol::encode_record(value)));
}

}  // namespace

struct LevelDbLedger::Impl {
  /// Appends that no write has made durable yet.
  struct Staged {
    std::vector<LedgerLeaf> leaves;                  ///< The first has the position state.size.
    std::map<std::string, std::uint64_t> positions;  ///< By blob hash.
    std::map<std::string, SubjectHead> heads;        ///< By subject.
    std::map<MerkleNode, Digest256> nodes;
    std::map<std::uint64_t, std::vector<WitnessTime>> words;  ///< By position.
    leveldb::WriteBatch batch;
  };

  std::unique_ptr<leveldb::DB> db;
  LedgerDescriptor descriptor;
  bool test_mode = false;
  State state;  ///< Of what is durable.
  Staged staged;
  /// By position; few entries need them.
  std::map<std::uint64_t, std::vector<WitnessTime>> words;
  std::optional<CosignedCheckpoint> cosigned;  ///< The newest.
  std::optional<Error> broken;                 ///< A write failed: what the disk holds is unknown.

  [[nodiscard]] Result<std::optional<std::string>> get(const std::string& key) const {
    std::string value;
    leveldb::ReadOptions options;
    options.verify_checksums = true;
    const leveldb::Status status = db->Get(options, key, &value);
    if (status.IsNotFound()) return std::optional<std::string>();
    if (!status.ok()) return io_error(status);
    return std::optional<std::string>(std::move(value));
  }

  [[nodiscard]] Result<std::string> leaf_at(std::uint64_t position) const {
    TRY(auto text, get(entry_key(position)));
    if (!text) return fail(Errc::storage_corrupt, "the ledger lacks an entry that it counts");
    return std::move(*text);
  }

  [[nodiscard]] Result<LedgerEntry> entry_at(std::uint64_t position) const {
    TRY(const std::string text, leaf_at(position));
    TRY(LedgerLeaf leaf, parse_leaf(text));
    LedgerEntry entry{position, std::move(leaf.subject), std::move(leaf.blob), leaf.time};
    if (const auto kept = words.find(position); kept != words.end()) {
      entry.witnessed = kept->second;
    }
    return entry;
  }

  [[nodiscard]] Result<void> load_words() {
    const std::unique_ptr<leveldb::Iterator> it(db->NewIterator({}));
    for (it->Seek("w"); it->Valid() && view_of(it->key()).starts_with('w'); it->Next()) {
      TRY(const std::uint64_t position, from_big_endian(view_of(it->key()).substr(1)));
      TRY(const KeptWords kept, decode<KeptWords>(it->value().ToString()));
      words[position] = times_in(kept.words);
    }
    if (!it->status().ok()) return io_error(it->status());
    return {};
  }

  void stage_words(std::uint64_t position, std::vector<WitnessTime> times) {
    if (times.empty() || words.contains(position)) return;
    staged.batch.Put(words_key(position), encode(KeptWords{witness_words(times)}));
    staged.words[position] = std::move(times);
  }

  /// Errors: storage_corrupt (also: a node that is not complete), storage_unknown.
  [[nodiscard]] Result<Digest256> node(const MerkleNode& wanted) const {
    TRY(const auto text, get(node_key(wanted)));
    Digest256 hash;
    if (!text || text->size() != hash.size()) {
      return fail(Errc::storage_corrupt, "the ledger's tree lacks a node");
    }
    std::ranges::copy(crypto::as_bytes(*text), hash.begin());
    return hash;
  }

  /// The nodes that leaf number `position` makes complete.
  [[nodiscard]] Result<std::vector<MerkleNodeHash>> nodes_by(std::uint64_t position,
                                                             std::string_view leaf) const {
    const MerkleReader read = [this](const MerkleNode& wanted) -> Result<Digest256> {
      if (const auto found = staged.nodes.find(wanted); found != staged.nodes.end()) {
        return found->second;
      }
      return node(wanted);
    };
    return merkle_append(position, merkle_leaf_hash(crypto::as_bytes(leaf)), read);
  }

  /// For a ledger of before there was a tree; started again after a crash.
  [[nodiscard]] Result<void> lay_tree() {
    for (std::uint64_t position = 0; position < state.size; ++position) {
      TRY(const std::string leaf, leaf_at(position));
      TRY(const auto complete, nodes_by(position, leaf));
      leveldb::WriteBatch batch;
      for (const auto& [place, hash] : complete) {
        batch.Put(node_key(place), slice(crypto::as_text(hash)));
      }
      const leveldb::Status status = db->Write({}, &batch);  // The last write syncs all.
      if (!status.ok()) return io_error(status);
    }
    leveldb::WriteBatch batch;
    batch.Put(kFormatKey, slice(kFormat));
    return write(batch);
  }

  /// Calls `visit(entry)` for the subject's entries from `from` on, until it returns false.
  template <class F>
  [[nodiscard]] Result<void> for_each(std::string_view subject, std::uint64_t from,
                                      F&& visit) const {
    const std::string prefix = subject_prefix(subject);
    leveldb::ReadOptions options;
    options.verify_checksums = true;
    const std::unique_ptr<leveldb::Iterator> it(db->NewIterator(options));
    for (it->Seek(prefix + big_endian(from)); it->Valid(); it->Next()) {
      const std::string_view key = view_of(it->key());
      if (!key.starts_with(prefix)) break;
      TRY(const std::uint64_t position, from_big_endian(key.substr(prefix.size())));
      TRY(LedgerEntry entry, entry_at(position));
      if (entry.subject != subject) {
        return fail(Errc::storage_corrupt, "an index of the ledger names another log's entry");
      }
      if (!visit(std::move(entry))) break;
    }
    if (!it->status().ok()) return io_error(it->status());
    return {};
  }

  [[nodiscard]] Result<void> create(const LedgerDescriptor& wanted) {
    CHECK(check_descriptor(wanted));
    leveldb::WriteBatch batch;
    batch.Put(kFormatKey, slice(kFormat));
    batch.Put(kDescriptorKey, descriptor_json(wanted));
    batch.Put(kStateKey, encode(state));
    CHECK(write(batch));
    descriptor = wanted;
    return {};
  }

  [[nodiscard]] Result<void> load(const LedgerDescriptor& wanted, bool any_witnesses) {
    TRY(const auto format, get(kFormatKey));
    if (!format) return create(wanted);
    if (*format != kFormat && *format != kFormatWithoutTree) {
      return fail(Errc::home_newer, "the ledger has another format");
    }
    TRY(const auto text, get(kDescriptorKey));
    TRY(const auto stored_state, get(kStateKey));
    if (!text || !stored_state) return fail(Errc::storage_corrupt, "the ledger lacks its state");
    auto stored = parse_descriptor(*text);
    if (!stored.has_value()) return fail(Errc::storage_corrupt, "ledger descriptor is damaged");
    if (!(stored->key == wanted.key) || stored->origin != wanted.origin) {
      return fail(Errc::wrong_state, "this ledger was made with another key or name");
    }
    descriptor = std::move(*stored);
    TRY(state, decode<State>(*stored_state));
    if (!any_witnesses) CHECK(take_witnesses(wanted));
    if (*format == kFormatWithoutTree) CHECK(lay_tree());
    CHECK(load_cosigned());
    CHECK(load_words());
    return check_end();
  }

  /// The ledger's id commits to its witnesses, and logs in it name that id.
  [[nodiscard]] Result<void> take_witnesses(const LedgerDescriptor& wanted) {
    if (descriptor.w == wanted.w && descriptor.witnesses == wanted.witnesses) return {};
    if (state.size > 0) {
      return fail(Errc::wrong_state,
                  "this ledger was made with other witnesses, and its id commits to them: it asks "
                  "for " +
                      std::to_string(descriptor.w) + " of " +
                      std::to_string(descriptor.witnesses.size()));
    }
    LedgerDescriptor changed = descriptor;
    changed.w = wanted.w;
    changed.witnesses = wanted.witnesses;
    CHECK(check_descriptor(changed));
    leveldb::WriteBatch batch;
    batch.Put(kDescriptorKey, descriptor_json(changed));
    batch.Delete(kCosignedKey);
    batch.Delete(cosigned_key(0));
    CHECK(write(batch));
    descriptor = std::move(changed);
    return {};
  }

  [[nodiscard]] Result<void> load_cosigned() {
    TRY(const auto text, get(kCosignedKey));
    if (!text) return {};
    TRY(NewestCosigned newest, decode<NewestCosigned>(*text));
    if (newest.size > state.size) {
      return fail(Errc::storage_corrupt, "the ledger lacks entries that its witnesses have seen");
    }
    cosigned = CosignedCheckpoint{newest.size, std::move(newest.note)};
    return {};
  }

  /// The size says where the entries end, and one batch writes both.
  [[nodiscard]] Result<void> check_end() const {
    if (state.size > 0) {
      TRY(const std::string text, leaf_at(state.size - 1));
      TRY(const LedgerLeaf last, parse_leaf(text));
      if (to_ms(last.time) != state.newest_ms) {
        return fail(Errc::storage_corrupt, "the ledger's state is not that of its last entry");
      }
      TRY(const Digest256 hash, node({0, state.size - 1}));
      if (hash != merkle_leaf_hash(crypto::as_bytes(text))) {
        return fail(Errc::storage_corrupt, "the ledger's tree is not that of its last entry");
      }
    }
    TRY(const auto beyond, get(entry_key(state.size)));
    if (beyond) return fail(Errc::storage_corrupt, "the ledger holds entries beyond its size");
    return {};
  }

  [[nodiscard]] Result<void> write(leveldb::WriteBatch& batch) {
    leveldb::WriteOptions options;
    options.sync = true;
    const leveldb::Status status = db->Write(options, &batch);
    if (status.ok()) return {};
    broken = io_error(status);
    return *broken;
  }

  /// With what is staged.
  [[nodiscard]] State state_ahead() const {
    if (staged.leaves.empty()) return state;
    return {state.size + staged.leaves.size(), to_ms(staged.leaves.back().time)};
  }
  [[nodiscard]] Result<std::vector<AnchoredBlob>> blobs_ahead(const std::string& subject) const {
    std::vector<AnchoredBlob> blobs;
    CHECK(for_each(subject, 0, [&](LedgerEntry entry) {
      blobs.push_back({std::move(entry.blob), entry.time, {}, true, std::move(entry.witnessed)});
      return true;
    }));
    std::uint64_t position = state.size;
    for (const LedgerLeaf& leaf : staged.leaves) {
      const std::uint64_t at = position++;
      if (leaf.subject != subject) continue;
      blobs.push_back({leaf.blob, leaf.time});
      if (const auto kept = staged.words.find(at); kept != staged.words.end()) {
        blobs.back().witnessed = kept->second;
      }
    }
    return blobs;
  }
  [[nodiscard]] Result<SubjectHead> head_ahead(const std::string& subject) const {
    if (const auto found = staged.heads.find(subject); found != staged.heads.end()) {
      return found->second;
    }
    TRY(const auto stored, get(head_key(subject)));
    if (!stored) return SubjectHead{};
    return decode<SubjectHead>(*stored);
  }

  /// Where a blob is already, staged or durable.
  [[nodiscard]] Result<std::optional<Appended>> held(const std::string& hash) const {
    if (const auto found = staged.positions.find(hash); found != staged.positions.end()) {
      const LedgerLeaf& leaf = staged.leaves[found->second - state.size];
      return std::optional<Appended>({found->second, leaf.time});
    }
    TRY(const auto stored, get(blob_key(hash)));
    if (!stored) return std::optional<Appended>();
    TRY(const std::uint64_t position, from_big_endian(*stored));
    TRY(const LedgerEntry entry, entry_at(position));
    return std::optional<Appended>({position, entry.time});
  }

  /// All of the leaf or nothing. `is_repeat`: the blob is there already, in an earlier place.
  [[nodiscard]] Result<Appended> stage(LedgerLeaf leaf, const std::string& hash,
                                       bool is_repeat = false) {
    const std::uint64_t position = state_ahead().size;
    const std::string text = leaf_text(leaf);
    TRY(SubjectHead head, head_ahead(leaf.subject));
    TRY(const Entry entry, parse_entry(leaf.blob));
    TRY(const auto complete, nodes_by(position, text));
    head.hash = entry_hash(entry);
    head.position = position;
    ++head.count;
    leveldb::WriteBatch& batch = staged.batch;
    batch.Put(entry_key(position), text);
    for (const auto& [place, node_hash] : complete) {
      batch.Put(node_key(place), slice(crypto::as_text(node_hash)));
      staged.nodes[place] = node_hash;
    }
    batch.Put(subject_prefix(leaf.subject) + big_endian(position), leveldb::Slice());
    if (!is_repeat) {
      batch.Put(blob_key(hash), big_endian(position));
      staged.positions[hash] = position;
    }
    batch.Put(head_key(leaf.subject), encode(head));
    staged.heads[leaf.subject] = std::move(head);
    staged.leaves.push_back(std::move(leaf));
    return Appended{position, staged.leaves.back().time};
  }

  [[nodiscard]] Result<void> flush() {
    if (broken) return *broken;
    if (staged.leaves.empty() && staged.words.empty()) return {};
    const State next = state_ahead();
    staged.batch.Put(kStateKey, encode(next));
    CHECK(write(staged.batch));
    state = next;
    words.merge(staged.words);
    staged = {};
    return {};
  }
};

LevelDbLedger::LevelDbLedger(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LevelDbLedger::~LevelDbLedger() = default;

const LedgerDescriptor& LevelDbLedger::descriptor() const {
  return impl_->descriptor;
}
std::optional<Error> LevelDbLedger::failure() const {
  return impl_->broken;
}
std::uint64_t LevelDbLedger::size() const {
  return impl_->state.size;
}
MerkleReader LevelDbLedger::tree() const {
  return [impl = impl_.get()](const MerkleNode& wanted) { return impl->node(wanted); };
}

Result<std::unique_ptr<LevelDbLedger>> LevelDbLedger::open(const LevelDbLedgerOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->test_mode = options.test_mode;
  leveldb::Options db_options;
  db_options.create_if_missing = true;
  db_options.paranoid_checks = true;
  db_options.compression = leveldb::kNoCompression;
  leveldb::DB* db = nullptr;
  const leveldb::Status status = leveldb::DB::Open(db_options, options.directory, &db);
  if (!status.ok()) {
    // LevelDB has no status of its own for a lock that another holds.
    const bool locked = status.ToString().find("lock") != std::string::npos;
    if (locked) return fail(Errc::home_locked, "the ledger is open in another process");
    return io_error(status);
  }
  impl->db.reset(db);
  CHECK(impl->load(options.descriptor, options.any_witnesses));
  return std::unique_ptr<LevelDbLedger>(new LevelDbLedger(std::move(impl)));
}

Result<AppendOutcome> LevelDbLedger::stage(const AppendRequest& request, AnchorTime now) {
  if (impl_->broken) return AppendOutcome(UnknownOutcome{"an earlier write failed"});
  CHECK(check_append(request));
  const std::string hash = blob_hash(request.blob);
  TRY(const auto held, impl_->held(hash));
  if (held) {
    impl_->stage_words(held->position, words_to_keep(request, descriptor()));
    return AppendOutcome(*held);
  }
  TRY(const std::vector<AnchoredBlob> blobs, impl_->blobs_ahead(request.subject));
  const AnchorTime newest = anchor_time_ms(impl_->state_ahead().newest_ms);
  const AppendContext context{blobs,        newest, now, impl_->test_mode, ledger_id(descriptor()),
                              &descriptor()};
  TRY(auto judged, judge_append(request, context));
  if (auto* stale = std::get_if<StaleHead>(&judged)) return AppendOutcome(std::move(*stale));
  TRY(const Appended appended, impl_->stage(std::move(std::get<LedgerLeaf>(judged)), hash));
  impl_->stage_words(appended.position, words_to_keep(request, descriptor()));
  return AppendOutcome(appended);
}

Result<void> LevelDbLedger::stage_copy(const LedgerEntry& entry) {
  if (impl_->broken) return *impl_->broken;
  const State ahead = impl_->state_ahead();
  TRY(LedgerLeaf leaf, copied_leaf(entry, ahead.size, anchor_time_ms(ahead.newest_ms)));
  const std::string hash = blob_hash(leaf.blob);
  TRY(const auto held, impl_->held(hash));
  CHECK(impl_->stage(std::move(leaf), hash, held.has_value()));
  impl_->stage_words(ahead.size,
                     words_to_keep({entry.subject, entry.blob, {}, entry.witnessed}, descriptor()));
  return {};
}

Result<void> LevelDbLedger::flush() {
  return impl_->flush();
}

Result<LedgerPage> LevelDbLedger::read(std::string_view subject, std::uint64_t from) {
  CHECK(check_did_kith(subject));
  LedgerPage page;
  CHECK(impl_->for_each(subject, from, [&](LedgerEntry entry) {
    return add_to_page(page, std::move(entry), limits::kLedgerPageEntriesMax);
  }));
  return page;
}

Result<LedgerPage> LevelDbLedger::follow(std::uint64_t position, std::size_t max) {
  LedgerPage page;
  for (std::uint64_t at = position; at < impl_->state.size; ++at) {
    TRY(LedgerEntry entry, impl_->entry_at(at));
    if (!add_to_page(page, std::move(entry), max)) break;
  }
  return page;
}

Result<void> LevelDbLedger::keep_cosigned(const CosignedCheckpoint& cosigned) {
  if (impl_->broken) return *impl_->broken;
  ASSERT(cosigned.size <= impl_->state.size &&
         (!impl_->cosigned || impl_->cosigned->size <= cosigned.size));
  TRY(const auto first, impl_->get(cosigned_key(cosigned.size)));
  leveldb::WriteBatch batch;
  if (!first) batch.Put(cosigned_key(cosigned.size), cosigned.note);
  batch.Put(kCosignedKey, encode(NewestCosigned{cosigned.size, cosigned.note}));
  CHECK(impl_->write(batch));
  impl_->cosigned = cosigned;
  return {};
}

Result<std::optional<CosignedCheckpoint>> LevelDbLedger::newest_cosigned() const {
  return impl_->cosigned;
}

Result<std::optional<CosignedCheckpoint>> LevelDbLedger::first_cosigned(std::uint64_t size) const {
  leveldb::ReadOptions options;
  options.verify_checksums = true;
  const std::unique_ptr<leveldb::Iterator> it(impl_->db->NewIterator(options));
  it->Seek(cosigned_key(size));
  if (!it->status().ok()) return io_error(it->status());
  if (!it->Valid() || !view_of(it->key()).starts_with('c')) {
    return std::optional<CosignedCheckpoint>();
  }
  TRY(const std::uint64_t found, from_big_endian(view_of(it->key()).substr(1)));
  return std::optional<CosignedCheckpoint>({found, it->value().ToString()});
}

}  // namespace kith::ledger
