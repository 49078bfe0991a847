#include "protocol/message.hpp"

#include <algorithm>

#include "crypto/limits.hpp"
#include "protocol/attachment.hpp"
#include "protocol/language.hpp"
#include "protocol/padding.hpp"

namespace kith::protocol {

namespace {

using crypto::json_optional_int;
using crypto::json_optional_string;

Result<std::vector<std::string>> read_texts(ValueView object, std::string_view member) {
  std::vector<std::string> texts;
  if (!object.contains(member)) return texts;
  TRY(const ValueView items, crypto::json_array(object, member));
  if (items.size() > limits::kMessageHeaderItemsMax) {
    return fail(Errc::limit_exceeded, "too many items in " + std::string(member));
  }
  for (const ValueView item : items.items()) {
    const auto text = item.text();
    if (!text) return fail(Errc::malformed, std::string(member) + " must be a list of texts");
    texts.emplace_back(*text);
  }
  return texts;
}

Result<void> check_id(std::string_view id, std::string_view member) {
  if (id.size() > limits::kMessageIdCharsMax) {
    return fail(Errc::limit_exceeded, std::string(member) + " is too long");
  }
  if (!is_message_id(id)) {
    return fail(Errc::malformed, std::string(member) + " is empty or has a forbidden character");
  }
  return {};
}

Result<void> check_ids(const std::vector<std::string>& ids, std::string_view member,
                       bool empty_allowed) {
  for (const std::string& id : ids) {
    if (id.empty() && empty_allowed) continue;
    CHECK(check_id(id, member));
  }
  return {};
}

/// A DID, or a DID URL without fragment, of which the DID counts.
Result<Did> read_party(std::string_view text) {
  if (text.find_first_of("/?#") == std::string_view::npos) return Did::parse(text);
  TRY(const DidUrl url, DidUrl::parse(text));
  if (url.has_fragment()) {
    return fail(Errc::malformed, "from and to name DIDs, not keys");
  }
  return url.did();
}

Result<void> check_typ(ValueView object) {
  TRY(const auto typ, json_optional_string(object, "typ"));
  if (!typ) return {};
  constexpr std::string_view kSubtype = kPlainMediaType.substr(kPlainMediaType.find('/') + 1);
  if (*typ != kPlainMediaType && *typ != kSubtype) {
    return fail(Errc::unsupported, "typ is not that of a DIDComm plaintext message");
  }
  return {};
}

// ---- Attachments -------------------------------------------------------------------------------

Result<Bytes> read_base64(std::string_view base64) {
  // The specification says base64url, and pads it in its own example.
  const std::string_view text = base64.substr(0, base64.find('='));
  if (base64.size() - text.size() > 2) {
    return fail(Errc::malformed, "the base64 of an attachment ends in too much padding");
  }
  if (base64.find_first_not_of('=', text.size()) != std::string_view::npos) {
    return fail(Errc::malformed, "the base64 of an attachment has padding inside");
  }
  return crypto::from_base64url(text);
}

Result<void> read_data(Attachment& attachment, ValueView data) {
  TRY(const auto base64, json_optional_string(data, "base64"));
  if (base64) {
    TRY(attachment.base64, read_base64(*base64));
  }
  if (const auto json = data.field("json")) attachment.json = crypto::json_text(*json);
  TRY(attachment.links, read_texts(data, "links"));
  TRY(attachment.hash, json_optional_string(data, "hash"));
  if (const auto jws = data.field("jws")) attachment.jws = crypto::json_tree(*jws);
  if (!attachment.links.empty() && !attachment.hash) {
    return fail(Errc::malformed, "an attachment with links needs a hash");
  }
  if (!attachment.base64 && !attachment.json && attachment.links.empty()) {
    return fail(Errc::malformed, "an attachment has no data");
  }
  if (!attachment.hash) return {};
  // What must be fetched is checked then. A hash function that is unknown here proves nothing.
  TRY(const ContentHash hash, parse_content_hash(*attachment.hash));
  if (!attachment.base64 || !hash.is_supported()) return {};
  return check_content_hash(*attachment.hash, *attachment.base64);
}

Result<Attachment> read_attachment(ValueView value) {
  TRY(const ValueView object, crypto::as_object(value, "an attachment"));
  Attachment attachment;
  TRY(attachment.id, json_optional_string(object, "id"));
  if (attachment.id) CHECK(check_id(*attachment.id, "the id of an attachment"));
  TRY(attachment.description, json_optional_string(object, "description"));
  TRY(attachment.filename, json_optional_string(object, "filename"));
  TRY(attachment.media_type, json_optional_string(object, "media_type"));
  TRY(attachment.format, json_optional_string(object, "format"));
  TRY(attachment.lastmod_time, json_optional_int(object, "lastmod_time"));
  TRY(attachment.byte_count, json_optional_int(object, "byte_count"));
  if (attachment.byte_count.value_or(0) < 0) {
    return fail(Errc::malformed, "an attachment of less than no bytes");
  }
  TRY(const ValueView data, crypto::json_object(object, "data"));
  CHECK(read_data(attachment, data));
  return attachment;
}

Result<std::vector<Attachment>> read_attachments(ValueView object) {
  std::vector<Attachment> attachments;
  if (!object.contains("attachments")) return attachments;
  TRY(const ValueView items, crypto::json_array(object, "attachments"));
  if (items.size() > limits::kAttachmentsMax) {
    return fail(Errc::limit_exceeded, "the message has too many attachments");
  }
  attachments.reserve(items.size());
  for (const ValueView item : items.items()) {
    TRY(Attachment attachment, read_attachment(item));
    attachments.push_back(std::move(attachment));
  }
  return attachments;
}

constexpr std::string_view kKnownHeaders[] = {"id",
                                              "type",
                                              "typ",
                                              "from",
                                              "to",
                                              "thid",
                                              "pthid",
                                              "ack",
                                              "created_time",
                                              "expires_time",
                                              "body",
                                              "attachments",
                                              "from_prior",
                                              "please_ack",
                                              "return_route",
                                              "lang",
                                              "accept-lang",
                                              kPaddingHeader,
                                              "return_route_thread"};

JsonObject other_headers(ValueView object) {
  JsonObject others;
  for (const auto& [name, value] : object.fields()) {
    if (std::ranges::find(kKnownHeaders, name) == std::end(kKnownHeaders)) {
      others[name] = crypto::json_tree(value);
    }
  }
  return others;
}

Result<void> read_threading(Message& message, ValueView object) {
  TRY(message.thid, json_optional_string(object, "thid"));
  if (message.thid) CHECK(check_id(*message.thid, "thid"));
  TRY(message.pthid, json_optional_string(object, "pthid"));
  if (message.pthid) CHECK(check_id(*message.pthid, "pthid"));
  TRY(message.please_ack, read_texts(object, "please_ack"));
  CHECK(check_ids(message.please_ack, "please_ack", true));
  TRY(message.ack, read_texts(object, "ack"));
  CHECK(check_ids(message.ack, "ack", false));
  return {};
}

Result<void> read_parties(Message& message, ValueView object) {
  TRY(const auto from, json_optional_string(object, "from"));
  if (from) {
    TRY(Did did, read_party(*from));
    message.from = std::move(did);
  }
  TRY(const auto to, read_texts(object, "to"));
  for (const std::string& text : to) {
    TRY(Did did, read_party(text));
    message.to.push_back(std::move(did));
  }
  return {};
}

Result<void> read_times(Message& message, ValueView object) {
  TRY(message.created_time, json_optional_int(object, "created_time"));
  TRY(message.expires_time, json_optional_int(object, "expires_time"));
  if (message.created_time.value_or(0) < 0 || message.expires_time.value_or(0) < 0) {
    return fail(Errc::malformed, "a time before 1970");
  }
  return {};
}

Result<void> read_languages(Message& message, ValueView object) {
  TRY(message.lang, json_optional_string(object, "lang"));
  TRY(message.accept_lang, read_texts(object, "accept-lang"));
  const bool readable = is_language_tag(message.lang.value_or("en")) &&
                        std::ranges::all_of(message.accept_lang, [](const std::string& tag) {
                          return is_language_tag(tag);
                        });
  if (!readable) return fail(Errc::malformed, "lang or accept-lang is not a language tag");
  return {};
}

}  // namespace

Result<std::string> Attachment::payload() const {
  if (base64) return std::string(crypto::as_text(*base64));
  if (json) return *json;
  return fail(Errc::unsupported, "an attachment that must be fetched by link");
}

Attachment json_attachment(const Json& value, std::string_view id) {
  Attachment attachment;
  if (!id.empty()) attachment.id = std::string(id);
  attachment.media_type = "application/json";
  attachment.json = crypto::json_text(value);
  return attachment;
}

Attachment base64_attachment(ByteView bytes, std::string_view id) {
  Attachment attachment;
  if (!id.empty()) attachment.id = std::string(id);
  attachment.base64 = crypto::to_bytes(bytes);
  return attachment;
}

bool Message::is_to(const Did& did) const {
  return std::ranges::find(to, did) != to.end();
}

Result<Message> parse_message(std::string_view text, std::size_t bytes_max) {
  crypto::JsonLimits json_limits;
  json_limits.bytes_max = bytes_max;
  TRY(const auto value, crypto::read_json(text, json_limits));
  TRY(const ValueView object, crypto::as_object(value.root(), "a message"));
  return read_message(object);
}

namespace {

/// Texts of any length belong into attachments. Bounded: parse_json has limited depth and size.
bool has_long_text(const Json& value);

bool has_long_text(const JsonObject& object) {
  return std::ranges::any_of(object,
                             [](const auto& member) { return has_long_text(member.value()); });
}

bool has_long_text(const Json& value) {
  if (value.is_string()) return value.get_string().size() > limits::kMessageTextBytesMax;
  if (value.is_object()) return has_long_text(value.get_object());
  if (!value.is_array()) return false;
  return std::ranges::any_of(value.get_array(),
                             [](const Json& item) { return has_long_text(item); });
}

/// Kith's own protocols carry chunks of backups and logs in their bodies.
bool may_be_long(std::string_view type) {
  return type.starts_with("https://w3id.org/kith/");
}

}  // namespace

Result<Message> read_message(const JsonObject& object) {
  return parse_message(crypto::json_text(object), limits::kEnvelopeBytesMax);
}

Result<Message> read_message(ValueView object) {
  CHECK(check_typ(object));
  Message message;
  TRY(message.id, crypto::json_string(object, "id"));
  CHECK(check_id(message.id, "id"));
  TRY(message.type, crypto::json_string(object, "type"));
  CHECK(MessageType::parse(message.type));
  CHECK(read_parties(message, object));
  CHECK(read_threading(message, object));
  CHECK(read_times(message, object));
  if (object.contains("body")) {
    TRY(const ValueView body, crypto::json_object(object, "body"));
    message.body = crypto::json_object_tree(body);
  }
  TRY(message.attachments, read_attachments(object));
  TRY(message.from_prior, json_optional_string(object, "from_prior"));
  TRY(message.return_route, json_optional_string(object, "return_route"));
  TRY(message.return_route_thread, json_optional_string(object, "return_route_thread"));
  CHECK(read_languages(message, object));
  message.others = other_headers(object);
  if (!may_be_long(message.type) && has_long_text(message.body)) {
    return fail(Errc::limit_exceeded, "a text in the message is too long");
  }
  if (has_long_text(message.others)) {
    return fail(Errc::limit_exceeded, "a header of the message is too long");
  }
  return message;
}

std::string new_message_id(Random& random) {
  Bytes bytes = random.bytes(16);
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);  // Version 4 (RFC 4122).
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);  // Its variant.
  std::string text = crypto::hex(bytes);
  for (const std::size_t place : {8U, 13U, 18U, 23U}) text.insert(place, 1, '-');
  return text;
}

std::string message_id_key(std::string_view id) {
  std::string key(id);
  for (char& c : key) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return key;
}

bool is_message_id(std::string_view id) {
  if (id.empty() || id.size() > limits::kMessageIdCharsMax) return false;
  return std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
  });
}

Message new_message(std::string_view type, Random& random, std::int64_t now_seconds) {
  Message message;
  message.id = new_message_id(random);
  message.type = type;
  message.created_time = now_seconds;
  return message;
}

Message new_reply(const Message& to, std::string_view type, Random& random,
                  std::int64_t now_seconds) {
  Message reply = new_message(type, random, now_seconds);
  if (!to.to.empty()) reply.from = to.to.front();
  if (to.from) reply.to.push_back(*to.from);
  reply.thid = to.thread();
  reply.pthid = to.pthid;
  return reply;
}

}  // namespace kith::protocol
