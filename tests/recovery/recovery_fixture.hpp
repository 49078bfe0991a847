#pragma once

/// A recovery set with all its people, for the tests of recovery.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "crypto/random.hpp"
#include "crypto/software_keys.hpp"
#include "recovery/answer.hpp"
#include "recovery/capsule.hpp"
#include "recovery/combine.hpp"
#include "recovery/dealing.hpp"

namespace kith::recovery::testing {

inline Holder trustee(std::string id) {
  return {HolderKind::trustee, std::move(id)};
}
inline Holder paper(std::string id) {
  return {HolderKind::paper, std::move(id)};
}
inline Plan leaf(Holder holder) {
  Plan plan;
  plan.holder = std::move(holder);
  return plan;
}
inline Plan group(std::uint8_t k, std::vector<Plan> children) {
  Plan plan;
  plan.threshold = k;
  plan.children = std::move(children);
  return plan;
}
inline Plan flat(std::uint8_t k, std::size_t count) {
  std::vector<Holder> holders;
  for (std::size_t i = 0; i < count; ++i) holders.push_back(trustee("t" + std::to_string(i)));
  return flat_plan(k, holders).value();
}

/// One process for everybody: KeyOps of owner, device and all trustees.
struct World {
  explicit World(std::uint64_t seed = 1)
      : random(seed, "recovery-test"),
        keys_random(seed, "recovery-test-keys"),
        keys(SecretBytes(32), keys_random) {
    step_up = keys.hold_step_up(SecretBytes(32));
    auto created = keys.create_vault(step_up).value();
    vault = created.locked.public_key;
    unlocked_vault = created.unlocked;
    agent = keys.generate(KeyType::ed25519, KeyPurpose::agent).value();
  }

  crypto::SeededRandom random;
  crypto::SeededRandom keys_random;
  crypto::SoftwareKeys keys;
  StepUp step_up{};
  PublicKey vault;
  SealedKey unlocked_vault;
  KeyPair agent;
};

struct Person {
  KeyPair agree;  ///< The trustee's, towards the owner.
  KeyPair owner;  ///< The owner's key of this relationship.
};

inline constexpr const char* kPolicy = "did:kith:zQmPolicyOfTheOwner";

/// A dealt set whose trustees have accepted their records.
struct DealtSet {
  std::vector<Person> people;  ///< One for each leaf.
  RecoverySet set;
  std::vector<std::optional<AcceptedLeaf>> accepted;  ///< One for each leaf; none for paper.
};

inline SetInput set_input(World& world, const Plan& plan, std::vector<Person>& people) {
  SetInput input;
  input.plan = plan;
  const auto holders = plan_leaves(plan);
  people.clear();
  people.reserve(holders.size());
  for (std::size_t i = 0; i < holders.size(); ++i) {
    Person person;
    person.agree = world.keys.generate(KeyType::x25519, KeyPurpose::agree).value();
    person.owner = world.keys.generate(KeyType::ed25519, KeyPurpose::authenticate).value();
    people.push_back(std::move(person));
    if (holders[i].kind == HolderKind::paper) {
      input.leaves.emplace_back();
      continue;
    }
    LeafInput terms;
    terms.trustee_key = people.back().agree.public_key;
    terms.owner_key = &people.back().owner.sealed;
    terms.question = "Where did we meet, " + holders[i].id + "?";
    terms.hint = "by the " + std::to_string(i);
    for (int location = 0; location < 2; ++location) {
      terms.locations.push_back(
          {"did:peer:2.Location" + std::to_string(location), random_id<Token>(world.random)});
    }
    input.leaves.emplace_back(std::move(terms));
  }
  input.policy_address = kPolicy;
  input.ledger_descriptors = {R"({"kind":"leveldb"})"};
  input.vault = world.vault;
  input.unlocked_vault = &world.unlocked_vault;
  input.agent_key = &world.agent.sealed;
  input.agent = world.agent.public_key;
  input.now = protocol::from_epoch_seconds(1800000000);
  return input;
}

inline DealtSet deal_set(World& world, const Plan& plan) {
  std::vector<Person> people;
  const SetInput input = set_input(world, plan, people);
  auto made = make_set(input, world.keys, world.random);
  if (!made.has_value()) throw std::runtime_error(made.error().detail);
  DealtSet dealt{std::move(people), std::move(*made), {}};
  dealt.accepted.resize(dealt.set.record.leaves.size());
  for (const TrusteeLeaf& sent : dealt.set.trustees) {
    const Person& person = dealt.people[sent.leaf];
    dealt.accepted[sent.leaf] = accept_leaf_record(sent.wire, person.owner.public_key,
                                                   person.agree.sealed, TestMode::off, world.keys)
                                    .value();
  }
  return dealt;
}

struct DeviceSession {
  SessionId id{};
  KeyPair key;
  Blinding blinding;
};

inline DeviceSession open_session(World& world, const Targets& targets) {
  DeviceSession session;
  session.id = random_id<SessionId>(world.random);
  session.key = world.keys.generate(KeyType::x25519, KeyPurpose::session).value();
  session.blinding = blind(targets, world.random).value();
  return session;
}

inline LeafAnswer answer_of(World& world, const AcceptedLeaf& leaf, const DeviceSession& session) {
  return make_answer(leaf, {}, {session.id, session.blinding.blinded}, session.key.public_key,
                     world.keys)
      .value();
}

inline CollectedSession collected(const DeviceSession& session) {
  return {session.id, session.key.public_key, session.blinding};
}

}  // namespace kith::recovery::testing
