#include "protocol/basic_message.hpp"

#include "protocol/audit_log.hpp"
#include "protocol/contact.hpp"
#include "protocol/language.hpp"
#include "protocol/messenger.hpp"
#include "protocol/sender.hpp"
#include "protocol/sequence.hpp"

namespace kith::protocol {
namespace {

constexpr std::string_view kTexts = "text";
/// Where a text lies, by contact and message id; so a text that comes again is not shown twice.
constexpr std::string_view kTextIndex = "text-by-message";
/// Texts sent again to a peer with new keys: not a flood, and none that would be refused as older
/// than limits::kMessageLifeMax before its own life is over.
constexpr std::chrono::hours kResentLife{24 * 14};
constexpr std::size_t kResentMax = 100;

/// Collection `text`.
struct KeptText {
  std::string contact_id;
  std::string text;
  Time time{};
  bool received = false;
  std::string lang;  ///< Empty if not told.
  std::string message_id;
  bool delivered = false;  ///< A sent one that the other agent has acknowledged.
  std::uint32_t sent = 1;  ///< How often it was packed anew and sent.
  template <class V>
  void visit(V& v) {
    v("contact_id", contact_id), v("text", text), v("time", time), v("received", received);
    v("lang", lang), v("message_id", message_id), v("delivered", delivered), v("sent", sent);
  }
};

struct TextRef {
  std::string id;
  template <class V>
  void visit(V& v) {
    v("id", id);
  }
};

std::string index_id(std::string_view contact_id, std::string_view message_id) {
  return std::string(contact_id) + " " + message_id_key(message_id);
}

std::optional<TextRef> find_text(Host& host, std::string_view contact_id,
                                 std::string_view message_id) {
  return load<TextRef>(host, kTextIndex, index_id(contact_id, message_id));
}

void forget(Host& host, const std::string& id) {
  if (const auto text = load<KeptText>(host, kTexts, id)) {
    host.erase({std::string(kTextIndex), index_id(text->contact_id, text->message_id)});
  }
  host.erase({std::string(kTexts), id});
}

/// Ids are times made unique, so that listing gives the order; the oldest goes when there are many.
void keep(Host& host, const KeptText& text) {
  const auto ids = host.list(kTexts);
  if (ids.size() >= limits::kMessagesKept) forget(host, ids.front());
  std::string id = numbered_id(static_cast<std::uint64_t>(epoch_ms(text.time)));
  id += "-" + crypto::hex(host.random().bytes(4));
  save(host, kTexts, id, text);
  save(host, kTextIndex, index_id(text.contact_id, text.message_id), TextRef{id});
}

Result<std::string> send_as(Host& host, const Contact& contact, const KeptText& text) {
  TRY(const Did mine, Did::parse(contact.my_did));
  TRY(const Did theirs, Did::parse(contact.their_did));
  Message message = new_message(kBasicMessageType, host.random(), epoch_seconds(text.time));
  if (!text.message_id.empty()) message.id = text.message_id;
  message.from = mine;
  message.to = {theirs};
  message.body = {{"content", text.text}};
  if (!text.lang.empty()) message.lang = text.lang;
  message.please_ack = {""};
  if (text.sent > 1) message.others[kSentCount] = text.sent;
  return send(host, std::move(message), {});
}

JsonObject describe(Host& host, const KeptText& text) {
  const auto contact = find_contact(host, text.contact_id);
  JsonObject shown{{"contact", contact ? contact->name : text.contact_id},
                   {"text", text.text},
                   {"time", utc_text(text.time)},
                   {"direction", text.received ? "received" : "sent"}};
  if (!text.lang.empty()) shown["lang"] = text.lang;
  if (!text.received) shown["delivered"] = text.delivered;
  return shown;
}

Result<JsonObject> send_text(Host& host, const JsonObject& args) {
  TRY(const std::string name, crypto::json_string(args, "contact"));
  TRY(const std::string text, crypto::json_string(args, "text"));
  TRY(const auto lang, crypto::json_optional_string(args, "lang"));
  if (lang && !is_language_tag(*lang)) {
    return fail(Errc::usage, "a language is named by a tag like de, pt-BR or zh-Hant");
  }
  if (text.empty()) return fail(Errc::usage, "the message is empty");
  if (text.size() > limits::kTextBytesMax) {
    return fail(Errc::limit_exceeded, "the message is longer than 16 KiB");
  }
  TRY(const Contact contact, contact_named(host, name));
  if (contact.state != ContactState::connected) {
    return fail(Errc::wrong_state, contact.name + " has not answered the invitation yet");
  }
  KeptText kept{contact.id, text, host.now(), false, lang.value_or(""), "", false, 1};
  TRY(kept.message_id, send_as(host, contact, kept));
  keep(host, kept);
  return JsonObject{{"id", kept.message_id}, {"contact", contact.name}};
}

}  // namespace

Result<void> BasicMessage::on_message(Host& host, const Inbound& inbound) {
  TRY(const Contact contact, sender_of(host, inbound));
  TRY(const std::string text, crypto::json_string(inbound.message.body, "content"));
  if (text.size() > limits::kTextBytesMax) return fail(Errc::limit_exceeded, "text too long");
  const Message& message = inbound.message;
  note_order(host, contact, message);
  if (find_text(host, contact.id, message.id)) return {};  // Sent again after a loss of keys.
  keep(host, {contact.id, text, host.now(), true, message.lang.value_or(""), message.id, false, 1});
  host.notify({"message", contact.name + ": " + text, contact.id, {}});
  return {};
}

Result<JsonObject> BasicMessage::on_command(Host& host, const Command& command) {
  if (command.name == "send") return send_text(host, command.args);
  TRY(const auto wanted, crypto::json_optional_string(command.args, "contact"));
  std::optional<std::string> wanted_id;
  if (wanted) {
    TRY(const Contact contact, contact_named(host, *wanted));
    wanted_id = contact.id;
  }
  JsonArray messages;
  for (const std::string& id : host.list(kTexts)) {
    const auto text = *load<KeptText>(host, kTexts, id);
    if (wanted_id && text.contact_id != *wanted_id) continue;
    messages.push_back(describe(host, text));
  }
  return JsonObject{{"messages", std::move(messages)}};
}

void BasicMessage::on_acks(Host& host, const Inbound& inbound) {
  const auto sender = sender_of(host, inbound);
  if (!sender.has_value()) return;
  for (const std::string& message_id : inbound.message.ack) {
    const auto kept = find_text(host, sender->id, message_id);
    auto text = kept ? load<KeptText>(host, kTexts, kept->id) : std::nullopt;
    if (!text || text->received || text->delivered) continue;
    text->delivered = true;
    save(host, kTexts, kept->id, *text);
  }
}

/// The sorter of the code ("w": a warning) changes nothing: the text was shown or not, over there.
void BasicMessage::on_problem(Host& host, const Inbound& inbound, const ProblemReport& report) {
  if (!report.matches("w.msg.bad-lang") && !report.matches("e.msg.bad-lang")) return;
  const auto contact = sender_of(host, inbound);
  if (!contact.has_value() || !inbound.message.pthid) return;
  const auto kept = find_text(host, contact->id, *inbound.message.pthid);
  const auto text = kept ? load<KeptText>(host, kTexts, kept->id) : std::nullopt;
  if (!text || text->received) return;
  std::string read;
  for (const std::string& tag : inbound.message.accept_lang) {
    read += (read.empty() ? "" : ", ") + tag;
  }
  host.notify({"language",
               contact->name + " cannot read the language of your text" +
                   (text->lang.empty() ? std::string() : " (" + text->lang + ")") + "." +
                   (read.empty() ? std::string() : " What can be read there: " + read + "."),
               contact->id,
               {}});
}

void resend_texts(Host& host, const Contact& contact) {
  std::size_t sent = 0;
  for (const std::string& id : host.list(kTexts)) {
    auto text = load<KeptText>(host, kTexts, id);
    if (!text || text->contact_id != contact.id || text->received || text->delivered) continue;
    if (text->message_id.empty() || text->time + Duration{kResentLife} < host.now()) continue;
    ++text->sent;
    if (++sent > kResentMax || !send_as(host, contact, *text).has_value()) return;
    save(host, kTexts, id, *text);
    host.audit("text.sent-again", {{"contact", contact.id}, {"id", text->message_id}});
  }
}

Result<void> take_shared_text(Host& host, std::string_view id, ByteView record) {
  TRY(const auto text, decode_record<KeptText>(record));
  if (text.text.size() > limits::kTextBytesMax) return fail(Errc::malformed, "text too long");
  if (const auto known = find_text(host, text.contact_id, text.message_id)) {
    auto mine = load<KeptText>(host, kTexts, known->id);
    if (mine && text.delivered && !mine->delivered) {
      mine->delivered = true;
      save(host, kTexts, known->id, *mine);
    }
    return {};
  }
  const auto ids = host.list(kTexts);
  if (ids.size() >= limits::kMessagesKept) {
    if (id < ids.front()) return {};  // Forgotten here, or about to be.
    forget(host, ids.front());
  }
  save(host, kTexts, id, text);
  save(host, kTextIndex, index_id(text.contact_id, text.message_id), TextRef{std::string(id)});
  const auto contact = find_contact(host, text.contact_id);
  if (contact && text.received) {
    host.notify({"message", contact->name + ": " + text.text, contact->id, {}});
  }
  return {};
}

}  // namespace kith::protocol
