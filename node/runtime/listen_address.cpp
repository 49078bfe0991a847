#include "node/runtime/listen_address.hpp"

#include <charconv>

namespace kith::node {

Result<ListenAddress> parse_listen(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const auto wrong = [&] {
    return fail(Errc::usage, "--listen takes ADDRESS:PORT, such as 127.0.0.1:8000");
  };
  if (colon == std::string::npos) return wrong();
  ListenAddress address;
  address.host = text.substr(0, colon);
  if (address.host.starts_with('[') && address.host.ends_with(']')) {
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, address.port);
  if (error != std::errc() || stop != end || address.host.empty()) return wrong();
  return address;
}

Result<std::string> url_of(const std::string& host, std::uint16_t port, bool secure) {
  if (host == "0.0.0.0" || host == "::") {
    return fail(Errc::usage, "name the address that others use with --public-url");
  }
  const bool v6 = host.find(':') != std::string::npos;
  return std::string(secure ? "https://" : "http://") + (v6 ? "[" + host + "]" : host) + ":" +
         std::to_string(port) + "/";
}

}  // namespace kith::node
