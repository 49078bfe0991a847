#include "protocol/mailbox.hpp"

#include <algorithm>

#include "crypto/hash.hpp"
#include "protocol/audit_log.hpp"
#include "protocol/mail_route.hpp"

namespace kith::protocol {
namespace {

constexpr std::string_view kStates = "mailbox";
constexpr std::string_view kHeld = "mail-held";

/// Record `mail-pair/<client>`/<mail_pair>: how much of it waits.
struct PairUse {
  std::uint64_t count = 0;
  template <class V>
  void visit(V& v) {
    v("count", count);
  }
};

/// Record `mail-held`/<until, ms>-<client>-<mail id>: listed in the order of release.
struct HeldMail {
  std::string client;
  std::string mail;
  Time until{};
  template <class V>
  void visit(V& v) {
    v("client", client), v("mail", mail), v("until", until);
  }
};

std::string held_id(std::string_view client, std::string_view mail, Time until) {
  return numbered_id(static_cast<std::uint64_t>(epoch_ms(until))) + "-" + std::string(client) +
         "-" + std::string(mail);
}

std::string box(std::string_view client) {
  return "mail/" + std::string(client);
}

std::string pairs(std::string_view client) {
  return "mail-pair/" + std::string(client);
}

std::uint64_t pair_count(Host& host, std::string_view client, const std::string& pair) {
  return load<PairUse>(host, pairs(client), pair).value_or(PairUse{}).count;
}
void count_pair(Host& host, std::string_view client, const std::string& pair) {
  if (pair.empty()) return;
  save(host, pairs(client), pair, PairUse{pair_count(host, client, pair) + 1});
}
void uncount_pair(Host& host, std::string_view client, const std::string& pair) {
  if (pair.empty()) return;
  const std::uint64_t count = pair_count(host, client, pair);
  if (count > 1) return save(host, pairs(client), pair, PairUse{count - 1});
  host.erase({pairs(client), pair});
}

}  // namespace

MailboxState mailbox_state(Host& host, std::string_view client) {
  return load<MailboxState>(host, kStates, client).value_or(MailboxState{});
}

void save_mailbox_state(Host& host, std::string_view client, const MailboxState& state) {
  save(host, kStates, client, state);
}

MailUse use_of(const MailboxState& state) {
  return {state.count, state.bytes, state.recipients, 0};
}

std::string mail_pair(std::string_view sender, std::string_view recipient_did) {
  const auto digest =
      crypto::digest("kith/mail-pair", {crypto::as_bytes(sender), crypto::as_bytes(recipient_did)});
  return crypto::hex(ByteView(digest).first(16));
}

Result<StoredMail> put_mail(Host& host, std::string_view client, Mail mail) {
  return put_mail(host, policy_of(host), client, std::move(mail));
}

Result<StoredMail> put_mail(Host& host, const MediationPolicy& policy, std::string_view client,
                            Mail mail) {
  if (mail.envelope.size() > limits::kMailBytesMax) {
    return fail(Errc::limit_exceeded, "the envelope is too large for a mailbox");
  }
  if (!mail.pair.empty() && pair_count(host, client, mail.pair) >= limits::kMailPerPairMax) {
    return fail(Errc::storage_full, "enough mail of that sender waits for that recipient");
  }
  MailboxState state = mailbox_state(host, client);
  MailUse total = total_use(host);
  CHECK(may_store(policy, use_of(state), total, mail.envelope.size()));
  ++total.messages;
  total.bytes += mail.envelope.size();
  save_total_use(host, total);
  mail.received = host.now();
  const std::string id = numbered_id(state.next++);
  ++state.count;
  state.bytes += mail.envelope.size();
  save(host, box(client), id, mail);
  count_pair(host, client, mail.pair);
  save(host, kStates, client, state);
  if (mail.held_until > host.now()) {
    save(host, kHeld, held_id(client, id, mail.held_until),
         HeldMail{std::string(client), id, mail.held_until});
  }
  return StoredMail{id, std::move(mail)};
}

std::size_t held_count(Host& host) {
  return host.list(kHeld).size();
}

std::optional<Time> next_release(Host& host) {
  const auto ids = host.list(kHeld);
  if (ids.empty()) return std::nullopt;
  const auto first = load<HeldMail>(host, kHeld, ids.front());
  return first ? std::optional(first->until) : std::nullopt;
}

std::vector<std::pair<std::string, StoredMail>> release_mail(Host& host) {
  std::vector<std::pair<std::string, StoredMail>> released;
  for (const std::string& id : host.list(kHeld)) {
    const auto held = load<HeldMail>(host, kHeld, id);
    if (!held || held->until > host.now()) break;
    host.erase({std::string(kHeld), id});
    auto mail = load<Mail>(host, box(held->client), held->mail);
    if (mail) released.push_back({held->client, {held->mail, std::move(*mail)}});
  }
  return released;
}

std::vector<StoredMail> read_mail(Host& host, std::string_view client,
                                  std::string_view recipient_did, std::size_t max) {
  std::vector<StoredMail> found;
  for (const std::string& id : host.list(box(client))) {
    if (found.size() == max) break;
    auto mail = load<Mail>(host, box(client), id);
    if (!mail || mail->held_until > host.now()) continue;
    if (!recipient_did.empty() && mail->recipient_did != recipient_did) continue;
    found.push_back({id, std::move(*mail)});
  }
  return found;
}

namespace {

/// Takes mail out of one mailbox. The sums are read once, and written by finish().
class Removal {
 public:
  Removal(Host& host, std::string_view client)
      : host_(host),
        client_(client),
        state_(mailbox_state(host, client)),
        total_(total_use(host)) {}

  void take(std::string_view mail_id, const Mail& mail) {
    --state_.count;
    state_.bytes -= mail.envelope.size();
    total_.messages -= std::min<std::uint64_t>(total_.messages, 1);
    total_.bytes -= std::min<std::uint64_t>(total_.bytes, mail.envelope.size());
    host_.erase({box(client_), std::string(mail_id)});
    uncount_pair(host_, client_, mail.pair);
    if (mail.held_until > host_.now()) {
      host_.erase({std::string(kHeld), held_id(client_, mail_id, mail.held_until)});
    }
    took_ = true;
  }
  void finish() {
    if (!took_) return;
    save_total_use(host_, total_);
    save(host_, kStates, client_, state_);
  }

 private:
  Host& host_;
  std::string_view client_;
  MailboxState state_;
  MailUse total_;
  bool took_ = false;
};

}  // namespace

void remove_mail(Host& host, std::string_view client, std::string_view mail_id) {
  const auto mail = load<Mail>(host, box(client), mail_id);
  if (!mail) return;
  Removal removal(host, client);
  removal.take(mail_id, *mail);
  removal.finish();
}

void confirm_mail(Host& host, std::string_view client, std::span<const std::string> mail_ids) {
  Removal removal(host, client);
  for (const std::string& id : mail_ids) {
    const auto mail = load<Mail>(host, box(client), id);
    if (mail && mail->held_until <= host.now()) removal.take(id, *mail);
  }
  removal.finish();
}

MailSummary mail_summary(Host& host, std::string_view client, std::string_view recipient_did) {
  MailSummary summary;
  const auto ids = host.list(box(client));
  if (recipient_did.empty() && held_count(host) == 0 && !ids.empty()) {  // Nothing to leave out.
    const MailboxState state = mailbox_state(host, client);
    summary.messages = state.count;
    summary.bytes = state.bytes;
    summary.oldest = load<Mail>(host, box(client), ids.front())->received;
    summary.newest = load<Mail>(host, box(client), ids.back())->received;
    return summary;
  }
  for (const std::string& id : ids) {
    const auto mail = load<Mail>(host, box(client), id);
    if (!mail || mail->held_until > host.now()) continue;
    if (!recipient_did.empty() && mail->recipient_did != recipient_did) continue;
    ++summary.messages;
    summary.bytes += mail->envelope.size();
    if (!summary.oldest) summary.oldest = mail->received;
    summary.newest = mail->received;
  }
  return summary;
}

std::uint64_t move_mail(Host& host, std::string_view from, std::string_view to,
                        const std::set<std::string>& dids) {
  MailboxState source = mailbox_state(host, from);
  MailboxState target = mailbox_state(host, to);
  std::uint64_t moved = 0;
  for (const std::string& id : host.list(box(from))) {
    const auto mail = load<Mail>(host, box(from), id);
    if (!mail || !dids.contains(mail->recipient_did)) continue;
    const std::string new_id = numbered_id(target.next++);
    save(host, box(to), new_id, *mail);
    host.erase({box(from), id});
    uncount_pair(host, from, mail->pair);
    count_pair(host, to, mail->pair);
    const std::string held = held_id(from, id, mail->held_until);
    if (host.get({std::string(kHeld), held})) {
      host.erase({std::string(kHeld), held});
      save(host, kHeld, held_id(to, new_id, mail->held_until),
           HeldMail{std::string(to), new_id, mail->held_until});
    }
    --source.count, ++target.count;
    source.bytes -= mail->envelope.size(), target.bytes += mail->envelope.size();
    ++moved;
  }
  save(host, kStates, from, source);
  save(host, kStates, to, target);
  return moved;
}

void drop_mailbox(Host& host, std::string_view client) {
  for (const std::string& did : recipients_of(host, client)) {
    static_cast<void>(remove_recipient(host, client, did));
  }
  for (const std::string& id : host.list(box(client))) remove_mail(host, client, id);
  if (host.get({std::string(kStates), std::string(client)})) {
    host.erase({std::string(kStates), std::string(client)});
  }
}

void drop_old_mail(Host& host) {
  const Duration life = std::chrono::hours{24 * policy_of(host).mail_days};
  for (const std::string& client : host.list(kStates)) {
    for (const std::string& id : host.list(box(client))) {
      const auto mail = load<Mail>(host, box(client), id);
      if (mail && mail->received + life >= host.now()) break;
      remove_mail(host, client, id);
    }
  }
}

}  // namespace kith::protocol
