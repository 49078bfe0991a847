#pragma once

/// Looks at the bytes of a request's header before any parser does. Servers and proxies that read
/// sloppy line ends differently can be made to see different requests (RFC 9112 section 11.2), so
/// only the strict form passes.

#include <cstddef>
#include <string_view>

namespace kith::node {

/// Feed it the whole buffer each time; it continues where it stopped.
class HeaderScan {
 public:
  enum class State {
    kMore,  ///< The empty line has not come yet.
    kEnd,   ///< end() bytes are the header, with its empty line.
    kBad,   ///< Bare CR or LF, NUL, or a folded line.
  };

  [[nodiscard]] State scan(std::string_view buffer) {
    for (; next_ < buffer.size(); ++next_) {
      const char c = buffer[next_];
      const char before = next_ == 0 ? '\n' : buffer[next_ - 1];
      if (c == '\0') return State::kBad;
      if ((c == '\n') != (before == '\r')) return State::kBad;
      // An empty line at the very start would be an end without a header.
      if (before == '\n' && (c == ' ' || c == '\t' || (c == '\r' && next_ == 0))) {
        return State::kBad;
      }
      if (c == '\n' && next_ >= 3 && buffer.substr(next_ - 3, 4) == "\r\n\r\n") {
        end_ = ++next_;
        return State::kEnd;
      }
    }
    return State::kMore;
  }

  [[nodiscard]] std::size_t end() const { return end_; }

 private:
  std::size_t next_ = 0;
  std::size_t end_ = 0;
};

}  // namespace kith::node
