#pragma once

/// `web_redirect` (DIDComm v2.1, out-of-band, "Redirecting Back to Sender"): a contact whose
/// protocol has ended asks us to go on in a browser. The address is shown to the user as text, and
/// nothing ever opens it: only a person can know whether it was to be expected.

#include <optional>
#include <string>

#include "protocol/module.hpp"

namespace kith::protocol {

/// Longer addresses are not for people.
inline constexpr std::size_t kRedirectCharsMax = 512;

struct WebRedirect {
  std::string status;  ///< OK, FAIL or PENDING.
  std::string url;     ///< https, with a host and without a user; visible ASCII alone.
};

/// Absent too if anything about it is wrong: it is a courtesy, the message counts without it.
[[nodiscard]] std::optional<WebRedirect> web_redirect_of(const Message& message);

/// Tells the user, if `inbound` ends something (an acknowledgement or a problem report), comes from
/// a contact, and asks for it.
void show_web_redirect(Host& host, const Inbound& inbound);

}  // namespace kith::protocol
