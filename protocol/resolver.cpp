#include "protocol/resolver.hpp"

#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/did_key.hpp"
#include "protocol/did_peer.hpp"

namespace kith::protocol {
namespace {

/// Documents that were read from their DIDs, one a slot; a newer one takes the slot over. Such a
/// document never changes, so what is kept is what would be read again. Public data only.
class ReadDocuments {
 public:
  [[nodiscard]] const DidDocument* find(const Did& did) const {
    const auto& slot = slots_[slot_of(did)];
    return slot && slot->id == did ? &*slot : nullptr;
  }
  void keep(const DidDocument& document) {
    // Few are longer; they would make the memory of all slots a matter of who writes to us.
    if (document.id.text().size() <= kDidCharsMax) slots_[slot_of(document.id)] = document;
  }

 private:
  static constexpr std::size_t kSlots = 256;
  static constexpr std::size_t kDidCharsMax = 1024;
  static std::size_t slot_of(const Did& did) {
    std::uint32_t hash = 2166136261U;  // FNV-1a
    for (const char c : did.text()) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    return (hash ^ hash >> 16) % kSlots;
  }
  std::vector<std::optional<DidDocument>> slots_ = std::vector<std::optional<DidDocument>>(kSlots);
};

Result<DidDocument> read_self_contained(const Did& did) {
  if (did.method() == "key") return resolve_did_key(did);
  switch (did_peer_numalgo(did)) {
    case '0':
      return resolve_did_peer0(did);
    case '2':
      return resolve_did_peer2(did);
    case '4':
      return resolve_did_peer4(did);
    default:
      return fail(Errc::unsupported, "this DID does not hold its own document");
  }
}

}  // namespace

bool is_self_contained(const Did& did) {
  if (did.method() == "key") return true;
  const char numalgo = did_peer_numalgo(did);
  return numalgo == '0' || numalgo == '2' || is_did_peer4_long(did);
}

Result<DidDocument> resolve_self_contained(const Did& did) {
  thread_local ReadDocuments read;
  if (const DidDocument* const known = read.find(did)) return *known;
  TRY(DidDocument document, read_self_contained(did));
  read.keep(document);
  return document;
}

}  // namespace kith::protocol
