#include "node/storage/record_seal.hpp"

namespace kith::node {
namespace {

constexpr std::size_t kIdLengthBytes = 4;
constexpr std::size_t kNameFrameBytes = 24;  ///< What stands round collection and id, at most.

std::string_view text_of(const Bytes& bytes) {
  return crypto::as_text(bytes);
}

std::string sealed_name(std::string_view disk_key, std::string_view kind) {
  constexpr std::string_view kPrefix = "kith-store-v1|";
  std::string name;
  name.reserve(kPrefix.size() + kind.size() + 1 + 2 * disk_key.size());
  return name.append(kPrefix).append(kind).append("|").append(
      crypto::hex(crypto::as_bytes(disk_key)));
}

struct IdAndValue {
  ByteView id;
  ByteView value;
};

Result<IdAndValue> split_stored(std::string_view stored) {
  const ByteView bytes = crypto::as_bytes(stored);
  if (bytes.size() < kIdLengthBytes) return fail(Errc::storage_corrupt, "a record is cut off");
  std::size_t length = 0;
  for (std::size_t i = 0; i < kIdLengthBytes; ++i) length = length << 8U | bytes[i];
  if (length > bytes.size() - kIdLengthBytes) {
    return fail(Errc::storage_corrupt, "a record is cut off");
  }
  return IdAndValue{bytes.subspan(kIdLengthBytes, length), bytes.subspan(kIdLengthBytes + length)};
}

}  // namespace

std::string RecordSeal::prefix(std::string_view collection) const {
  if (const auto known = prefixes_.find(collection); known != prefixes_.end()) {
    return known->second;
  }
  const Bytes tag = keys_.record_name("collection|" + std::string(collection));
  if (prefixes_.size() == kPrefixesKept) prefixes_.clear();
  return prefixes_.emplace(collection, text_of(tag).substr(0, kTagBytes)).first->second;
}

std::string RecordSeal::key(const protocol::RecordKey& record) const {
  // The length keeps ("a", "b|c") and ("a|b", "c") apart.
  std::string name = "record|";
  name.reserve(name.size() + record.collection.size() + record.id.size() + kNameFrameBytes);
  name += std::to_string(record.collection.size());
  name.append("|").append(record.collection).append("|").append(record.id);
  const Bytes tag = keys_.record_name(name);
  return prefix(record.collection).append(text_of(tag).substr(0, kTagBytes));
}

std::string RecordSeal::seal(std::string_view disk_key, std::string_view id, ByteView value) const {
  const Bytes sealed_id = keys_.seal_record(sealed_name(disk_key, "id"), crypto::as_bytes(id));
  const Bytes sealed = keys_.seal_record(sealed_name(disk_key, "value"), value);
  Bytes length;
  crypto::append_u32_be(length, static_cast<std::uint32_t>(sealed_id.size()));
  std::string out;
  out.reserve(length.size() + sealed_id.size() + sealed.size());
  out.append(text_of(length)).append(text_of(sealed_id)).append(text_of(sealed));
  return out;
}

Result<Bytes> RecordSeal::open_value(std::string_view disk_key, std::string_view stored) const {
  TRY(const IdAndValue parts, split_stored(stored));
  return keys_.open_record(sealed_name(disk_key, "value"), parts.value);
}

Result<std::string> RecordSeal::open_id(std::string_view collection, std::string_view disk_key,
                                        std::string_view stored) const {
  TRY(const IdAndValue parts, split_stored(stored));
  TRY(const Bytes id, keys_.open_record(sealed_name(disk_key, "id"), parts.id));
  std::string text(text_of(id));
  if (key({std::string(collection), text}) != disk_key) {
    return fail(Errc::storage_corrupt, "a record lies under a name that is not its own");
  }
  return text;
}

}  // namespace kith::node
