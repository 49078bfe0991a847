#include "protocol/invitation.hpp"

#include <algorithm>

#include "crypto/limits.hpp"

namespace kith::protocol {

namespace {

constexpr std::string_view kSpaces = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

/// A bare look at the address: the transport checks it again before it connects.
bool is_web_address(std::string_view url) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!url.starts_with(scheme)) continue;
    const std::string_view rest = url.substr(scheme.size());
    return !rest.empty() && rest.front() != '/' && rest.front() != '?' &&
           std::ranges::all_of(rest, [](char c) { return c > ' ' && c < '\x7f'; });
  }
  return false;
}

/// Peers pad base64 now and then, and browsers escape the padding.
std::string_view without_padding(std::string_view text) {
  while (text.ends_with("=") || text.ends_with("%3D") || text.ends_with("%3d")) {
    text.remove_suffix(text.ends_with("=") ? 1 : 3);
  }
  return text;
}

struct Parameters {
  std::optional<std::string_view> oob;
  std::optional<std::string_view> oob_id;
  bool older_kind = false;
};

Result<void> take(std::optional<std::string_view>& place, std::string_view value) {
  if (place) return fail(Errc::bad_url, "the address holds two invitations");
  if (value.empty()) return fail(Errc::bad_url, "the address ends before the invitation");
  place = value;
  return {};
}

Result<Parameters> parameters_of(std::string_view url) {
  Parameters found;
  const std::size_t question = url.find('?');
  if (question == std::string_view::npos) return found;
  std::string_view query = url.substr(question + 1);
  query = query.substr(0, query.find('#'));
  while (!query.empty()) {
    const std::string_view item = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), item.size() + 1));
    const std::size_t equals = item.find('=');
    const std::string_view name = item.substr(0, equals);
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : item.substr(equals + 1);
    if (name == "_oob") CHECK(take(found.oob, value));
    if (name == "_oobid") CHECK(take(found.oob_id, value));
    if (name == "oob" || name == "c_i") found.older_kind = true;
  }
  return found;
}

Result<Invitation> decode(std::string_view encoded) {
  const auto bytes = crypto::from_base64url(without_padding(encoded));
  if (bytes.has_error()) {
    return fail(Errc::malformed,
                "the part after _oob= is damaged: the address was probably not copied whole");
  }
  TRY(const Message message, parse_message(crypto::as_text(*bytes)));
  return parse_invitation(message);
}

Result<void> read_accept(Invitation& invitation, const JsonObject& body) {
  if (!body.contains("accept")) return {};
  TRY(const JsonArray* items, crypto::json_array(body, "accept"));
  if (items->size() > limits::kMessageHeaderItemsMax) {
    return fail(Errc::limit_exceeded, "an invitation with too many profiles");
  }
  for (const Json& item : *items) {
    if (!item.is_string()) return fail(Errc::malformed, "a profile that is not text");
    invitation.accept.emplace_back(item.get_string().data(), item.get_string().size());
  }
  return {};
}

}  // namespace

Message to_message(const Invitation& invitation) {
  Message message;
  message.id = invitation.id;
  message.type = kInvitationType;
  message.from = invitation.from;
  message.expires_time = invitation.expires_time;
  message.attachments = invitation.attachments;
  message.body = invitation.body_others;
  if (invitation.goal_code) message.body["goal_code"] = *invitation.goal_code;
  if (invitation.goal) message.body["goal"] = *invitation.goal;
  if (!invitation.accept.empty()) {
    message.body["accept"] = JsonArray(invitation.accept.begin(), invitation.accept.end());
  }
  return message;
}

Result<Invitation> parse_invitation(const Message& message) {
  if (!same_message(message.type, kInvitationType)) {
    return fail(Errc::unknown_type, "this message is not an out-of-band 2.0 invitation");
  }
  if (!message.from) return fail(Errc::malformed, "an invitation that does not say who invites");
  Invitation invitation{message.id, *message.from, {}, {}, {}, {}, {}, {}};
  TRY(invitation.goal_code, crypto::json_optional_string(message.body, "goal_code"));
  TRY(invitation.goal, crypto::json_optional_string(message.body, "goal"));
  const std::size_t text_bytes =
      invitation.goal_code.value_or("").size() + invitation.goal.value_or("").size();
  if (text_bytes > limits::kTextBytesMax) {
    return fail(Errc::limit_exceeded, "an invitation whose goal is too long");
  }
  CHECK(read_accept(invitation, message.body));
  invitation.attachments = message.attachments;
  invitation.expires_time = message.expires_time;
  invitation.body_others = message.body;
  for (const std::string_view known : {"goal_code", "goal", "accept"}) {
    invitation.body_others.erase(known);
  }
  return invitation;
}

Result<std::string> invitation_url(const Invitation& invitation, std::string_view base) {
  if (!is_web_address(base) || base.find('#') != std::string_view::npos) {
    return fail(Errc::bad_url, "invitations need an http or https address without a fragment");
  }
  const std::string text = message_text(to_message(invitation));
  std::string url(base);
  url += base.find('?') == std::string_view::npos ? "?" : "&";
  url += "_oob=" + crypto::base64url(crypto::as_bytes(text));
  if (url.size() > limits::kInvitationUrlCharsMax) {
    return fail(Errc::limit_exceeded, "the invitation is too long for an address");
  }
  return url;
}

Result<InvitationUrl> parse_invitation_url(std::string_view url) {
  url = trimmed(url);
  if (url.size() > limits::kInvitationUrlCharsMax) {
    return fail(Errc::limit_exceeded, "the address is too long for an invitation");
  }
  if (!is_web_address(url)) {
    return fail(Errc::bad_url, "an invitation is an address that starts with https://");
  }
  TRY(const Parameters found, parameters_of(url));
  if (found.oob && found.oob_id) return fail(Errc::bad_url, "the address holds two invitations");
  InvitationUrl result;
  if (found.oob) {
    TRY(result.invitation, decode(*found.oob));
    return result;
  }
  if (found.oob_id) {
    result.short_id = std::string(*found.oob_id);
    return result;
  }
  if (found.older_kind) {
    return fail(Errc::bad_url, "this invitation is of an older kind (DIDComm v1)");
  }
  return fail(Errc::bad_url, "the address holds no invitation: the part with _oob= is missing");
}

}  // namespace kith::protocol
