/// Messages as JSON: as text for envelopes, as a tree for what holds messages in records and
/// answers. One function writes both, member by member.

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "crypto/assert.hpp"
#include "crypto/json_writer.hpp"
#include "crypto/limits.hpp"
#include "protocol/message.hpp"
#include "protocol/padding.hpp"

namespace kith::protocol {

namespace {

/// Members and texts of a message without its payloads take less, mostly.
constexpr std::size_t kHeadBytes = 1024;
constexpr std::size_t kHeadersMax = 24;  ///< More than write_head and write_content name.

/// Builds a tree by the calls that let JsonWriter write text.
class TreeWriter {
 public:
  void begin_object() { open_.push_back({JsonObject(), std::exchange(name_, {})}); }
  void begin_array() { open_.push_back({JsonArray(), std::exchange(name_, {})}); }
  void end_object() { close(); }
  void end_array() { close(); }
  void name(std::string_view name) { name_ = name; }

  void text(std::string_view text) { value(boost::json::string(text)); }
  void integer(std::int64_t number) { value(number); }
  void value(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (JsonObject* object = open_.back().container.if_object()) {
      (*object)[name_] = std::move(value);
    } else {
      open_.back().container.get_array().push_back(std::move(value));
    }
  }
  void base64url(ByteView bytes) { text(crypto::base64url(bytes)); }
  void written(std::string_view json) {
    crypto::JsonLimits json_limits;
    json_limits.bytes_max = json.size();
    auto tree = crypto::parse_json(json, json_limits);
    ASSERT(tree.has_value());  // As Attachment::json promises.
    value(std::move(*tree));
  }

  [[nodiscard]] JsonObject take() { return std::move(root_.get_object()); }

 private:
  struct Open {
    Json container;
    std::string_view name;
  };
  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    name_ = done.name;
    value(std::move(done.container));
  }

  std::vector<Open> open_;
  std::string_view name_;
  Json root_;
};

/// The members of one object, and which of them are there already.
template <class Writer>
class Members {
 public:
  explicit Members(Writer& writer) : writer_(writer) { writer_.begin_object(); }

  Writer& operator()(std::string_view name) {
    ASSERT(count_ < names_.size());
    names_[count_++] = name;
    writer_.name(name);
    return writer_;
  }
  void put(std::string_view name, const std::optional<std::string>& text) {
    if (text) (*this)(name).text(*text);
  }
  void put(std::string_view name, const std::optional<std::int64_t>& number) {
    if (number) (*this)(name).integer(*number);
  }
  void put(std::string_view name, const std::vector<std::string>& texts) {
    if (texts.empty()) return;
    (*this)(name).begin_array();
    for (const std::string& text : texts) writer_.text(text);
    writer_.end_array();
  }
  /// Of those written above, none comes twice.
  void put_others(const JsonObject& others) {
    for (const auto& member : others) {
      const std::string_view name = member.key();
      const auto written = std::span(names_).first(count_);
      if (name == kPaddingHeader || std::ranges::find(written, name) != written.end()) continue;
      writer_.name(name);
      writer_.value(member.value());
    }
  }
  void end() { writer_.end_object(); }

 private:
  Writer& writer_;
  std::array<std::string_view, kHeadersMax> names_;
  std::size_t count_ = 0;
};

template <class Writer>
void write_attachment(Writer& writer, const Attachment& attachment) {
  Members<Writer> object(writer);
  object.put("id", attachment.id);
  object.put("description", attachment.description);
  object.put("filename", attachment.filename);
  object.put("media_type", attachment.media_type);
  object.put("format", attachment.format);
  object.put("lastmod_time", attachment.lastmod_time);
  object.put("byte_count", attachment.byte_count);
  object("data");
  Members<Writer> data(writer);
  if (attachment.jws) data("jws").value(*attachment.jws);
  data.put("hash", attachment.hash);
  data.put("links", attachment.links);
  if (attachment.base64) data("base64").base64url(*attachment.base64);
  if (attachment.json) data("json").written(*attachment.json);
  data.end();
  object.end();
}

template <class Writer>
void write_message(Writer& writer, const Message& message) {
  ASSERT(is_message_id(message.id));
  ASSERT(!message.type.empty());
  Members<Writer> object(writer);
  object("id").text(message.id);
  object("typ").text(kPlainMediaType);
  object("type").text(message.type);
  if (message.from) object("from").text(message.from->text());
  if (!message.to.empty()) {
    object("to").begin_array();
    for (const Did& did : message.to) writer.text(did.text());
    writer.end_array();
  }
  object.put("thid", message.thid);
  object.put("pthid", message.pthid);
  object.put("created_time", message.created_time);
  object.put("expires_time", message.expires_time);
  object.put("from_prior", message.from_prior);
  object.put("please_ack", message.please_ack);
  object.put("ack", message.ack);
  object.put("return_route", message.return_route);
  object.put("return_route_thread", message.return_route_thread);
  object.put("lang", message.lang);
  object.put("accept-lang", message.accept_lang);
  object("body").value(message.body);
  if (!message.attachments.empty()) {
    object("attachments").begin_array();
    for (const Attachment& attachment : message.attachments) write_attachment(writer, attachment);
    writer.end_array();
  }
  object.put_others(message.others);
  object.end();
}

std::size_t payload_bytes(const Message& message) {
  std::size_t bytes = 0;
  for (const Attachment& attachment : message.attachments) {
    bytes += kHeadBytes;
    if (attachment.base64) bytes += crypto::base64url_size(attachment.base64->size());
    if (attachment.json) bytes += attachment.json->size();
  }
  return bytes;
}

}  // namespace

std::string message_text(const Message& message) {
  std::string text;
  text.reserve(bucket_size(kHeadBytes + payload_bytes(message)));
  crypto::JsonWriter writer(text);
  write_message(writer, message);
  return text;
}

JsonObject to_json(const Message& message) {
  TreeWriter writer;
  write_message(writer, message);
  return writer.take();
}

}  // namespace kith::protocol
