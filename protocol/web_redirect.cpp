#include "protocol/web_redirect.hpp"

#include <algorithm>
#include <array>

#include "protocol/sender.hpp"

namespace kith::protocol {
namespace {

/// RFC 3986: what stands in an address as it is. Whatever a terminal or a reader could take for
/// something else is not among it.
bool is_url_char(char c) {
  constexpr std::string_view kMarks = "-._~:/?#[]@!$&'()*+,;=%";
  const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return word || kMarks.find(c) != std::string_view::npos;
}

bool is_showable(std::string_view url) {
  constexpr std::string_view kScheme = "https://";
  if (url.size() > kRedirectCharsMax || !url.starts_with(kScheme)) return false;
  if (!std::ranges::all_of(url, is_url_char)) return false;
  const std::string_view rest = url.substr(kScheme.size());
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  // "https://bank.example@evil.example/" leads to the second one.
  return !authority.empty() && authority.front() != ':' &&
         authority.find('@') == std::string_view::npos;
}

}  // namespace

std::optional<WebRedirect> web_redirect_of(const Message& message) {
  constexpr std::array<std::string_view, 3> kStatuses{"OK", "FAIL", "PENDING"};
  const Json* header = message.others.if_contains("web_redirect");
  if (header == nullptr || !header->is_object()) return std::nullopt;
  const auto status = crypto::json_string(header->get_object(), "status");
  const auto url = crypto::json_string(header->get_object(), "redirectUrl");
  if (!status.has_value() || !url.has_value() || !is_showable(*url)) return std::nullopt;
  if (std::ranges::find(kStatuses, *status) == kStatuses.end()) return std::nullopt;
  return WebRedirect{*status, *url};
}

void show_web_redirect(Host& host, const Inbound& inbound) {
  const Message& message = inbound.message;
  if (message.ack.empty() && !is_problem_report(message)) return;
  const auto redirect = web_redirect_of(message);
  if (!redirect) return;
  const auto contact = sender_of(host, inbound);
  if (!contact.has_value()) return;
  host.notify({"web-redirect",
               contact->name + " asks you to go on in a browser (" + redirect->status +
                   "): " + redirect->url + " - open it only if you expected that.",
               contact->id,
               {}});
}

}  // namespace kith::protocol
