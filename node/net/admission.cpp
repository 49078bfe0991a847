#include "node/net/admission.hpp"

#include <utility>

#include "crypto/assert.hpp"
#include "node/net/http_parts.hpp"

namespace kith::node {

Admission::Place::Place(std::shared_ptr<Admission> admission, std::string group)
    : admission_(std::move(admission)), group_(std::move(group)) {
  ++admission_->requests_;
  ++admission_->counts_[group_];
}

Admission::Place::~Place() {
  --(is_websocket_ ? admission_->websockets_ : admission_->requests_);
  const auto count = admission_->counts_.find(group_);
  ASSERT(count != admission_->counts_.end());
  if (--count->second == 0) admission_->counts_.erase(count);
}

bool Admission::Place::become_websocket() {
  ASSERT(!is_websocket_);
  if (admission_->websockets_ >= admission_->limits_.websockets) return false;
  is_websocket_ = true;
  --admission_->requests_;
  ++admission_->websockets_;
  return true;
}

std::unique_ptr<Admission::Place> Admission::admit(const boost::asio::ip::address& address,
                                                   std::int64_t now_ms) {
  std::string group = address_group(address);
  const auto count = counts_.find(group);
  const bool exempt = limits_.exempt_loopback && address.is_loopback();
  if (!exempt) {
    if (count != counts_.end() && count->second >= limits_.connections_per_address) return nullptr;
    if (!arrivals_.admit(group, now_ms)) return nullptr;
  }
  if (requests_ >= limits_.http_connections || requests_ + websockets_ >= limits_.connections) {
    return nullptr;
  }
  return std::make_unique<Place>(shared_from_this(), std::move(group));
}

}  // namespace kith::node
