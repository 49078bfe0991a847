#include "sim/checkers.hpp"

#include <algorithm>
#include <map>

#include "ledger/descriptor.hpp"
#include "ledger/identity.hpp"
#include "ledger/log_reader.hpp"
#include "ledger/log_store.hpp"
#include "ledger/policy.hpp"
#include "recovery/owner_set.hpp"
#include "recovery/trustee_share.hpp"

namespace kith::sim {
namespace {

using crypto::json_text_of;

template <class T>
std::vector<T> records_of(const SimStore& store, std::string_view collection,
                          std::string_view id = {}) {
  std::vector<T> values;
  store.each([&](std::string_view of, std::string_view at, ByteView bytes) {
    if (of != collection || (!id.empty() && id != at)) return;
    auto value = protocol::decode_record<T>(bytes);
    if (value.has_value()) values.push_back(std::move(*value));
  });
  return values;
}

bool holds(const SimStore& store, const recovery::RecordId& record, std::uint64_t version) {
  for (const auto& trusteeship : records_of<recovery::Trusteeship>(store, "trusteeship")) {
    for (const recovery::HeldVersion& held : trusteeship.versions) {
      const bool same = held.record.record_id == record && held.record.version == version;
      if (same && held.state != recovery::HeldState::prepared) return true;
    }
  }
  return false;
}

/// The log as a stranger reads it who asks every ledger.
Result<ledger::LogView> public_view(Town& town, const std::string& subject) {
  std::vector<ledger::AnchoredBlob> blobs;
  for (const auto& one : town.ledgers.all()) {
    TRY(const auto entries, ledger::read_all(one->ledger(), subject));
    const std::string id = ledger::ledger_id(one->ledger().descriptor());
    for (const auto& entry : entries) blobs.push_back({entry.blob, entry.time, id});
  }
  ledger::ReaderOptions options;
  options.now = ledger::anchor_time(town.world.now());
  return ledger::read_log(subject, blobs, options);
}

std::string head_on(SimNode& node, const std::string& subject) {
  return node.look([&](Host& host) {
    const auto own = ledger::stored_view(host, subject);
    return own.has_value() ? own->head().hash : std::string();
  });
}

std::string key_of(const Text& text) {
  return text.from + " to " + text.to + ": " + text.text;
}

}  // namespace

Findings check_recovered(const std::vector<Person>& people) {
  Findings findings;
  for (const Person& person : people) {
    if (!person.loses) continue;
    if (person.stage != Stage::recovered) {
      findings.push_back(person.name + " has not recovered");
      continue;
    }
    const auto reply = person.node->command("check " + person.name, "identity-show", {}, false);
    const bool same = reply && reply->has_value() && json_text_of(**reply, "did") == person.did &&
                      json_text_of(**reply, "policy") == person.policy;
    if (!same) findings.push_back(person.name + " came back as somebody else");
  }
  return findings;
}

Findings check_holders(const std::vector<Person>& people, std::size_t threshold) {
  Findings findings;
  for (const Person& owner : people) {
    for (const auto& set :
         records_of<recovery::OwnerSet>(owner.node->store(), "recovery-record", "set")) {
      if (set.step != recovery::SetStep::done) continue;
      std::size_t holders = 0;
      for (const auto& leaf : set.record.leaves) {
        const bool held = std::ranges::any_of(people, [&](const Person& other) {
          return holds(other.node->store(), leaf.record_id, leaf.version);
        });
        if (held) ++holders;
      }
      if (holders < threshold) {
        findings.push_back(owner.name + " has only " + std::to_string(holders) + " holders");
      }
    }
  }
  return findings;
}

Findings compare_texts(const std::vector<Text>& sent, const std::vector<Text>& received) {
  std::map<std::string, std::pair<int, int>> counts;
  for (const Text& text : sent) ++counts[key_of(text)].first;
  for (const Text& text : received) ++counts[key_of(text)].second;
  Findings findings;
  for (const auto& [key, count] : counts) {
    if (count.first != count.second) {
      findings.push_back("sent " + std::to_string(count.first) + " times, received " +
                         std::to_string(count.second) + " times: " + key);
    }
  }
  return findings;
}

Findings check_texts(const Crowd& crowd) {
  std::vector<Text> received;
  for (const Person& person : crowd.people()) {
    const auto reply = person.node->command("check " + person.name, "messages", {}, false);
    if (!reply || !reply->has_value()) return {person.name + " cannot show any texts"};
    const auto rows = crypto::json_array(**reply, "messages");
    if (!rows.has_value()) return {person.name + " cannot show any texts"};
    for (const Json& row : **rows) {
      const JsonObject& message = row.get_object();
      if (json_text_of(message, "direction") == "sent") continue;
      received.push_back(
          {json_text_of(message, "contact"), person.name, json_text_of(message, "text")});
    }
  }
  return compare_texts(crowd.texts(), received);
}

Findings check_policies(Town& town, const std::vector<Person>& people) {
  Findings findings;
  for (const Person& person : people) {
    if (!person.loses || person.stage != Stage::recovered) continue;
    const auto view = public_view(town, person.policy);
    if (!view.has_value()) return {person.name + ": the policy does not read"};
    const auto policy = ledger::parse_policy(view->current.state);
    const bool old_one = policy.has_value() &&
                         std::ranges::any_of(policy->agents, [&](const ledger::PolicyAgent& agent) {
                           return agent.key == person.old_agent;
                         });
    if (!policy.has_value() || old_one) {
      findings.push_back(person.name + ": the lost machine still counts");
    }
    if (head_on(*person.node, person.policy) != view->head().hash) {
      findings.push_back(person.name + ": two policy heads");
    }
  }
  return findings;
}

Findings check_moves(Town& town, const std::vector<Person>& people) {
  Findings findings;
  for (const Person& person : people) {
    if (person.moves && !person.moved && !person.loses) {
      findings.push_back(person.name + " has not moved");
    }
    if (person.loses && person.stage != Stage::recovered) continue;
    const auto own = person.node->look([](Host& host) { return ledger::identity(host); });
    if (!own) return {person.name + " has no identity"};
    for (const std::string& subject : {own->did, own->policy}) {
      const auto view = public_view(town, subject);
      if (!view.has_value() || view->status != ledger::LogStatus::normal) {
        findings.push_back(person.name + ": a log is not settled");
        continue;
      }
      if (head_on(*person.node, subject) != view->head().hash) {
        findings.push_back(person.name + ": two heads of a log");
      }
      if (view->current.ledgers.front() != own->ledger_id) {
        findings.push_back(person.name + " lives where the logs do not");
      }
    }
  }
  return findings;
}

Findings check_releases(const std::vector<Release>& releases,
                        const std::vector<Approval>& approvals, Duration waiting) {
  Findings findings;
  for (const Release& release : releases) {
    const bool allowed = std::ranges::any_of(approvals, [&](const Approval& approval) {
      return approval.trustee == release.trustee && approval.session == release.session &&
             release.at - approval.at >= waiting;
    });
    if (!allowed) {
      findings.push_back(release.trustee + " released session " + release.session +
                         " without an approval or too early");
    }
  }
  return findings;
}

Findings check_disk(const SimStore& store, std::string_view whose, const CanarySearch& canaries) {
  Findings findings;
  store.each([&](std::string_view collection, std::string_view, ByteView value) {
    for (const std::string& name : canaries.find(value)) {
      findings.push_back(name + " lies in " + std::string(collection) + " of " +
                         std::string(whose));
    }
  });
  return findings;
}

Findings check_ledger(ledger::MemoryLedger& ledger, const CanarySearch& canaries) {
  Findings findings;
  std::uint64_t position = 0;
  while (position < ledger.size()) {
    const auto page = ledger.follow(position, limits::kLedgerPageEntriesMax);
    if (!page.has_value() || page->entries.empty()) return {"the ledger cannot be read to its end"};
    for (const auto& entry : page->entries) {
      for (const std::string& name : canaries.find(entry.blob)) {
        findings.push_back(name + " lies on the ledger");
      }
    }
    position += page->entries.size();
  }
  return findings;
}

}  // namespace kith::sim
