#include "ledger/host_port.hpp"

#include <algorithm>

namespace kith::ledger {

namespace {

bool host_has(std::string_view text, std::string_view others) {
  return std::ranges::all_of(text, [&](char c) {
    const bool alphanumeric =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return alphanumeric || others.find(c) != std::string_view::npos;
  });
}

}  // namespace

Result<std::string> host_with_port(std::string_view text, std::string_view usual_port) {
  const std::size_t bracket = text.rfind(']');
  const std::size_t colon = text.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  const std::string_view host = text.substr(0, has_port ? colon : text.size());
  const bool is_v6 = host.size() > 4 && host.front() == '[' && host.back() == ']';
  const bool good = is_v6 ? host_has(host.substr(1, host.size() - 2), ":") : host_has(host, ".-");
  if (host.empty() || !good) return fail(Errc::bad_url, "a server of the ledger is not named well");
  if (!has_port) return std::string(host) + std::string(usual_port);
  const std::string_view port = text.substr(colon + 1);
  const bool plain = !port.empty() && port.size() <= 5 && port.front() != '0' &&
                     port.find_first_not_of("0123456789") == std::string_view::npos;
  if (!plain || std::stoul(std::string(port)) > 65535) {
    return fail(Errc::bad_url, "the port of a server is not valid");
  }
  return std::string(text);
}

}  // namespace kith::ledger
