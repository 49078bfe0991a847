#include "recovery/signed_times.hpp"

#include "protocol/contact.hpp"
#include "protocol/messenger.hpp"
#include "protocol/own_service.hpp"
#include "recovery/backup_location.hpp"
#include "recovery/messages.hpp"
#include "recovery/owner_set.hpp"
#include "recovery/owner_setup.hpp"
#include "recovery/trustee_session.hpp"

namespace kith::recovery {
namespace {

constexpr std::size_t kNonceBytes = 16;
/// By so much the clock must have run ahead of this program's running time, or behind it.
constexpr std::chrono::minutes kGapSuspected{10};
constexpr std::chrono::seconds kGapSuspectedTest{2};
constexpr std::chrono::hours kBeatAgain{1};
constexpr std::chrono::seconds kAskAgainTest{10};
constexpr std::chrono::minutes kBeatSpread{10};

/// Record meta/time-ask: the newest question.
struct TimeAsk {
  Time at{};
  Duration uptime{};
  std::string request_id;
  Bytes nonce;
  bool answered = false;
  template <class V>
  void visit(V& v) {
    v("at", at), v("uptime", uptime), v("request_id", request_id), v("nonce", nonce);
    v("answered", answered);
  }
};

std::optional<TimeAsk> newest_ask(Host& host) {
  return load<TimeAsk>(host, "meta", "time-ask");
}

Result<std::string> ask_location(Host& host, const Bytes& nonce) {
  const auto grant = protocol::mediator_grant(host);
  const auto contact = grant ? protocol::find_contact(host, grant->contact_id) : std::nullopt;
  if (!contact) return fail(Errc::not_found, "no backup location");
  TRY(const Did mine, Did::parse(contact->my_did));
  TRY(const Did theirs, Did::parse(contact->their_did));
  Message message = protocol::new_message(type_uri("backup", BackupList::kName), host.random(),
                                          protocol::epoch_seconds(host.now()));
  message.from = mine;
  message.to = {theirs};
  message.body = protocol::encode_body(BackupList{{}, nonce});
  protocol::SendOptions options;
  options.life = std::chrono::minutes{10};
  options.wants_reply = true;
  options.transient = true;
  return protocol::send(host, std::move(message), options);
}

/// Not all at the same moment as the location: who asks what should not be plain to see.
void ask_trustees(Host& host) {
  const auto set = owner_set(host);
  if (!set || set->step != SetStep::done) return;
  const Duration spread = host.test_mode() ? Duration{1} : Duration{kBeatSpread};
  const auto jitter = host.random().below(static_cast<std::uint64_t>(spread.count()));
  host.set_timer(kOwnerModule, kTimerHeartbeat,
                 host.now() + Duration{static_cast<std::int64_t>(jitter)});
}

}  // namespace

void ask_for_times(Host& host) {
  TimeAsk ask{host.now(), host.uptime(), {}, host.random().bytes(kNonceBytes), false};
  const auto sent = ask_location(host, ask.nonce);
  if (sent.has_value()) ask.request_id = *sent;
  save(host, "meta", "time-ask", ask);
  ask_trustees(host);
}

void ask_for_times_if_due(Host& host) {
  const auto ask = newest_ask(host);
  if (!ask) return ask_for_times(host);
  const Duration passed = host.now() - ask->at;
  const Duration gap = passed - (host.uptime() - ask->uptime);
  const Duration suspected = host.test_mode() ? Duration{kGapSuspectedTest} : kGapSuspected;
  const Duration again = host.test_mode() ? Duration{kAskAgainTest} : Duration{kBeatAgain};
  const bool unanswered = !ask->answered && passed >= again;
  if (gap >= suspected || gap <= -suspected || unanswered) ask_for_times(host);
}

Result<void> on_time_reply(Host& host, const Inbound& inbound) {
  auto ask = newest_ask(host);
  if (!ask || ask->answered || ask->request_id != inbound.message.thread()) return {};  // Late.
  TRY(const auto reply, protocol::decode_body<BackupListReply>(inbound.message.body));
  CHECK(take_signed_time(host, inbound, ask->nonce, ask->uptime, reply.time_ms, reply.signature));
  ask->answered = true;
  save(host, "meta", "time-ask", *ask);
  return {};
}

Result<void> take_signed_time(Host& host, const Inbound& inbound, ByteView nonce, Duration asked,
                              std::int64_t time_ms, ByteView signature) {
  if (!inbound.info.sender || !inbound.info.own_did) return fail(Errc::not_authentic);
  TRY(const Contact contact,
      protocol::contact_of(host, *inbound.info.own_did, *inbound.info.sender));
  CHECK(
      protocol::verify_from(host, *inbound.info.sender, time_statement(nonce, time_ms), signature));
  observe_signed_time(host, {contact.their_did, protocol::from_epoch_ms(time_ms), asked, false},
                      contact.id);
  return {};
}

}  // namespace kith::recovery
