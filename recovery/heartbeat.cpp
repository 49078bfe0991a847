#include "recovery/heartbeat.hpp"

namespace kith::recovery {

Bytes heartbeat_statement(const RecordId& record_id, std::uint64_t version, ByteView challenge,
                          std::string_view owner_did, std::string_view trustee_did) {
  return labelled("heartbeat", {record_id, u64_bytes(version), challenge,
                                crypto::as_bytes(owner_did), crypto::as_bytes(trustee_did)});
}

}  // namespace kith::recovery
