#include "recovery/agent_records.hpp"

#include <algorithm>
#include <map>

#include "crypto/hash.hpp"
#include "protocol/messenger.hpp"
#include "protocol/sender.hpp"
#include "recovery/agent_limits.hpp"
#include "recovery/agent_pairing.hpp"
#include "recovery/agent_relationships.hpp"
#include "recovery/messages.hpp"
#include "recovery/own_agents.hpp"
#include "recovery/shared_records.hpp"

namespace kith::recovery {
namespace {

constexpr std::string_view kStamps = "record-stamp";
constexpr std::string_view kTalks = "agent-talk";
constexpr Duration kTalkRepeat{60'000};
constexpr Duration kTalkRepeatTest{2'000};
constexpr Duration kTalkRepeatMax{3'600'000};

/// When a shared record became what it is, and at which device. Collection `record-stamp`, by
/// "<collection> <id>".
struct Stamp {
  Bytes digest;  ///< Of the value; empty: it was deleted.
  std::int64_t time_ms = 0;
  std::string device;  ///< Key in the policy.
  template <class V>
  void visit(V& v) {
    v("digest", digest), v("time_ms", time_ms), v("device", device);
  }
  [[nodiscard]] bool is_before(const Stamp& other) const {
    return std::tie(time_ms, device) < std::tie(other.time_ms, other.device);
  }
};

/// What a device is known to have. Collection `agent-known/<contact id>`, as kStamps.
struct Known {
  Bytes told;   ///< Digest of what it confirmed to have got from here.
  Bytes heard;  ///< Digest of what it sent itself.
  template <class V>
  void visit(V& v) {
    v("told", told), v("heard", heard);
  }
};

struct Told {
  std::string key;
  Bytes digest;
  template <class V>
  void visit(V& v) {
    v("key", key), v("digest", digest);
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
  Bytes value;  ///< Empty with `erased`.
  bool erased = false;
  template <class V>
  void visit(V& v) {
    v("c", collection), v("i", id), v("t", time_ms), v("d", device), v("v", value), v("e", erased);
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

Bytes digest_of(ByteView value) {
  return crypto::to_bytes(crypto::sha256(value));
}

/// The stamp of a record as it is now: made anew if it changed here.
Stamp stamped(Host& host, const SharedName& name, const std::optional<Bytes>& value,
              const std::string& me) {
  const std::string key = stamp_key(name);
  auto stamp = load<Stamp>(host, kStamps, key);
  const Bytes digest = value ? digest_of(*value) : Bytes{};
  if (stamp && stamp->digest == digest) return std::move(*stamp);
  // A clock that went back must not make a change older than what it changed.
  const std::int64_t after = stamp ? stamp->time_ms + 1 : 0;
  Stamp fresh{digest, std::max(protocol::epoch_ms(host.now()), after), me};
  save(host, kStamps, key, fresh);
  return fresh;
}

/// Every shared record that is here or was, with its stamp.
std::map<std::string, Stamp> all_stamps(Host& host, std::vector<std::string>& order) {
  const std::string me = own_agent_name(host);
  std::map<std::string, Stamp> stamps;
  for (const SharedName& name : shared_names(host)) {
    const auto value = host.get({name.collection, name.id});
    if (!value || value->size() > agent_limits::kRecordBytesMax) continue;
    order.push_back(stamp_key(name));
    stamps.emplace(order.back(), stamped(host, name, value, me));
  }
  for (const std::string& key : host.list(kStamps)) {
    const SharedName name = name_of(key);
    if (stamps.contains(key) || !may_be_erased(name.collection)) continue;
    if (host.get({name.collection, name.id})) continue;
    order.push_back(key);
    stamps.emplace(key, stamped(host, name, {}, me));
  }
  return stamps;
}

/// What the device does not have, as much as one message takes.
RecordsBody changes_for(Host& host, std::string_view contact_id,
                        const std::map<std::string, Stamp>& stamps,
                        const std::vector<std::string>& order, std::vector<Told>& told) {
  RecordsBody body;
  std::size_t bytes = 0;
  for (const std::string& key : order) {
    const Stamp& stamp = stamps.at(key);
    const auto known = load<Known>(host, known_collection(contact_id), key);
    if (known && (known->told == stamp.digest || known->heard == stamp.digest)) continue;
    if (!known && stamp.digest.empty()) continue;  // It never had what was deleted.
    const SharedName name = name_of(key);
    auto value = host.get({name.collection, name.id});
    const std::size_t size = value ? value->size() : 0;
    if (!body.records.empty() && bytes + size > agent_limits::kBatchBytesMax) break;
    bytes += size;
    told.push_back({key, stamp.digest});
    body.records.push_back({name.collection, name.id, stamp.time_ms, stamp.device,
                            value.value_or(Bytes{}), !value.has_value()});
    if (body.records.size() == agent_limits::kBatchRecordsMax) break;
  }
  return body;
}

Result<std::string> send_to_device(Host& host, const Contact& contact, std::string_view name,
                                   JsonObject body, const std::string& thread) {
  TRY(const Did mine, Did::parse(contact.my_did));
  TRY(const Did theirs, Did::parse(contact.their_did));
  Message message = protocol::new_message(type_uri("agent", name), host.random(),
                                          protocol::epoch_seconds(host.now()));
  message.from = mine;
  message.to = {theirs};
  if (!thread.empty()) message.thid = thread;
  message.body = std::move(body);
  return protocol::send(host, std::move(message), {});
}

/// True: the device has yet to confirm something.
bool tell_device(Host& host, const Contact& contact, const std::map<std::string, Stamp>& stamps,
                 const std::vector<std::string>& order) {
  Talk talk = load<Talk>(host, kTalks, contact.id).value_or(Talk{});
  if (!talk.told.empty() && host.now() < talk.next_try) return true;
  talk.told.clear();
  const RecordsBody body = changes_for(host, contact.id, stamps, order, talk.told);
  if (body.records.empty()) {
    talk.tries = 0;
    save(host, kTalks, contact.id, talk);
    return false;
  }
  auto sent = send_to_device(host, contact, kRecordsMessage, protocol::encode_body(body), "");
  talk.message_id = sent.has_value() ? *sent : std::string();
  const Duration first = host.test_mode() ? kTalkRepeatTest : kTalkRepeat;
  talk.next_try =
      host.now() + std::min<Duration>(first * (1 << std::min(talk.tries, 8U)), kTalkRepeatMax);
  ++talk.tries;
  save(host, kTalks, contact.id, talk);
  return true;
}

/// One record of another device. Returns whether it was fit to be taken.
void take_record(Host& host, const Contact& contact, const RecordItem& item,
                 const std::string& me) {
  const SharedName name{item.collection, item.id};
  const std::string key = stamp_key(name);
  const auto mine = host.get({name.collection, name.id});
  const Stamp before = stamped(host, name, mine, me);
  const Stamp theirs{item.erased ? Bytes{} : digest_of(item.value), item.time_ms, item.device};
  const bool newer = before.is_before(theirs);
  auto known = load<Known>(host, known_collection(contact.id), key).value_or(Known{});
  known.heard = theirs.digest;
  if (item.erased) {
    if (newer && mine && may_be_erased(name.collection)) host.erase({name.collection, name.id});
  } else if (const auto taken = take_shared(host, name, item.value, newer); !taken.has_value()) {
    host.audit("agent.record-refused", {{"collection", item.collection},
                                        {"code", crypto::error_text(taken.error().code).code}});
  }
  const auto now = host.get({name.collection, name.id});
  const Bytes digest = now ? digest_of(*now) : Bytes{};
  if (digest == theirs.digest && newer) save(host, kStamps, key, theirs);
  save(host, known_collection(contact.id), key, known);
}

Result<void> on_records(Host& host, const Inbound& inbound, const Contact& contact) {
  TRY(const auto body, protocol::decode_body<RecordsBody>(inbound.message.body));
  if (body.records.size() > agent_limits::kBatchRecordsMax) {
    return fail(Errc::limit_exceeded, "too many records in one message");
  }
  const std::string me = own_agent_name(host);
  const std::int64_t latest = protocol::epoch_ms(host.now() + limits::kClockSkew);
  for (const RecordItem& item : body.records) {
    if (!is_shared_collection(item.collection) || item.id.empty() ||
        item.id.size() > limits::kDidCharsMax || item.device.size() > limits::kDidCharsMax) {
      return fail(Errc::malformed, "not a record that devices share");
    }
    RecordItem fit = item;
    fit.time_ms = std::clamp<std::int64_t>(item.time_ms, 0, latest);  // A clock of 2099.
    take_record(host, contact, fit, me);
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
    known.told = told.digest;
    save(host, known_collection(contact.id), told.key, known);
  }
  talk->tries = 0;
  save(host, kTalks, contact.id, *talk);
  tend_agents_soon(host);
  return {};
}

}  // namespace

bool tell_devices(Host& host) {
  const auto devices = paired_devices(host);
  if (devices.empty()) return false;
  std::vector<std::string> order;
  const auto stamps = all_stamps(host, order);
  bool busy = false;
  for (const Contact& device : devices) busy = tell_device(host, device, stamps, order) || busy;
  return busy;
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
