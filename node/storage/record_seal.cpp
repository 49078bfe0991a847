#include "node/storage/record_seal.hpp"

namespace kith::node {
namespace {

constexpr std::size_t kLengthBytes = 4;

std::string_view text_of(const Bytes& bytes) {
  return crypto::as_text(bytes);
}

std::string sealed_name(std::string_view disk_key, std::string_view kind) {
  return "kith-store-v1|" + std::string(kind) + "|" + crypto::hex(crypto::as_bytes(disk_key));
}

struct Parts {
  ByteView id;
  ByteView value;
};

Result<Parts> split(std::string_view stored) {
  const ByteView bytes = crypto::as_bytes(stored);
  if (bytes.size() < kLengthBytes) return fail(Errc::storage_corrupt, "a record is cut off");
  std::size_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) length = length << 8U | bytes[i];
  if (length > bytes.size() - kLengthBytes) {
    return fail(Errc::storage_corrupt, "a record is cut off");
  }
  return Parts{bytes.subspan(kLengthBytes, length), bytes.subspan(kLengthBytes + length)};
}

}  // namespace

std::string RecordSeal::prefix(std::string_view collection) const {
  const Bytes tag = keys_.record_name("collection|" + std::string(collection));
  return std::string(text_of(tag).substr(0, kTagBytes));
}

std::string RecordSeal::key(const protocol::RecordKey& record) const {
  // The length keeps ("a", "b|c") and ("a|b", "c") apart.
  const Bytes tag = keys_.record_name("record|" + std::to_string(record.collection.size()) + "|" +
                                      record.collection + "|" + record.id);
  return prefix(record.collection) + std::string(text_of(tag).substr(0, kTagBytes));
}

std::string RecordSeal::seal(const protocol::RecordKey& record, ByteView value) const {
  const std::string disk_key = key(record);
  const Bytes id = keys_.seal_record(sealed_name(disk_key, "id"), crypto::as_bytes(record.id));
  const Bytes sealed = keys_.seal_record(sealed_name(disk_key, "value"), value);
  Bytes out;
  crypto::append_u32_be(out, static_cast<std::uint32_t>(id.size()));
  crypto::append(out, id);
  crypto::append(out, sealed);
  return std::string(text_of(out));
}

Result<Bytes> RecordSeal::open_value(const protocol::RecordKey& record,
                                     std::string_view stored) const {
  TRY(const Parts parts, split(stored));
  return keys_.open_record(sealed_name(key(record), "value"), parts.value);
}

Result<std::string> RecordSeal::open_id(std::string_view collection, std::string_view disk_key,
                                        std::string_view stored) const {
  TRY(const Parts parts, split(stored));
  TRY(const Bytes id, keys_.open_record(sealed_name(disk_key, "id"), parts.id));
  std::string text(text_of(id));
  if (key({std::string(collection), text}) != disk_key) {
    return fail(Errc::storage_corrupt, "a record lies under a name that is not its own");
  }
  return text;
}

}  // namespace kith::node
