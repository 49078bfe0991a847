#include "protocol/mail_route.hpp"

#include <algorithm>

#include "protocol/mailbox.hpp"

namespace kith::protocol {
namespace {

constexpr std::string_view kRoutes = "mail-route";

constexpr std::chrono::hours kTakeoverWindow{1};

/// A client that has a DID.
struct Registrant {
  std::string client;
  std::optional<RecipientClaim> claim;  ///< Absent: registered without proof.
  std::uint64_t takeovers = 0;          ///< By equal claims, since ...
  Time takeovers_since{};               ///< ... this time.
  template <class V>
  void visit(V& v) {
    v("client", client), v("claim", claim), v("takeovers", takeovers),
        v("takeovers_since", takeovers_since);
  }
};

/// Record `mail-route`/<did>. The first client has the fields that it had when there was only one.
struct MailRoute {
  Registrant first;
  std::optional<std::vector<Registrant>> others;
  template <class V>
  void visit(V& v) {
    first.visit(v);
    v("others", others);
  }
};

/// Record `mail-did/<client>`/<did>.
struct RegisteredDid {
  std::string client;
  template <class V>
  void visit(V& v) {
    v("client", client);
  }
};

using Registrants = std::vector<Registrant>;

std::string registered(std::string_view client) {
  return "mail-did/" + std::string(client);
}

Registrants load_route(Host& host, std::string_view did) {
  Registrants all;
  auto route = load<MailRoute>(host, kRoutes, did);
  if (!route) return all;
  all.push_back(std::move(route->first));
  if (route->others) std::ranges::move(*route->others, std::back_inserter(all));
  return all;
}

void save_route(Host& host, std::string_view did, Registrants all) {
  if (all.empty()) return host.erase({std::string(kRoutes), std::string(did)});
  MailRoute route{std::move(all.front()), {}};
  if (all.size() > 1) {
    route.others = Registrants(std::move_iterator(all.begin() + 1), std::move_iterator(all.end()));
  }
  save(host, kRoutes, did, route);
}

void count_did(Host& host, std::string_view did, const std::string& client) {
  MailboxState state = mailbox_state(host, client);
  MailUse total = total_use(host);
  ++state.recipients;
  ++total.dids;
  save_total_use(host, total);
  save_mailbox_state(host, client, state);
  save(host, registered(client), did, RegisteredDid{client});
}

void uncount_did(Host& host, std::string_view did, const std::string& client) {
  MailboxState state = mailbox_state(host, client);
  --state.recipients;
  MailUse total = total_use(host);
  total.dids -= std::min<std::uint64_t>(total.dids, 1);
  save_total_use(host, total);
  save_mailbox_state(host, client, state);
  host.erase({registered(client), std::string(did)});
}

/// Nothing: there is room for one more. Else the result to answer with.
std::optional<Registration> lacks_room(Host& host, std::string_view client) {
  const MailUse use = use_of(mailbox_state(host, client));
  const auto may = may_register(policy_of(host), use, total_use(host));
  if (may.has_value()) return std::nullopt;
  return may.error() == Errc::limit_exceeded ? Registration::client_error
                                             : Registration::server_error;
}

/// Two holders of the same keys may not go on for ever. False: they did so often enough.
bool count_takeover(Host& host, Registrant& taker) {
  if (taker.takeovers_since + kTakeoverWindow <= host.now()) {
    taker.takeovers = 0;
    taker.takeovers_since = host.now();
  }
  if (taker.takeovers >= limits::kTakeoversPerHour) return false;
  ++taker.takeovers;
  return true;
}

/// A log that goes on from the known head has another head: check_recipient_proof saw to it. So has
/// one that takes a vetoed recover back.
bool is_longer(const RecipientClaim& claim, const RecipientClaim& known) {
  return claim.head != known.head;
}

bool outranks(const RecipientClaim& claim, const std::optional<RecipientClaim>& known) {
  return !known || is_longer(claim, *known) || claim.time > known->time;
}

/// As far as is known: versions before kept no key.
bool same_key(const RecipientClaim& a, const RecipientClaim& b) {
  return a.key.empty() || b.key.empty() || a.key == b.key;
}

bool may_stay_beside(const RecipientClaim& known, const CheckedClaim& checked) {
  if (same_key(known, checked.claim)) return false;
  return !is_longer(checked.claim, known) ||
         std::ranges::find(checked.keys, known.key) != checked.keys.end();
}

void take_log(RecipientClaim& claim, const RecipientClaim& from) {
  claim.head = from.head;
  claim.recovers = from.recovers;
  claim.vetoed = from.vetoed;
}

/// What becomes of a DID's clients when one of them comes with a claim.
struct Change {
  Registrants stay;  ///< Others than the one that comes.
  Registrants lose;
  std::optional<Registrant> own;  ///< It was registered before.
  bool refused = false;           ///< Another's claim counts more.
  bool takeover = false;          ///< From an equal claim, which is older.
};

Change change_by(Registrants route, std::string_view client, const CheckedClaim& checked) {
  Change change;
  for (Registrant& one : route) {
    if (one.client == client) {
      change.own = std::move(one);
    } else if (one.claim && may_stay_beside(*one.claim, checked)) {
      take_log(*one.claim, checked.claim);  // The longer log names its key too.
      change.stay.push_back(std::move(one));
    } else {
      if (!outranks(checked.claim, one.claim)) change.refused = true;
      if (one.claim && !is_longer(checked.claim, *one.claim)) change.takeover = true;
      change.lose.push_back(std::move(one));
    }
  }
  return change;
}

/// Nothing: a client that does not have the DID yet may be added.
std::optional<Registration> lacks_place(Host& host, std::string_view client, const Change& change) {
  if (change.stay.size() >= limits::kClientsPerDidMax) return Registration::client_error;
  if (change.lose.empty()) return lacks_room(host, client);
  // The DID leaves one share and enters another; the sum stays.
  if (use_of(mailbox_state(host, client)).dids < policy_of(host).client.dids) return std::nullopt;
  return Registration::client_error;
}

/// How often it changed hands goes on with who has it.
void inherit_takeovers(Registrant& heir, const Registrant& from) {
  if (from.takeovers < heir.takeovers) return;
  heir.takeovers = from.takeovers;
  heir.takeovers_since = from.takeovers_since;
}

}  // namespace

std::vector<std::string> clients_for(Host& host, std::string_view did) {
  std::vector<std::string> clients;
  for (Registrant& one : load_route(host, did)) clients.push_back(std::move(one.client));
  return clients;
}

std::optional<RecipientClaim> claim_of(Host& host, std::string_view client, std::string_view did) {
  Registrants route = load_route(host, did);
  const auto own = std::ranges::find(route, client, &Registrant::client);
  if (own == route.end()) return std::nullopt;
  return std::move(own->claim);
}

std::optional<RecipientClaim> known_claim(Host& host, std::string_view did) {
  Registrants route = load_route(host, did);  // What stays beside a claim has its log.
  if (route.empty()) return std::nullopt;
  return std::move(route.front().claim);
}

bool is_anothers(Host& host, std::string_view client, std::string_view did,
                 const CheckedClaim& checked) {
  return std::ranges::any_of(load_route(host, did), [&](const Registrant& one) {
    return one.client != client && one.claim && same_key(*one.claim, checked.claim);
  });
}

Registration register_recipient(Host& host, std::string_view client, std::string_view did) {
  const Registrants route = load_route(host, did);
  if (!route.empty()) {
    const bool own = std::ranges::find(route, client, &Registrant::client) != route.end();
    return own ? Registration::no_change : Registration::client_error;
  }
  if (policy_of(host).require_proof) return Registration::client_error;
  if (const auto lack = lacks_room(host, client)) return *lack;
  Registrant wanted;
  wanted.client = client;
  count_did(host, did, wanted.client);
  save_route(host, did, {std::move(wanted)});
  return Registration::success;
}

ProvenRegistration register_proven(Host& host, std::string_view client, std::string_view did,
                                   const CheckedClaim& checked) {
  Change change = change_by(load_route(host, did), client, checked);
  const bool had_it = change.own.has_value();
  const Registration kept = had_it ? Registration::no_change : Registration::client_error;
  if (had_it && !outranks(checked.claim, change.own->claim)) return {kept, {}};
  if (change.refused) return {kept, {}};
  if (!had_it) {
    if (const auto lack = lacks_place(host, client, change)) return {*lack, {}};
  }
  Registrant wanted;
  wanted.client = client;
  wanted.claim = checked.claim;
  if (had_it) inherit_takeovers(wanted, *change.own);
  for (const Registrant& one : change.lose) inherit_takeovers(wanted, one);
  if (change.takeover && !count_takeover(host, wanted)) return {Registration::server_error, {}};

  ProvenRegistration done{had_it ? Registration::no_change : Registration::success, {}, !had_it};
  for (Registrant& one : change.lose) {
    uncount_did(host, did, one.client);
    done.former.push_back(std::move(one.client));
  }
  if (!had_it) count_did(host, did, wanted.client);
  change.stay.push_back(std::move(wanted));
  save_route(host, did, std::move(change.stay));
  return done;
}

Registration remove_recipient(Host& host, std::string_view client, std::string_view did) {
  Registrants route = load_route(host, did);
  if (route.empty()) return Registration::no_change;
  const auto own = std::ranges::find(route, client, &Registrant::client);
  if (own == route.end()) return Registration::client_error;
  uncount_did(host, did, own->client);
  route.erase(own);
  save_route(host, did, std::move(route));
  return Registration::success;
}

std::vector<std::string> recipients_of(Host& host, std::string_view client) {
  return host.list(registered(client));
}

}  // namespace kith::protocol
