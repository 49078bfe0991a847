// The first look at a request's header (node/net/header_scan.hpp): how the bytes arrive makes no
// difference, and what passes has one reading.

#include "node/net/header_scan.hpp"

#include <algorithm>

#include "fuzz/target.hpp"

namespace kith::fuzz {
namespace {

using node::HeaderScan;

struct Scanned {
  HeaderScan::State state = HeaderScan::State::kMore;
  std::size_t end = 0;
  friend bool operator==(const Scanned&, const Scanned&) = default;
};

Scanned scan_in_steps(std::string_view text, std::size_t step) {
  HeaderScan scan;
  Scanned scanned;
  for (std::size_t have = 0; have < text.size() && scanned.state == HeaderScan::State::kMore;) {
    have = std::min(text.size(), have + step);
    scanned.state = scan.scan(text.substr(0, have));
  }
  scanned.end = scanned.state == HeaderScan::State::kEnd ? scan.end() : 0;
  return scanned;
}

}  // namespace

Verdict http_header(ByteView input) {
  const std::string_view text = crypto::as_text(input);
  const Scanned whole = scan_in_steps(text, std::max<std::size_t>(text.size(), 1));
  for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{7}}) {
    hold(scan_in_steps(text, step) == whole, "how a header arrives makes no difference");
  }
  if (whole.state != HeaderScan::State::kEnd) return Verdict::refused;
  const std::string header = written(std::string(text.substr(0, whole.end)));
  hold(header.find("\r\n\r\n") + 4 == header.size(), "the first empty line ends a header");
  for (std::size_t i = 0; i < header.size(); ++i) {
    const bool after_return = i > 0 && header[i - 1] == '\r';
    hold((header[i] == '\n') == after_return, "lines end in CR LF only");
    hold(header[i] != '\0', "no NUL");
    if (i > 0 && header[i - 1] == '\n') hold(header[i] != ' ' && header[i] != '\t', "no folding");
  }
  return Verdict::accepted;
}

}  // namespace kith::fuzz
