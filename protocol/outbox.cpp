#include "protocol/outbox.hpp"

#include <algorithm>

#include "protocol/live.hpp"
#include "protocol/mail_pickup.hpp"
#include "protocol/mailbox.hpp"
#include "protocol/mediator.hpp"
#include "protocol/messenger.hpp"

namespace kith::protocol {
namespace {

constexpr std::string_view kOutbox = "outbox";
constexpr std::string_view kSweepOutbox = "sweep";
constexpr std::chrono::hours kSweepOutboxEvery{24};

/// Whose module sweeps mailboxes and hears of lasting connections that end.
std::string_view keeper(Host& host) {
  return host.get({"meta", "routing-did"}) ? kMediatorModule : kOutbox;
}

}  // namespace

bool asks_for_mail(const DidDocument& document) {
  const auto& services = document.services;
  return services.empty() ||
         std::ranges::find(services, kQueueTransport, &ServiceEndpoint::uri) != services.end();
}

Result<void> queue_for(Host& host, const Did& own, const Did& recipient, std::string_view packed) {
  TRY(const Contact contact, contact_of(host, own, recipient));
  TRY(const DidDocument document, KnownDids(host).resolve(recipient));
  // Our mediator asks nobody for mail: it answers on our own connections.
  if (!asks_for_mail(document) || contact.role == ContactRole::mediator) {
    return fail(Errc::unreachable, "that contact has no address of a kind known here");
  }
  Mail mail{crypto::to_bytes(packed), recipient.text(), {}, {}};
  TRY(const StoredMail stored, put_mail(host, contact.id, std::move(mail)));
  deliver_live(host, contact.id, stored, keeper(host));
  if (keeper(host) == kOutbox && !host.get({"timer", "outbox|sweep"})) {
    host.set_timer(kOutbox, kSweepOutbox, host.now() + kSweepOutboxEvery);
  }
  return {};
}

std::vector<std::string> Outbox::message_types() const {
  return pickup_message_types();
}

bool Outbox::only_reads(std::string_view what) const {
  return is_pickup_query(what);
}

Result<void> Outbox::on_message(Host& host, const Inbound& inbound) {
  return on_pickup(host, inbound);
}

void Outbox::on_timer(Host& host, std::string_view) {
  drop_old_mail(host);
  const auto boxes = host.list("mailbox");
  const bool some = std::ranges::any_of(
      boxes, [&](const std::string& id) { return mailbox_state(host, id).count > 0; });
  if (some) host.set_timer(kOutbox, kSweepOutbox, host.now() + kSweepOutboxEvery);
}

void Outbox::on_effect(Host& host, const Effect& effect, const Result<Bytes>& outcome) {
  live_ended(host, effect, outcome);
}

void Outbox::on_start(Host& host) {
  forget_all_live(host);
}

}  // namespace kith::protocol
