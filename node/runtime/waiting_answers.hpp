#pragma once

/// HTTP requests whose answer is still being made (return route). The answer may be an envelope
/// that a unit of work sends back, or what is left to say when the unit has ended.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "node/net/http.hpp"

namespace kith::node {

class WaitingAnswers {
 public:
  /// The channel's name, for EnvelopeArrived.
  [[nodiscard]] std::string add(HttpRespond respond) {
    std::string channel = "c" + std::to_string(next_++);
    waiting_[channel] = std::move(respond);
    return channel;
  }
  /// Nothing if the request was answered, or is unknown.
  [[nodiscard]] std::optional<HttpRespond> take(const std::string& channel) {
    auto found = waiting_.extract(channel);
    if (found.empty()) return std::nullopt;
    return std::move(found.mapped());
  }
  [[nodiscard]] std::size_t size() const { return waiting_.size(); }

 private:
  std::map<std::string, HttpRespond> waiting_;
  std::uint64_t next_ = 0;
};

}  // namespace kith::node
