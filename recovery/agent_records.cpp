#include "recovery/agent_records.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "crypto/hash.hpp"
#include "crypto/limits.hpp"
#include "protocol/messenger.hpp"
#include "protocol/sender.hpp"
#include "recovery/agent_limits.hpp"
#include "recovery/messages.hpp"
#include "recovery/own_agents.hpp"
#include "recovery/shared_records.hpp"

namespace kith::recovery {
namespace {

constexpr std::string_view kStamps = "record-stamp";
constexpr std::size_t kRecordIdCharsMax = 2 * limits::kDidCharsMax + 1;
constexpr std::string_view kTalks = "agent-talk";
constexpr Duration kTalkRepeat{60'000};
constexpr Duration kTalkRepeatTest{2'000};
/// A device that is off for weeks finds a few of them, and room for its other mail.
constexpr std::chrono::hours kTalkRepeatMax{24};

/// When a shared record became what it is, and at which device. Collection `record-stamp`, by
/// "<collection> <id>".
struct Stamp {
  Bytes digest;  ///< Of the value.
  std::int64_t time_ms = 0;
  std::string device;  ///< Key in the policy.
  template <class V>
  void visit(V& v) {
    v("digest", digest), v("time_ms", time_ms), v("device", device);
  }
  [[nodiscard]] bool is_before(const Stamp& other) const {
    return std::tie(time_ms, device) < std::tie(other.time_ms, other.device);
  }
  /// Names this change: the same value at another time is another one.
  [[nodiscard]] Bytes mark() const {
    return crypto::to_bytes(crypto::sha256(protocol::encode_record(*this)));
  }
};

/// What a device is known to have. Collection `agent-known/<contact id>`, as kStamps.
struct Known {
  Bytes told;   ///< Stamp::mark of what it confirmed to have got from here.
  Bytes heard;  ///< Of what it sent itself.
  template <class V>
  void visit(V& v) {
    v("told", told), v("heard", heard);
  }
};

struct Told {
  std::string key;
  Bytes mark;
  template <class V>
  void visit(V& v) {
    v("key", key), v("mark", mark);
  }
};

/// Collection `agent-talk`, by contact id: the last message with records, until it is confirmed.
struct Talk {
  std::string message_id;
  std::vector<Told> told;
  std::uint32_t tries = 0;
  Time next_try{};
  template <class V>
  void visit(V& v) {
    v("message_id", message_id), v("told", told), v("tries", tries), v("next_try", next_try);
  }
};

struct RecordItem {
  std::string collection;
  std::string id;
  std::int64_t time_ms = 0;
  std::string device;
  Bytes value;
  template <class V>
  void visit(V& v) {
    v("c", collection), v("i", id), v("t", time_ms), v("d", device), v("v", value);
  }
};
struct RecordsBody {
  std::vector<RecordItem> records;
  template <class V>
  void visit(V& v) {
    v("records", records);
  }
};

std::string stamp_key(const SharedName& name) {
  return name.collection + " " + name.id;
}

SharedName name_of(const std::string& key) {
  const std::size_t space = key.find(' ');
  return {key.substr(0, space), key.substr(space + 1)};
}

std::string known_collection(std::string_view contact_id) {
  return "agent-known/" + std::string(contact_id);
}

/// The stamp of a record as it is now: made anew if it changed here.
Stamp stamped(Host& host, const SharedName& name, ByteView value, const std::string& me) {
  const std::string key = stamp_key(name);
  auto stamp = load<Stamp>(host, kStamps, key);
  Bytes digest = crypto::to_bytes(crypto::sha256(value));
  if (stamp && stamp->digest == digest) return std::move(*stamp);
  // A clock that went back must not make a change older than what it changed.
  const std::int64_t after = stamp ? stamp->time_ms + 1 : 0;
  Stamp fresh{std::move(digest), std::max(protocol::epoch_ms(host.now()), after), me};
  save(host, kStamps, key, fresh);
  return fresh;
}

struct Stamped {
  std::string key;
  Stamp stamp;
};

/// Every shared record that is here, with its stamp. Stamps of what is gone go too: each device
/// forgets by its own limits.
std::vector<Stamped> all_stamps(Host& host, const std::vector<Contact>& devices) {
  const std::string me = own_agent_multikey(host);
  std::vector<Stamped> stamps;
  std::set<std::string> present;
  for (const SharedName& name : shared_names(host)) {
    const auto value = host.get({name.collection, name.id});
    if (!value || value->size() > agent_limits::kRecordBytesMax) continue;
    stamps.push_back({stamp_key(name), stamped(host, name, *value, me)});
    present.insert(stamps.back().key);
  }
  for (const std::string& key : host.list(kStamps)) {
    if (!present.contains(key)) host.erase({std::string(kStamps), key});
  }
  for (const Contact& device : devices) {
    const std::string known = known_collection(device.id);
    for (const std::string& key : host.list(known)) {
      if (!present.contains(key)) host.erase({known, key});
    }
  }
  return stamps;
}

/// What the device does not have, as much as one message takes.
RecordsBody changes_for(Host& host, std::string_view contact_id, const std::vector<Stamped>& stamps,
                        std::vector<Told>& told) {
  RecordsBody body;
  std::size_t bytes = 0;
  for (const auto& [key, stamp] : stamps) {
    const Bytes mark = stamp.mark();
    const auto known = load<Known>(host, known_collection(contact_id), key);
    if (known && (known->told == mark || known->heard == mark)) continue;
    const SharedName name = name_of(key);
    auto value = host.get({name.collection, name.id});
    if (!value) continue;
    if (!body.records.empty() && bytes + value->size() > agent_limits::kBatchBytesMax) break;
    bytes += value->size();
    told.push_back({key, mark});
    body.records.push_back(
        {name.collection, name.id, stamp.time_ms, stamp.device, std::move(*value)});
    if (body.records.size() == agent_limits::kBatchRecordsMax) break;
  }
  return body;
}

Result<std::string> send_to_device(Host& host, const Contact& contact, std::string_view name,
                                   JsonObject body, const std::string& thread) {
  TRY(Message message, protocol::message_to(host, contact, type_uri("agent", name)));
  if (!thread.empty()) message.thid = thread;
  message.body = std::move(body);
  return protocol::send(host, std::move(message), {});
}

void tell_device(Host& host, const Contact& contact, const std::vector<Stamped>& stamps) {
  Talk talk = load<Talk>(host, kTalks, contact.id).value_or(Talk{});
  if (!talk.told.empty() && host.now() < talk.next_try) return;
  talk.told.clear();
  const RecordsBody body = changes_for(host, contact.id, stamps, talk.told);
  if (body.records.empty()) {
    talk.tries = 0;
    save(host, kTalks, contact.id, talk);
    return;
  }
  auto sent = send_to_device(host, contact, kRecordsMessage, protocol::encode_body(body), "");
  talk.message_id = sent.has_value() ? *sent : std::string();
  const Duration first = host.test_mode() ? kTalkRepeatTest : kTalkRepeat;
  talk.next_try =
      host.now() + std::min<Duration>(first * (1 << std::min(talk.tries, 16U)), kTalkRepeatMax);
  ++talk.tries;
  save(host, kTalks, contact.id, talk);
}

/// Whether a name can be one of a shared record.
bool is_fit(const RecordItem& item) {
  return is_shared_collection(item.collection) && !item.id.empty() &&
         item.id.size() <= kRecordIdCharsMax && item.device.size() <= limits::kDidCharsMax;
}

/// One record of another device. What is of no use here is passed over: a later version may know
/// more, and the rest must not wait for it.
void take_record(Host& host, const Contact& contact, const RecordItem& item,
                 const std::string& me) {
  const SharedName name{item.collection, item.id};
  const std::string key = stamp_key(name);
  const auto mine = host.get({name.collection, name.id});
  Stamp theirs{crypto::to_bytes(crypto::sha256(item.value)), item.time_ms, item.device};
  auto known = load<Known>(host, known_collection(contact.id), key).value_or(Known{});
  known.heard = theirs.mark();
  const std::int64_t latest = protocol::epoch_ms(host.now() + limits::kClockSkew);
  theirs.time_ms = std::clamp<std::int64_t>(item.time_ms, 0, latest);  // A clock of 2099.
  const bool newer = !mine || stamped(host, name, *mine, me).is_before(theirs);
  if (const auto taken = take_shared(host, name, item.value, newer); !taken.has_value()) {
    host.audit("agent.record-refused", {{"collection", item.collection},
                                        {"code", crypto::error_text(taken.error().code).code}});
  }
  const auto now = host.get({name.collection, name.id});
  if (newer && now && *now == item.value) save(host, kStamps, key, theirs);
  if (now) save(host, known_collection(contact.id), key, known);
}

Result<void> on_records(Host& host, const Inbound& inbound, const Contact& contact) {
  TRY(const auto body, protocol::decode_body<RecordsBody>(inbound.message.body));
  if (body.records.size() > agent_limits::kBatchRecordsMax) {
    return fail(Errc::limit_exceeded, "too many records in one message");
  }
  const std::string me = own_agent_multikey(host);
  for (const RecordItem& item : body.records) {
    if (is_fit(item)) take_record(host, contact, item, me);
  }
  tend_agents_soon(host);
  TRY(const std::string id,
      send_to_device(host, contact, kRecordsTakenMessage, {}, inbound.message.thread()));
  return {};
}

Result<void> on_taken(Host& host, const Inbound& inbound, const Contact& contact) {
  auto talk = load<Talk>(host, kTalks, contact.id);
  if (!talk || talk->message_id != inbound.message.thread()) return {};
  for (const Told& told : std::exchange(talk->told, {})) {
    auto known = load<Known>(host, known_collection(contact.id), told.key).value_or(Known{});
    known.told = told.mark;
    save(host, known_collection(contact.id), told.key, known);
  }
  talk->tries = 0;
  save(host, kTalks, contact.id, *talk);
  tend_agents_soon(host);
  return {};
}

}  // namespace

void tell_devices(Host& host) {
  const auto devices = paired_devices(host);
  if (devices.empty()) return;
  const auto stamps = all_stamps(host, devices);
  for (const Contact& device : devices) tell_device(host, device, stamps);
}

Result<void> on_records_message(Host& host, const Inbound& inbound) {
  TRY(const Contact contact, protocol::sender_of(host, inbound));
  const auto devices = paired_devices(host);
  if (std::ranges::find(devices, contact.id, &Contact::id) == devices.end()) {
    return fail(Errc::wrong_state, "these two devices do not share an identity");
  }
  return inbound.message.type == type_uri("agent", kRecordsMessage)
             ? on_records(host, inbound, contact)
             : on_taken(host, inbound, contact);
}

void forget_device_records(Host& host, std::string_view contact_id) {
  const std::string known = known_collection(contact_id);
  for (const std::string& key : host.list(known)) host.erase({known, key});
  host.erase({std::string(kTalks), std::string(contact_id)});
}

}  // namespace kith::recovery
