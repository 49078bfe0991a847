#include "recovery/super_owner.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "ledger/descriptor.hpp"
#include "ledger/identity.hpp"
#include "ledger/log_store.hpp"
#include "ledger/strict_json.hpp"
#include "protocol/sender.hpp"
#include "protocol/vault.hpp"
#include "recovery/owner_set.hpp"
#include "recovery/rotation.hpp"
#include "recovery/super_held.hpp"
#include "recovery/super_reading.hpp"

namespace kith::recovery {
namespace {

constexpr std::string_view kSuperRecord = "super";
constexpr std::string_view kOwnerRecords = "recovery-record";
constexpr Duration kSettingLookFirst{500};
constexpr Duration kSettingLookMax{60'000};

struct SuperSets {
  std::vector<SuperSet> sets;
  template <class V>
  void visit(V& v) {
    v("sets", sets);
  }
};

void save_sets(Host& host, std::vector<SuperSet> sets) {
  save(host, kOwnerRecords, kSuperRecord, SuperSets{std::move(sets)});
}

bool in_making(const std::vector<SuperSet>& sets) {
  return !sets.empty() && sets.back().step != SuperStep::in_force;
}

std::string own_subject(const ledger::Identity& own, std::string_view log) {
  return log == kDidLog ? own.did : own.policy;
}

/// What holders reach the ledger by. Errors: wrong_state (it is a directory of this machine).
Result<std::string> shared_address(const ledger::Identity& own) {
  if (check_ledger_address(own.ledger_url).has_value()) return own.ledger_url;
  TRY(const ledger::LedgerDescriptor descriptor, ledger::parse_descriptor(own.ledger));
  for (const std::string& url : descriptor.urls) {
    if (check_ledger_address(url).has_value()) return url;
  }
  return fail(
      Errc::wrong_state,
      "your ledger is a directory of this machine, and those who hold your last resort must "
      "be able to read it: publish at a ledger that others run");
}

void look_soon(Host& host, const SuperSet& set) {
  const bool people = set.step != SuperStep::setting;
  const Duration first = people ? Duration(super_limits::kRepeatFirst) : kSettingLookFirst;
  const Duration most = people ? Duration(super_limits::kRepeatMax) : kSettingLookMax;
  const Duration wait = std::min(first * (1 << std::min<std::uint32_t>(set.looks, 12)), most);
  host.set_timer(kSuperModule, kSuperOwnerTimer, host.now() + wait);
}

template <class Body>
void tell_holder(Host& host, const SuperHolder& holder, std::string_view name, const Body& body) {
  const auto contact = protocol::find_contact(host, holder.contact_id);
  if (!contact) return;
  static_cast<void>(send_super(host, *contact, "trustee", name, body));
}

void send_super_offer(Host& host, const SuperSet& set, const SuperHolder& holder) {
  tell_holder(host, holder, CapabilityOffer::kName,
              CapabilityOffer{holder.offer_id, {std::string(kSuperCapability)}, set.text});
}

void withdraw(Host& host, const SuperHolder& holder) {
  if (holder.step == HolderStep::declined) return;
  tell_holder(host, holder, SuperRef::kWithdrawn, SuperRef{holder.offer_id});
}

void send_response(Host& host, const SuperSet& set, const SuperHolder& holder) {
  const auto own = ledger::identity(host);
  if (!own) return;
  const auto address = shared_address(*own);
  if (!address.has_value()) return;
  tell_holder(host, holder, SuperResponse::kName,
              SuperResponse{holder.offer_id, own->did, own->policy, *address, set.openings});
}

// --- Set-up

Result<std::vector<Contact>> wanted_holders(Host& host, const JsonObject& args) {
  TRY(const auto names, ledger::string_list(args, "holders", super_limits::kHoldersMax));
  std::vector<Contact> contacts;
  std::set<std::string> ids;
  for (const std::string& name : names) {
    TRY(Contact contact, protocol::contact_named(host, name));
    if (contact.role != ContactRole::person || contact.state != ContactState::connected) {
      return fail(Errc::wrong_state, contact.name + " is no person you are connected with");
    }
    if (!ids.insert(contact.id).second) {
      return fail(Errc::usage, contact.name + " is named twice");
    }
    contacts.push_back(std::move(contact));
  }
  return contacts;
}

Result<std::uint32_t> wanted_threshold(const JsonObject& args, std::size_t holders) {
  TRY(const std::int64_t threshold, crypto::json_int(args, "threshold"));
  if (threshold < std::int64_t{super_limits::kThresholdMin}) {
    return fail(Errc::usage,
                "one of them alone could take your identity over: ask for two at least");
  }
  if (threshold > static_cast<std::int64_t>(holders)) {
    return fail(Errc::usage, "that is more than the people you name");
  }
  return static_cast<std::uint32_t>(threshold);
}

/// Who was asked before and is named again keeps the offer, and what was answered to it.
SuperHolder holder_for(Host& host, const Contact& contact, const SuperSet* before) {
  if (before != nullptr) {
    const auto found = std::ranges::find(before->holders, contact.id, &SuperHolder::contact_id);
    const bool kept = found != before->holders.end() && found->step != HolderStep::declined;
    if (kept) return *found;
  }
  SuperHolder holder;
  holder.contact_id = contact.id;
  holder.offer_id = crypto::hex(host.random().bytes(8));
  return holder;
}

// --- Putting it into force

/// Those who are in; every other one must have been named in `without`.
Result<std::vector<SuperHolder>> agreed_holders(Host& host, const SuperSet& set,
                                                const JsonObject& args) {
  std::set<std::string> without;
  if (args.contains("without")) {
    TRY(const auto names, ledger::string_list(args, "without", super_limits::kHoldersMax));
    for (const std::string& name : names) {
      TRY(const Contact contact, protocol::contact_named(host, name));
      without.insert(contact.id);
    }
  }
  std::vector<SuperHolder> agreed;
  for (const SuperHolder& holder : set.holders) {
    if (without.contains(holder.contact_id)) continue;
    if (holder.step != HolderStep::agreed) {
      const auto contact = protocol::find_contact(host, holder.contact_id);
      const std::string name = contact ? contact->name : holder.contact_id;
      return fail(Errc::waiting_for_people,
                  name + (holder.step == HolderStep::declined ? " declined" : " has not answered") +
                      ": wait, choose anew with `kith recovery super-setup`, or go on without them "
                      "(--without)");
    }
    agreed.push_back(holder);
  }
  if (agreed.size() < set.threshold) {
    return fail(Errc::refused, "fewer would be left than must agree");
  }
  return agreed;
}

Result<std::vector<SuperOpening>> make_openings(Host& host, const SuperSet& set) {
  std::vector<SuperOpening> openings;
  for (const std::string_view log : kSuperLogs) {
    SuperOpening opening{std::string(log), set.threshold, {}, {}};
    for (const SuperHolder& holder : set.holders) opening.k.push_back(holder.key_of(log));
    // The order of the keys tells nothing of who was asked first.
    std::ranges::sort(opening.k);
    if (!ledger::all_distinct(opening.k)) {
      return fail(Errc::conflict, "two holders gave the same key: choose anew");
    }
    opening.salt = crypto::multibase(host.random().bytes(ledger::kSaltBytes));
    openings.push_back(std::move(opening));
  }
  return openings;
}

/// The log as it is kept here names it.
bool log_names_set(Host& host, const ledger::Identity& own, const SuperOpening& opening) {
  const auto view = ledger::stored_view(host, own_subject(own, opening.log));
  return view.has_value() && view->current.rec.hi == ledger::recovery_digest(opening.reveal());
}

bool both_name(Host& host, const ledger::Identity& own, const SuperSet& set) {
  return !set.openings.empty() &&
         std::ranges::all_of(set.openings, [&](const SuperOpening& opening) {
           return log_names_set(host, own, opening);
         });
}

void put_into_force(Host& host, SuperSet& set) {
  set.step = SuperStep::in_force;
  set.looks = 0;
  set.problem.clear();
  for (const SuperHolder& holder : set.holders) send_response(host, set, holder);
  host.audit("super.in-force", {{"holders", set.holders.size()}});
  host.notify({"recovery",
               "Your last resort is in force. Those who hold it are told now; see `kith recovery "
               "super-status`.",
               {},
               {}});
}

void check_setting(Host& host, SuperSet& set) {
  const auto own = ledger::identity(host);
  if (!own || !ledger::posted(host, own->did) || !ledger::posted(host, own->policy)) return;
  if (both_name(host, *own, set)) return put_into_force(host, set);
  if (rotation_runs(host)) return;
  set.step = SuperStep::offering;
  set.looks = 0;
  set.openings.clear();
  set.problem = "the rotation of your keys came to nothing: confirm it again";
  host.notify({"alarm",
               "Your last resort could not be put into force. See `kith did rotate-status`, then "
               "run `kith recovery super-confirm` again.",
               {},
               {}});
}

/// True: somebody still has to answer.
bool say_again(Host& host, const SuperSet& set) {
  bool waits = false;
  for (const SuperHolder& holder : set.holders) {
    const bool unanswered = set.step == SuperStep::in_force ? holder.step == HolderStep::agreed
                                                            : holder.step == HolderStep::offered;
    if (!unanswered) continue;
    waits = true;
    if (set.step == SuperStep::in_force) {
      send_response(host, set, holder);
    } else {
      send_super_offer(host, set, holder);
    }
  }
  return waits;
}

// --- Messages

struct AnsweredOffer {
  std::vector<SuperSet> sets;
  std::size_t set = 0;
  std::size_t holder = 0;
  Contact contact;
  [[nodiscard]] SuperSet& its_set() { return sets[set]; }
  [[nodiscard]] SuperHolder& its_holder() { return sets[set].holders[holder]; }
};
Result<AnsweredOffer> answered_offer(Host& host, const Inbound& inbound,
                                     const std::string& offer_id) {
  TRY(Contact contact, protocol::sender_of(host, inbound));
  std::vector<SuperSet> sets = super_sets(host);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const auto& holders = sets[i].holders;
    const auto found = std::ranges::find(holders, offer_id, &SuperHolder::offer_id);
    if (found == holders.end() || found->contact_id != contact.id) continue;
    const auto at = static_cast<std::size_t>(found - holders.begin());
    return AnsweredOffer{std::move(sets), i, at, std::move(contact)};
  }
  return fail(Errc::expired, "nothing is asked of you under that offer any more");
}

Result<void> check_keys(const AnsweredOffer& at, const SuperAccept& accept) {
  if (accept.keys.size() != kSuperLogs.size()) {
    return fail(Errc::malformed, "a key for each log is needed");
  }
  for (std::size_t i = 0; i < kSuperLogs.size(); ++i) {
    const SuperKey& key = accept.keys[i];
    if (key.log != kSuperLogs[i]) return fail(Errc::malformed, "the keys are out of order");
    TRY(const PublicKey public_key, ledger::signing_key(key.key));
    CHECK(crypto::verify(public_key,
                         super_key_statement(accept.offer_id, key.log, key.key,
                                             at.contact.their_did, at.contact.my_did),
                         key.proof));
  }
  if (accept.keys[0].key == accept.keys[1].key) {
    return fail(Errc::refused, "one key for two logs would tie them together");
  }
  return {};
}

void tell_when_all_answered(Host& host, const SuperSet& set) {
  const bool waits = std::ranges::any_of(set.holders, [](const SuperHolder& holder) {
    return holder.step == HolderStep::offered || holder.step == HolderStep::declined;
  });
  if (waits) return;
  host.notify({"recovery",
               "All whom you asked for your last resort have agreed. Put it into force: kith "
               "recovery super-confirm",
               {},
               {}});
}

// --- Words

JsonArray holder_rows(Host& host, const SuperSet& set) {
  JsonArray rows;
  for (const SuperHolder& holder : set.holders) {
    const auto contact = protocol::find_contact(host, holder.contact_id);
    JsonObject row{{"contact", contact ? contact->name : holder.contact_id},
                   {"state", step_name(holder.step)}};
    if (!holder.reason.empty()) row["reason"] = holder.reason;
    rows.push_back(std::move(row));
  }
  return rows;
}

/// People who are trustees too make it weaker: it is there for the case that those turn.
std::string overlap_words(Host& host, const SuperSet& set) {
  const auto trustees = owner_set(host);
  if (!trustees) return {};
  const auto also_trustee = [&](const SuperHolder& holder) {
    return std::ranges::any_of(trustees->trustees, [&](const TrusteeProgress& trustee) {
      return trustee.contact_id == holder.contact_id;
    });
  };
  const auto both = std::ranges::count_if(set.holders, also_trustee);
  const auto others = static_cast<std::ptrdiff_t>(set.holders.size()) - both;
  if (both == 0) return {};
  if (both >= std::ptrdiff_t{set.threshold}) {
    return "So many of them are also your trustees that these alone could use it. Choose others.";
  }
  if (others < std::ptrdiff_t{set.threshold}) {
    return "Without those who are also your trustees they are too few. Choose others: it is there "
           "for the case that trustees turn against you.";
  }
  return {};
}

std::string words_of_set(const SuperSet& set) {
  const auto count = [&](HolderStep step) {
    return std::ranges::count(set.holders, step, &SuperHolder::step);
  };
  const std::string of =
      std::to_string(set.threshold) + " of " + std::to_string(set.holders.size());
  switch (set.step) {
    case SuperStep::offering:
      if (count(HolderStep::agreed) == static_cast<std::ptrdiff_t>(set.holders.size())) {
        return "All have agreed. Put it into force: kith recovery super-confirm";
      }
      return std::to_string(count(HolderStep::agreed)) + " of " +
             std::to_string(set.holders.size()) +
             " have agreed. Who declined or stays silent can be replaced: kith recovery "
             "super-setup "
             "with other people; or give it up: kith recovery super-cancel";
    case SuperStep::setting:
      return "Your logs are being told. New keys are posted when a backup holds them.";
    case SuperStep::in_force:
      if (count(HolderStep::confirmed) < std::ptrdiff_t{set.threshold}) {
        return "In force. Not enough of its holders have confirmed yet that they can help.";
      }
      return "In force: " + of +
             " together can give you your identity back if others take it over. Should that "
             "happen: "
             "kith recovery super-start";
  }
  return "";
}

}  // namespace

std::string_view step_name(SuperStep step) {
  switch (step) {
    case SuperStep::offering:
      return "offering";
    case SuperStep::setting:
      return "setting";
    case SuperStep::in_force:
      return "in-force";
  }
  return "";
}

std::string_view step_name(HolderStep step) {
  switch (step) {
    case HolderStep::offered:
      return "asked";
    case HolderStep::declined:
      return "declined";
    case HolderStep::agreed:
      return "agreed";
    case HolderStep::confirmed:
      return "confirmed";
  }
  return "";
}

std::string SuperHolder::key_of(std::string_view log) const {
  const auto found = std::ranges::find(keys, log, &SuperKey::log);
  return found == keys.end() ? std::string() : found->key;
}

const SuperOpening* SuperSet::opening_of(std::string_view log) const {
  const auto found = std::ranges::find(openings, log, &SuperOpening::log);
  return found == openings.end() ? nullptr : &*found;
}

std::vector<SuperSet> super_sets(Host& host) {
  return load<SuperSets>(host, kOwnerRecords, kSuperRecord).value_or(SuperSets{}).sets;
}

std::string super_state(Host& host) {
  const std::vector<SuperSet> sets = super_sets(host);
  if (sets.empty()) return "none";
  const auto own = ledger::identity(host);
  for (auto set = sets.rbegin(); own && set != sets.rend(); ++set) {
    if (set->step == SuperStep::in_force && both_name(host, *own, *set)) return "in-force";
  }
  return in_making(sets) ? "setting-up" : "used-up";
}

Result<JsonObject> begin_super(Host& host, const JsonObject& args) {
  TRY(const ledger::Identity own, ledger::needed_identity(host));
  TRY(const std::string address, shared_address(own));
  TRY(const std::vector<Contact> contacts, wanted_holders(host, args));
  SuperSet set;
  TRY(set.threshold, wanted_threshold(args, contacts.size()));
  TRY(const auto text, crypto::json_optional_string(args, "text"));
  set.text = text.value_or("");
  CHECK(check_super_text(set.text));
  set.created = host.now();
  std::vector<SuperSet> sets = super_sets(host);
  std::optional<SuperSet> before;
  if (in_making(sets)) {
    if (sets.back().step == SuperStep::setting) {
      return fail(Errc::wrong_state, "the one before is being put into force: wait for that");
    }
    before = std::move(sets.back());
    sets.pop_back();
  }
  for (const Contact& contact : contacts) {
    set.holders.push_back(holder_for(host, contact, before ? &*before : nullptr));
  }
  if (before) {
    for (const SuperHolder& holder : before->holders) {
      const bool named = std::ranges::find(set.holders, holder.offer_id, &SuperHolder::offer_id) !=
                         set.holders.end();
      if (!named) withdraw(host, holder);
    }
  }
  for (const SuperHolder& holder : set.holders) {
    if (holder.step == HolderStep::offered) send_super_offer(host, set, holder);
  }
  look_soon(host, set);
  host.audit("super.offered-to", {{"holders", set.holders.size()}});
  sets.push_back(std::move(set));
  save_sets(host, std::move(sets));
  return describe_super(host);
}

Result<JsonObject> confirm_super(Host& host, const Command& command) {
  CHECK(ledger::needed_identity(host));
  std::optional<SealedKey> vault;
  if (protocol::vault_lock(host)) {
    TRY(vault, protocol::open_vault(host, command.step_up));
  }
  std::vector<SuperSet> sets = super_sets(host);
  if (!in_making(sets)) {
    return fail(Errc::wrong_state, "nobody was asked: begin with `kith recovery super-setup`");
  }
  SuperSet& set = sets.back();
  if (set.step == SuperStep::setting) return describe_super(host);
  TRY(std::vector<SuperHolder> agreed, agreed_holders(host, set, command.args));
  for (const SuperHolder& holder : set.holders) {
    const bool stays =
        std::ranges::find(agreed, holder.offer_id, &SuperHolder::offer_id) != agreed.end();
    if (!stays) withdraw(host, holder);
  }
  set.holders = std::move(agreed);
  TRY(set.openings, make_openings(host, set));
  set.step = SuperStep::setting;
  set.problem.clear();
  set.looks = 0;
  const auto own = *ledger::identity(host);
  LogChanges changes;
  for (const SuperOpening& opening : set.openings) {
    changes[own_subject(own, opening.log)].super_quorum = ledger::recovery_digest(opening.reveal());
  }
  look_soon(host, set);
  save_sets(host, std::move(sets));  // Before the rotation: its backup holds this record.
  CHECK(begin_rotation(host, vault, changes));
  host.audit("super.setting");
  return describe_super(host);
}

Result<JsonObject> cancel_super(Host& host) {
  std::vector<SuperSet> sets = super_sets(host);
  if (!in_making(sets)) {
    return fail(Errc::wrong_state,
                sets.empty() ? "there is none to give up"
                             : "it is in force: a new one takes its place, see `kith recovery "
                               "super-setup`");
  }
  if (sets.back().step == SuperStep::setting) {
    return fail(Errc::wrong_state, "it is being put into force already");
  }
  for (const SuperHolder& holder : sets.back().holders) withdraw(host, holder);
  sets.pop_back();
  save_sets(host, std::move(sets));
  host.audit("super.cancelled");
  return describe_super(host);
}

JsonObject describe_super(Host& host) {
  const std::vector<SuperSet> sets = super_sets(host);
  JsonObject reply{{"state", super_state(host)}};
  if (sets.empty()) {
    reply["words"] =
        "You have no last resort. If so many of your trustees as you would need took your identity "
        "over, nobody could contest it. Choose others who could: kith recovery super-setup";
    return reply;
  }
  const SuperSet& set = sets.back();
  reply["step"] = step_name(set.step);
  reply["threshold"] = set.threshold;
  reply["holders"] = holder_rows(host, set);
  reply["words"] = super_state(host) == "used-up"
                       ? "Your logs do not name it any more. Choose a new one: kith recovery "
                         "super-setup"
                       : words_of_set(set);
  if (!set.problem.empty()) reply["problem"] = set.problem;
  const std::string warning = overlap_words(host, set);
  if (!warning.empty()) reply["warning"] = warning;
  return reply;
}

bool answers_super_offer(Host& host, const Inbound& inbound) {
  const auto ref = protocol::decode_body<SuperRef>(inbound.message.body);
  return ref.has_value() && answered_offer(host, inbound, ref->offer_id).has_value();
}

Result<void> on_super_answer(Host& host, const Inbound& inbound) {
  TRY(const auto ref, protocol::decode_body<SuperRef>(inbound.message.body));
  TRY(AnsweredOffer at, answered_offer(host, inbound, ref.offer_id));
  SuperHolder& holder = at.its_holder();
  if (holder.step != HolderStep::offered) return {};
  if (inbound.message.type == type_uri("trustee", CapabilityDecline::kName)) {
    TRY(const auto decline, protocol::decode_body<CapabilityDecline>(inbound.message.body));
    CHECK(check_super_text(decline.reason));
    holder.step = HolderStep::declined;
    holder.reason = decline.reason;
    host.notify({"recovery",
                 at.contact.name +
                     " declined to hold a key of your last resort. Choose somebody else: kith "
                     "recovery super-setup",
                 at.contact.id,
                 {}});
  } else {
    TRY(auto accept, protocol::decode_body<SuperAccept>(inbound.message.body));
    if (accept.capabilities != std::vector<std::string>{std::string(kSuperCapability)}) {
      return fail(Errc::unsupported, "only SUPER_QUORUM was offered");
    }
    CHECK(check_keys(at, accept));
    holder.keys = std::move(accept.keys);
    holder.step = HolderStep::agreed;
    tell_when_all_answered(host, at.its_set());
  }
  save_sets(host, std::move(at.sets));
  return {};
}

Result<void> on_super_confirmed(Host& host, const Inbound& inbound) {
  TRY(const auto ref, protocol::decode_body<SuperRef>(inbound.message.body));
  TRY(AnsweredOffer at, answered_offer(host, inbound, ref.offer_id));
  const bool told = at.its_set().step == SuperStep::in_force;
  if (!told || at.its_holder().step != HolderStep::agreed) return {};
  at.its_holder().step = HolderStep::confirmed;
  save_sets(host, std::move(at.sets));
  return {};
}

void super_owner_looks(Host& host) {
  std::vector<SuperSet> sets = super_sets(host);
  if (sets.empty()) return;
  SuperSet& set = sets.back();
  bool waits = true;
  if (set.step == SuperStep::setting) {
    check_setting(host, set);
    // Of those in force before it, so many are remembered.
    if (set.step == SuperStep::in_force && sets.size() > super_limits::kSetsKept) {
      sets.erase(sets.begin());
    }
  } else {
    waits = say_again(host, set);
  }
  if (!waits) return;
  SuperSet& newest = sets.back();
  ++newest.looks;
  look_soon(host, newest);
  save_sets(host, std::move(sets));
}

}  // namespace kith::recovery
