#include "crypto/agreement_cache.hpp"

namespace kith::crypto {

const SecretBytes* AgreementCache::find(ByteView own_public, ByteView peer_public) {
  const auto found = pairs_.find({to_bytes(own_public), to_bytes(peer_public)});
  if (found == pairs_.end()) return nullptr;
  uses_.splice(uses_.begin(), uses_, found->second.use);
  return &found->second.zs;
}

void AgreementCache::keep(ByteView own_public, ByteView peer_public, const SecretBytes& zs) {
  if (pairs_max_ == 0 || find(own_public, peer_public) != nullptr) return;
  while (pairs_.size() >= pairs_max_) drop(pairs_.find(uses_.back()));
  uses_.push_front({to_bytes(own_public), to_bytes(peer_public)});
  pairs_.emplace(uses_.front(), Kept{zs.clone(), uses_.begin()});
}

void AgreementCache::forget(ByteView public_key) {
  for (auto entry = pairs_.begin(); entry != pairs_.end();) {
    const auto next = std::next(entry);
    if (equal(entry->first.own, public_key) || equal(entry->first.peer, public_key)) drop(entry);
    entry = next;
  }
}

void AgreementCache::clear() {
  pairs_.clear();
  uses_.clear();
}

void AgreementCache::resize(std::size_t pairs_max) {
  pairs_max_ = pairs_max;
  while (pairs_.size() > pairs_max_) drop(pairs_.find(uses_.back()));
}

void AgreementCache::drop(std::map<Pair, Kept>::iterator entry) {
  uses_.erase(entry->second.use);
  pairs_.erase(entry);
}

}  // namespace kith::crypto
