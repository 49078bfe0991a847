#include "recovery/super_messages.hpp"

#include <algorithm>

#include "crypto/hash.hpp"
#include "ledger/proposal_messages.hpp"
#include "ledger/strict_json.hpp"
#include "protocol/messenger.hpp"
#include "protocol/sender.hpp"
#include "recovery/ids.hpp"

namespace kith::recovery {
namespace {

constexpr std::uint64_t kSuperCodes = 1'000'000;

}  // namespace

Bytes super_key_statement(std::string_view offer_id, std::string_view log, std::string_view key,
                          std::string_view holder_did, std::string_view owner_did) {
  return labelled("super-key",
                  {crypto::as_bytes(offer_id), crypto::as_bytes(log), crypto::as_bytes(key),
                   crypto::as_bytes(holder_did), crypto::as_bytes(owner_did)});
}

std::string super_code(const std::vector<std::string>& hashes) {
  std::string all;
  for (const std::string& hash : hashes) all += hash + "\n";
  const auto digest = crypto::sha256(labelled("super-code", {crypto::as_bytes(all)}));
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = number << 8U | digest[i];
  std::string digits = std::to_string(number % kSuperCodes);
  digits.insert(0, 6 - digits.size(), '0');
  return digits;
}

Result<void> check_super_id(std::string_view id) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  const bool fits =
      id.size() >= super_limits::kIdCharsMin && id.size() <= super_limits::kIdCharsMax;
  if (fits && std::ranges::all_of(id, is_hex)) return {};
  return fail(Errc::malformed, "the id is not one of random bytes in hex");
}

Result<void> check_super_text(std::string_view text) {
  if (text.size() > super_limits::kTextBytesMax) {
    return fail(Errc::limit_exceeded, "the text is too long");
  }
  return ledger::check_reason(text);
}

Result<void> send_super(Host& host, const Contact& to, std::string_view type, JsonObject body,
                        Time expires) {
  TRY(Message message, protocol::message_to(host, to, type));
  message.body = std::move(body);
  protocol::SendOptions options;
  if (expires != Time{}) {
    message.expires_time = protocol::epoch_seconds(expires);
    options.life = expires - host.now();
  }
  TRY(const std::string id, protocol::send(host, std::move(message), options));
  return {};
}

}  // namespace kith::recovery
