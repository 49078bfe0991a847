#include "recovery/owner_deal.hpp"

#include <algorithm>
#include <set>

#include "crypto/limits.hpp"
#include "ledger/identity.hpp"
#include "protocol/messenger.hpp"
#include "protocol/own_service.hpp"
#include "protocol/vault.hpp"
#include "recovery/backup_location.hpp"
#include "recovery/heartbeat.hpp"
#include "recovery/plan_text.hpp"

namespace kith::recovery {
namespace {

TestMode test_mode(Host& host) {
  return host.test_mode() ? TestMode::on : TestMode::off;
}

/// The first agreement key of a contact: where its share is sealed to.
Result<PublicKey> agreement_key(Host& host, const Contact& contact) {
  TRY(const Did did, Did::parse(contact.their_did));
  protocol::KnownDids known(host);
  TRY(const DidDocument document, known.resolve(did));
  const auto keys = document.agreement_keys(KeyType::x25519);
  if (keys.empty()) return fail(Errc::unsupported, contact.name + " has no key to seal to");
  return keys.front().key;
}

/// Our authentication key towards a contact: it signs the leaf record.
Result<SealedKey> relationship_key(Host& host, const Contact& contact) {
  TRY(const Did did, Did::parse(contact.my_did));
  protocol::KnownDids known(host);
  protocol::OwnSecrets secrets(host);
  TRY(const DidDocument document, known.resolve(did));
  for (const NamedKey& key : document.authentication_keys()) {
    if (auto sealed = secrets.find(key.kid)) return std::move(*sealed);
  }
  return fail(Errc::not_found, "no key of ours towards " + contact.name);
}

/// A plan that one holder alone can satisfy wants a second word of its owner.
Result<void> check_nobody_suffices(Host& host, const Plan& plan) {
  if (!single_holder_suffices(plan)) return {};
  std::string names;
  for (const Holder& holder : holders_who_suffice(plan)) {
    const auto contact = protocol::find_contact(host, holder.id);
    names += (names.empty() ? "" : ", ") + (contact ? contact->name : holder.id);
  }
  return fail(Errc::refused,
              "each of these alone could open your backup and take your identity over, without a "
              "word of the others: " +
                  names +
                  ". Ask for two (--threshold 2); or, if that is what you want, say so with "
                  "--one-is-enough");
}

/// Deals the set. `tokens` gets the token of each leaf.
Result<RecoverySet> deal_set(Host& host, const Choices& choices, const SealedKey& vault,
                             std::vector<Token>& tokens) {
  const auto own = ledger::identity(host);
  const auto lock = protocol::vault_lock(host);
  const auto grant = protocol::mediator_grant(host);
  if (!own || !lock) return fail(Errc::wrong_state, "this wallet has no identity with a vault");
  if (!grant) return fail(Errc::wrong_state, "backups need a mediator: kith accept http://...");
  TRY(const KeyPair agent, ledger::own_agent_key(host));

  SetInput input;
  input.plan = choices.plan;
  if (!choices.one_is_enough) CHECK(check_nobody_suffices(host, input.plan));
  std::vector<SealedKey> owner_keys;
  owner_keys.reserve(choices.trustees.size());
  for (const Contact& contact : choices.trustees) {
    TRY(SealedKey key, relationship_key(host, contact));
    owner_keys.push_back(std::move(key));
    LeafInput leaf;
    TRY(leaf.trustee_key, agreement_key(host, contact));
    leaf.owner_key = &owner_keys.back();
    leaf.terms = choices.terms;
    const auto question = choices.questions.find(contact.id);
    if (question != choices.questions.end()) leaf.question = question->second;
    tokens.push_back(random_id<Token>(host.random()));
    leaf.locations = {{grant->routing_did, tokens.back()}};
    input.leaves.emplace_back(std::move(leaf));
  }
  input.policy_address = own->policy;
  input.ledger_descriptors = {own->ledger};
  input.vault = lock->public_key;
  input.unlocked_vault = &vault;
  input.agent_key = &agent.sealed;
  input.agent = agent.public_key;
  input.mode = test_mode(host);
  input.now = host.now();
  return make_set(input, host.keys(), host.random());
}

/// Hashes of the tokens in use, filled up with random ones and shuffled: a location learns nothing
/// of how many trustees there are.
std::vector<Bytes> hash_tokens(Host& host, const std::vector<Token>& tokens) {
  std::vector<Bytes> hashes;
  for (const Token& token : tokens) hashes.push_back(token_hash(token));
  while (hashes.size() < limits::kBackupTokensPerSet) hashes.push_back(host.random().bytes(32));
  std::ranges::sort(hashes);
  return hashes;
}

OwnerSet new_owner_set(Host& host, const Choices& choices, RecoverySet dealt,
                       const std::vector<Token>& tokens) {
  OwnerSet set;
  set.record = std::move(dealt.record);
  set.sheet = dealt.sheet.encoded();
  set.capsule = std::move(dealt.capsule);
  set.token_hashes = hash_tokens(host, tokens);
  for (TrusteeLeaf& leaf : dealt.trustees) {
    TrusteeProgress trustee;
    trustee.leaf = leaf.leaf;
    trustee.contact_id = choices.trustees[leaf.leaf].id;
    trustee.offer_id = crypto::hex(host.random().bytes(16));
    trustee.change_id = host.random().bytes(16);
    trustee.challenge = host.random().bytes(kHeartbeatChallengeBytes);
    trustee.wire = std::move(leaf.wire);
    const std::string record_id = crypto::hex(set.record.leaves[leaf.leaf].record_id);
    protocol::put_vault_record(host, {"retire-" + record_id,
                                      protocol::VaultUse::retire,
                                      record_id,
                                      {},
                                      std::move(leaf.retire_item),
                                      host.now()});
    set.trustees.push_back(std::move(trustee));
  }
  return set;
}

}  // namespace

namespace {

/// Questions that trustees ask whoever says to be the owner. The same text in two records would
/// tell two trustees that they belong to one set. Errors: usage, malformed, limit_exceeded.
Result<std::map<std::string, std::string>> read_questions(const JsonObject& args,
                                                          const std::vector<Contact>& trustees) {
  std::map<std::string, std::string> questions;
  const Json* given = args.if_contains("questions");
  if (given == nullptr) return questions;
  if (!given->is_object()) return fail(Errc::usage, "questions: a text for each trustee's name");
  std::set<std::string> texts;
  for (const auto& item : given->get_object()) {
    if (!item.value().is_string()) return fail(Errc::malformed, "a question is a text");
    const std::string text(item.value().get_string());
    if (text.empty() || text.size() > kChallengeTextBytesMax) {
      return fail(Errc::limit_exceeded,
                  "the question for " + std::string(item.key()) + " must have 1 to 256 bytes");
    }
    const auto trustee = std::ranges::find_if(trustees, [&](const Contact& contact) {
      return contact.name == std::string_view(item.key()) ||
             contact.id == std::string_view(item.key());
    });
    if (trustee == trustees.end()) {
      return fail(Errc::usage, std::string(item.key()) + " has a question, but is no trustee");
    }
    if (!texts.insert(text).second) return fail(Errc::usage, "ask each trustee another question");
    if (!questions.emplace(trustee->id, text).second) {
      return fail(Errc::usage, trustee->name + " has two questions, by name and by id");
    }
  }
  return questions;
}

Result<Contact> trustee_named(Host& host, std::string_view name,
                              const std::vector<Contact>& before) {
  TRY(Contact contact, protocol::contact_named(host, name));
  if (contact.role != ContactRole::person || contact.state != ContactState::connected) {
    return fail(Errc::wrong_state, contact.name + " is not a connected person");
  }
  if (std::ranges::find(before, contact.id, &Contact::id) != before.end()) {
    return fail(Errc::usage, contact.name + " is named twice");
  }
  return contact;
}

/// The names in a plan become contact ids, leaf by leaf.
Result<void> name_trustees(Host& host, Plan& plan, std::vector<Contact>& trustees) {
  if (plan.is_leaf()) {
    if (plan.holder.kind != HolderKind::trustee) {
      return fail(Errc::unsupported, "sheets of paper cannot be set up yet, contacts alone");
    }
    TRY(Contact contact, trustee_named(host, plan.holder.id, trustees));
    plan.holder.id = contact.id;
    trustees.push_back(std::move(contact));
    return {};
  }
  for (Plan& child : plan.children) CHECK(name_trustees(host, child, trustees));
  return {};
}

/// `plan`, or `threshold` and `trustees`.
Result<void> choose_trustees(Host& host, const JsonObject& args, Choices& choices) {
  TRY(const auto text, crypto::json_optional_string(args, "plan"));
  if (text) {
    if (args.contains("threshold") || args.contains("trustees")) {
      return fail(Errc::usage, "a plan says who and how many: leave the others out");
    }
    TRY(choices.plan, read_plan(*text));
    return name_trustees(host, choices.plan, choices.trustees);
  }
  if (!args.contains("threshold") || !args.contains("trustees")) {
    return fail(Errc::usage, "name --threshold and --trustees, or --plan");
  }
  TRY(const std::int64_t threshold, crypto::json_int(args, "threshold"));
  TRY(const JsonArray* names, crypto::json_array(args, "trustees"));
  if (names->size() > limits::kPlanChildrenMax) {
    return fail(Errc::limit_exceeded, "at most 32 trustees");
  }
  if (names->size() < 2) return fail(Errc::usage, "choose at least two trustees");
  if (threshold < 1 || threshold > static_cast<std::int64_t>(names->size())) {
    return fail(Errc::usage, "the threshold must lie between 1 and the number of trustees");
  }
  std::vector<Holder> holders;
  for (const Json& item : *names) {
    if (!item.is_string()) return fail(Errc::malformed, "trustees are names of contacts");
    TRY(Contact contact,
        trustee_named(host, std::string_view(item.get_string()), choices.trustees));
    holders.push_back({HolderKind::trustee, contact.id});
    choices.trustees.push_back(std::move(contact));
  }
  TRY(choices.plan, flat_plan(static_cast<std::uint8_t>(threshold), holders));
  return {};
}

}  // namespace

Result<Choices> read_choices(Host& host, const JsonObject& args) {
  Choices choices;
  CHECK(choose_trustees(host, args, choices));
  TRY(const auto waiting, crypto::json_optional_string(args, "waiting"));
  TRY(const auto text, crypto::json_optional_string(args, "text"));
  TRY(choices.one_is_enough, protocol::flag_argument(args, "one_is_enough"));
  choices.text = text.value_or("");
  if (choices.text.size() > limits::kTextBytesMax) {
    return fail(Errc::limit_exceeded, "the text for your trustees is too long");
  }
  TRY(choices.questions, read_questions(args, choices.trustees));
  const std::string chosen = waiting.value_or(host.test_mode() ? "test" : "7d");
  TRY(choices.terms.waiting, waiting_from_name(chosen));
  if (is_for_tests(choices.terms.waiting)) choices.terms.contest_days = 0;
  const auto waits = std::chrono::ceil<std::chrono::days>(waiting_period(choices.terms)).count();
  choices.terms.override_days = static_cast<std::uint16_t>(std::max<std::int64_t>(14, 2 * waits));
  return choices;
}

Result<OwnerSet> deal_owner_set(Host& host, const Choices& choices, const SealedKey& vault) {
  std::vector<Token> tokens;
  TRY(RecoverySet dealt, deal_set(host, choices, vault, tokens));
  return new_owner_set(host, choices, std::move(dealt), tokens);
}

}  // namespace kith::recovery
