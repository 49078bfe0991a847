#pragma once

/// The plaintext message of DIDComm v2.1 (section "Message Structure"): a value that holds the
/// standard headers typed and keeps all others. Times are UTC epoch seconds.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/json.hpp"
#include "crypto/random.hpp"
#include "protocol/did.hpp"
#include "protocol/message_type.hpp"

namespace kith::protocol {

inline constexpr std::string_view kPlainMediaType = "application/didcomm-plain+json";
inline constexpr std::string_view kSignedMediaType = "application/didcomm-signed+json";
inline constexpr std::string_view kEncryptedMediaType = "application/didcomm-encrypted+json";

struct Attachment {
  std::optional<std::string> id;
  std::optional<std::string> description;
  std::optional<std::string> filename;
  std::optional<std::string> media_type;
  std::optional<std::string> format;
  std::optional<std::int64_t> lastmod_time;  ///< Epoch seconds.
  std::optional<std::int64_t> byte_count;
  // `data`: at least one of base64, json and links (which needs hash).
  std::optional<Bytes> base64;      ///< Decoded.
  std::optional<std::string> json;  ///< As json_text gives it, within the limits of read_json.
  std::vector<std::string> links;
  std::optional<std::string> hash;  ///< Multihash as text.
  std::optional<Json> jws;          ///< Detached signature, not verified here.

  /// The payload as text: the decoded base64, or the JSON in compact form.
  /// Errors: unsupported (links only), malformed (not UTF-8 text is the caller's matter).
  [[nodiscard]] Result<std::string> payload() const;
};

/// Attachments with one payload.
[[nodiscard]] Attachment json_attachment(const Json& value, std::string_view id = {});
[[nodiscard]] Attachment base64_attachment(ByteView bytes, std::string_view id = {});

struct Message {
  std::string id;
  std::string type;
  std::optional<Did> from;
  std::vector<Did> to;
  std::optional<std::string> thid;  ///< Absent means `id`: see thread().
  std::optional<std::string> pthid;
  std::optional<std::int64_t> created_time;
  std::optional<std::int64_t> expires_time;
  JsonObject body;
  std::vector<Attachment> attachments;
  std::optional<std::string> from_prior;  ///< Compact JWT, see from_prior.hpp.
  std::vector<std::string> please_ack;    ///< Ids; "" is this message.
  std::vector<std::string> ack;
  std::optional<std::string> return_route;  ///< none, all or thread.
  std::optional<std::string> return_route_thread;
  std::optional<std::string> lang;
  std::vector<std::string> accept_lang;
  JsonObject others;  ///< Every other header, untouched (without `typ` and our padding).

  [[nodiscard]] const std::string& thread() const { return thid ? *thid : id; }
  [[nodiscard]] bool is_to(const Did& did) const;
};

/// Strict reading with limits. Unknown headers are kept and never fail; a missing body is empty.
/// Errors: malformed, limit_exceeded, unsupported (`typ` of something else).
[[nodiscard]] Result<Message> parse_message(std::string_view text,
                                            std::size_t bytes_max = limits::kJsonBytesMax);
[[nodiscard]] Result<Message> read_message(ValueView object);
[[nodiscard]] Result<Message> read_message(const JsonObject& object);

/// Compact, always with `typ` and `body`. A message without id or type is our own bug.
[[nodiscard]] std::string message_text(const Message& message);
/// The same as a tree.
[[nodiscard]] JsonObject to_json(const Message& message);

/// A new lower-case UUID (version 4).
[[nodiscard]] std::string new_message_id(Random& random);
/// Ids are compared, and remembered against replay, without regard to case: this is the key to use.
[[nodiscard]] std::string message_id_key(std::string_view id);
/// RFC 3986 unreserved characters, 1 to limits::kMessageIdCharsMax of them.
[[nodiscard]] bool is_message_id(std::string_view id);

/// A message with new id and `created_time`.
[[nodiscard]] Message new_message(std::string_view type, Random& random, std::int64_t now_seconds);
/// An answer: from and to turned round (our DID is the first of `to`), thread and parent thread
/// kept.
[[nodiscard]] Message new_reply(const Message& to, std::string_view type, Random& random,
                                std::int64_t now_seconds);

}  // namespace kith::protocol

namespace kith {
using protocol::Attachment;
using protocol::Message;
}  // namespace kith
