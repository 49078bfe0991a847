#pragma once

/// out-of-band 2.0: invitations as messages and as URLs. Plaintext, so without secrets; `from` must
/// resolve by itself.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/message.hpp"

namespace kith::protocol {

inline constexpr std::string_view kInvitationType =
    "https://didcomm.org/out-of-band/2.0/invitation";

struct Invitation {
  std::string id;  ///< Answers carry it as `pthid`.
  Did from;
  std::optional<std::string> goal_code;
  std::optional<std::string> goal;      ///< For people; at most limits::kTextBytesMax.
  std::vector<std::string> accept;      ///< Profiles, e.g. "didcomm/v2".
  std::vector<Attachment> attachments;  ///< Alternatives: pick one.
  std::optional<std::int64_t> expires_time;
  JsonObject body_others;  ///< Further members of the body.
};

[[nodiscard]] Message to_message(const Invitation& invitation);
/// Errors: malformed, limit_exceeded, unknown_type.
[[nodiscard]] Result<Invitation> parse_invitation(const Message& message);

/// `base` is an http(s) address; gives `<base>?_oob=<base64url of the compact JSON>`.
/// Errors: bad_url, limit_exceeded (limits::kInvitationUrlCharsMax).
[[nodiscard]] Result<std::string> invitation_url(const Invitation& invitation,
                                                 std::string_view base);

/// What a pasted address holds: the invitation itself, or the short form that must be fetched.
struct InvitationUrl {
  std::optional<Invitation> invitation;
  /// `_oobid`: a GET of the whole address redirects to the long form.
  std::optional<std::string> short_id;
};

/// White space round the address is ignored, so that pasting works.
/// Errors: bad_url (not such an address, with a helpful detail), malformed (the part after _oob= is
/// damaged), limit_exceeded, unknown_type.
[[nodiscard]] Result<InvitationUrl> parse_invitation_url(std::string_view url);

}  // namespace kith::protocol

namespace kith {
using protocol::Invitation;
}
