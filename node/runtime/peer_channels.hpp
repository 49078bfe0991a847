#pragma once

/// Which connections belong to which peer: the DID that authenticated itself on each most recently.

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace kith::node {

class PeerChannels {
 public:
  explicit PeerChannels(std::size_t per_peer) : per_peer_(per_peer) {}

  /// `peer` has just spoken on `channel`. Returns the channel that has to be closed, as the peer
  /// has too many: the one that was quiet for longest. It is forgotten already.
  [[nodiscard]] std::optional<std::string> spoke(const std::string& channel,
                                                 const std::string& peer) {
    forget(channel);
    peer_of_[channel] = peer;
    std::vector<std::string>& channels = channels_[peer];
    channels.push_back(channel);
    if (channels.size() <= per_peer_) return std::nullopt;
    std::string quietest = channels.front();
    forget(quietest);
    return quietest;
  }

  /// The channel is closed.
  void forget(const std::string& channel) {
    const auto found = peer_of_.find(channel);
    if (found == peer_of_.end()) return;
    const auto channels = channels_.find(found->second);
    std::erase(channels->second, channel);
    if (channels->second.empty()) channels_.erase(channels);
    peer_of_.erase(found);
  }

  [[nodiscard]] std::size_t size() const { return peer_of_.size(); }

 private:
  std::size_t per_peer_;
  std::map<std::string, std::string> peer_of_;  ///< By channel.
  std::map<std::string, std::vector<std::string>>
      channels_;  ///< By peer; last spoken on at the end.
};

}  // namespace kith::node
