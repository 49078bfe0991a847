// Invitations: addresses as people paste them and, since a fuzzer does not see through base64, bare
// messages that are put into an address here.

#include "protocol/invitation.hpp"

#include "fuzz/target.hpp"

namespace kith::fuzz {
namespace {

constexpr std::string_view kBase = "https://a.example/i?x=1";

/// Into an address and out again.
void check_address(const Invitation& invitation) {
  const auto url = protocol::invitation_url(invitation, kBase);
  if (!url.has_value()) {
    hold(url.error() == Errc::limit_exceeded,
         "only its length keeps an invitation from an address");
    return;
  }
  const auto read = must(protocol::parse_invitation_url(" " + written(*url) + "\n"),
                         "our own address can be read");
  hold(read.invitation.has_value() && !read.short_id, "it holds the invitation");
  hold(same(to_json(to_message(*read.invitation)), to_json(to_message(invitation))),
       "an invitation stays the same");
}

}  // namespace

Verdict invitation(ByteView input) {
  const std::string_view text = crypto::as_text(input);
  std::string address(text);
  if (!text.starts_with("http")) {
    address = "https://b.example/?_oob=" + crypto::base64url(input);
  }
  const auto read = protocol::parse_invitation_url(address);
  if (!read.has_value()) return Verdict::refused;
  hold(read->invitation.has_value() != read->short_id.has_value(), "one of both forms");
  if (read->invitation) check_address(*read->invitation);
  if (read->short_id) {
    hold(address.find("_oobid=" + *read->short_id) != std::string::npos, "the id was there");
  }
  return Verdict::accepted;
}

}  // namespace kith::fuzz
