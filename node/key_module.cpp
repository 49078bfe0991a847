#include "node/key_module.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "node/key_changes.hpp"
#include "node/key_inventory.hpp"
#include "node/key_view.hpp"

namespace kith::node {
namespace {

constexpr std::string_view kKeyModule = "keys";
constexpr std::string_view kLookTimer = "look";
constexpr std::string_view kReviewRecord = "key-review";
constexpr std::chrono::hours kLookEvery{24};
/// So many relationships in one go: each is a change of a log, and a message.
constexpr std::size_t kRotatedAtOnce = 20;
/// What is gone is told of for so long; the audit log keeps its receipts.
constexpr std::chrono::hours kGoneKeptFor{24 * 400};
constexpr std::size_t kGoneMax = 2000;

Result<JsonObject> show_list(Host& host, const JsonObject& args) {
  TRY(const auto wanted, crypto::json_optional_string(args, "state"));
  std::optional<KeyState> state;
  if (wanted) {
    state = crypto::key_state_named(*wanted);
    if (!state) {
      return fail(
          Errc::usage, "no such state; there are " + [] {
            std::string names;
            for (const std::string_view name : crypto::kKeyStateNames) {
              names += (names.empty() ? "" : ", ") + std::string(name);
            }
            return names;
          }());
    }
  }
  const KeyOwners owners(host);
  JsonArray rows;
  std::map<std::string, std::int64_t> counts;
  for (const NamedKeyInfo& key : list_keys(host, state && crypto::is_gone(*state))) {
    ++counts[std::string(crypto::key_state_name(key.info.state))];
    if (state && key.info.state != *state) continue;
    rows.push_back(key_row(owners, key));
  }
  JsonObject totals;
  for (const auto& [name, count] : counts) totals[name] = count;
  return JsonObject{{"keys", std::move(rows)}, {"counts", std::move(totals)}};
}

JsonObject show_risks(Host& host) {
  const KeyOwners owners(host);
  JsonArray rows;
  for (const NamedKeyInfo& key : list_keys(host)) {
    const auto why = risks(key, host.now());
    if (why.empty()) continue;
    JsonObject row = key_row(owners, key);
    JsonArray texts;
    for (const std::string& text : why) texts.emplace_back(text);
    row["why"] = std::move(texts);
    rows.push_back(std::move(row));
  }
  return {{"keys", std::move(rows)}};
}

Result<NamedKeyInfo> wanted_key(Host& host, const JsonObject& args) {
  TRY(const std::string text, crypto::json_string(args, "key"));
  return key_named(host, text);
}

Result<JsonObject> rotate(Host& host, const JsonObject& args) {
  TRY(const std::string name, crypto::json_string(args, "contact"));
  TRY(const Contact contact, protocol::contact_named(host, name));
  CHECK(replace_relationship_keys(host, contact));
  return JsonObject{{"id", contact.id}, {"state", "told"}};
}

/// Replaces what can be replaced by itself. True: more is to be done soon.
bool rotate_overdue(Host& host, const std::set<std::string>& overdue_dids) {
  std::size_t done = 0;
  for (const Contact& contact : protocol::list_contacts(host)) {
    if (!overdue_dids.contains(contact.my_did)) continue;
    if (done == kRotatedAtOnce) return true;
    if (replace_relationship_keys(host, contact).has_value()) ++done;
  }
  return false;
}

bool is_relationship_key(const KeyInfo& info) {
  return info.owner && (info.kind == kind_of(KeyPurpose::authenticate) ||
                        info.kind == kind_of(KeyPurpose::agree));
}

void tell(Host& host, const std::vector<std::string>& overdue) {
  if (overdue.empty()) return;
  host.notify({"keys",
               std::to_string(overdue.size()) + (overdue.size() == 1 ? " key is" : " keys are") +
                   " due to be replaced. See `kith keys at-risk`; `kith did rotate` replaces those "
                   "of your identity.",
               overdue.front(),
               {}});
}

void look(Host& host) {
  KeyReview review;
  const auto before = key_review(host).value_or(KeyReview{});
  std::set<std::string> by_itself;
  std::vector<std::string> news;
  for (const NamedKeyInfo& key : list_keys(host)) {
    if (is_overdue(key, host.now())) {
      ++review.overdue;
      if (is_relationship_key(key.info)) {
        by_itself.insert(*key.info.owner);
        continue;
      }
      const bool told = std::ranges::find(before.told, key.id) != before.told.end();
      if (!told) news.push_back(key.id);
      review.told.push_back(key.id);
    } else if (key.info.state == KeyState::active && !risks(key, host.now()).empty()) {
      ++review.due_soon;
    }
  }
  const bool more = rotate_overdue(host, by_itself);
  tell(host, news);
  review.at = host.now();
  save(host, "meta", kReviewRecord, review);
  host.set_timer(kKeyModule, kLookTimer,
                 host.now() + (more ? std::chrono::minutes{10} : std::chrono::minutes{kLookEvery}));
}

void forget_old_ones(Host& host) {
  const auto gone = list_keys(host, true);
  std::vector<std::pair<Time, std::string>> by_time;
  for (const NamedKeyInfo& key : gone) by_time.emplace_back(key.info.since, key.id);
  std::ranges::sort(by_time);
  std::size_t left = by_time.size();
  for (const auto& [since, id] : by_time) {
    if (left <= kGoneMax && since + kGoneKeptFor > host.now()) break;
    host.erase({std::string(kKeyGone), id});
    --left;
  }
}

}  // namespace

std::optional<KeyReview> key_review(Host& host) {
  return load<KeyReview>(host, "meta", kReviewRecord);
}

std::vector<std::string> KeyModule::commands() const {
  return {"keys-list",   "keys-show",    "keys-at-risk", "keys-impact", "keys-compromised",
          "keys-rotate", "keys-suspend", "keys-renew",   "keys-destroy"};
}

bool KeyModule::only_reads(std::string_view command) const {
  return command == "keys-list" || command == "keys-show" || command == "keys-at-risk" ||
         command == "keys-impact";
}

Result<JsonObject> KeyModule::on_command(Host& host, const Command& command) {
  if (command.name == "keys-list") return show_list(host, command.args);
  if (command.name == "keys-at-risk") return show_risks(host);
  if (command.name == "keys-rotate") return rotate(host, command.args);
  if (command.name == "keys-compromised") return mark_compromised(host, command);
  if (command.name == "keys-suspend") return suspend_key(host, command.args);
  if (command.name == "keys-renew") return renew_key(host, command.args);
  if (command.name == "keys-destroy") return destroy_key(host, command.args);
  TRY(const NamedKeyInfo key, wanted_key(host, command.args));
  if (command.name == "keys-impact") return impact_json(key, impact_of(host, key));
  return key_details(KeyOwners(host), key);
}

void KeyModule::on_start(Host& host) {
  take_stock_of_keys(host);
  if (!host.get({"timer", std::string(kKeyModule) + "|" + std::string(kLookTimer)})) {
    host.set_timer(kKeyModule, kLookTimer, host.now() + kLookEvery);
  }
}

void KeyModule::on_timer(Host& host, std::string_view) {
  look(host);
  forget_old_ones(host);
}

}  // namespace kith::node
