#include "sim/people.hpp"

#include <algorithm>

#include "crypto/assert.hpp"
#include "sim/chance.hpp"

namespace kith::sim {
namespace {

using crypto::json_text_of;

constexpr int kPatience = 12;  // Who only waits looks so many times more rarely.
constexpr Duration kFirstLook{std::chrono::minutes{30}};  // All start within this.

std::string person_name(std::size_t index) {
  return "person" + std::to_string(index / 10) + std::to_string(index % 10);
}

}  // namespace

std::vector<JsonObject> rows_of(const JsonObject& object, std::string_view name) {
  std::vector<JsonObject> rows;
  const auto array = crypto::json_array(object, name);
  if (!array.has_value()) return rows;
  for (const Json& item : **array) {
    if (item.is_object()) rows.push_back(item.get_object());
  }
  return rows;
}

std::string_view stage_name(Stage stage) {
  switch (stage) {
    case Stage::joining:
      return "joining";
    case Stage::founding:
      return "founding";
    case Stage::connecting:
      return "connecting";
    case Stage::setting_up:
      return "setting-up";
    case Stage::living:
      return "living";
    case Stage::rejoining:
      return "rejoining";
    case Stage::calling:
      return "calling";
    case Stage::finishing:
      return "finishing";
    case Stage::recovered:
      return "recovered";
  }
  return "";
}

Crowd::Crowd(Town& town, const CrowdPlan& plan, const Faults& faults)
    : town_(town), plan_(plan), faults_(faults), random_(town.world.stream("people")) {
  ASSERT(plan_.people > plan_.trustees && plan_.people <= 100);
  people_.resize(plan_.people);
  crypto::SeededRandom movers = town.world.stream("movers");
  // Friends sit beside each other in a ring: trustees alternate right and left, so that most
  // relationships serve both ways.
  for (std::size_t i = 0; i < plan_.people; ++i) {
    Person& person = people_[i];
    person.name = person_name(i);
    person.loses = i % plan_.every == plan_.every / 2;
    person.moves = per_mille(movers, static_cast<std::uint32_t>(plan_.movers));
    for (std::size_t k = 0; k < plan_.trustees; ++k) {
      const std::size_t far = k / 2 + 1;
      const std::size_t other = (k % 2 == 0 ? i + far : i + plan_.people - far) % plan_.people;
      person.trustees.push_back(other);
      // In a small town right and left meet; one of the two invites.
      const bool invited =
          std::ranges::find(people_[other].invites, i) != people_[other].invites.end();
      if (k % 2 == 0 && !invited) person.invites.push_back(other);
    }
  }
}

void Crowd::start() {
  for (std::size_t i = 0; i < people_.size(); ++i) {
    people_[i].node = &town_.add(people_[i].name);
    town_.world.after(between(random_, Duration{0}, kFirstLook), [this, i] { look(i); });
  }
}

void Crowd::look(std::size_t index) {
  Person& person = people_[index];
  if (person.node->up()) act(person);
  Duration pause = exponential(random_, plan_.pause) + std::chrono::minutes{1};
  if (person.waiting) pause = pause * kPatience;
  town_.world.after(pause, [this, index] { look(index); });
}

void Crowd::act(Person& person) {
  // Without a mediator nothing can be answered yet; invitations wait.
  const bool reachable = person.stage != Stage::founding && person.stage != Stage::joining &&
                         person.stage != Stage::rejoining;
  if (reachable) {
    if (!person.waiting) static_cast<void>(tell(person, "nudge"));
    accept_invitations(person);
  }
  switch (person.stage) {
    case Stage::joining:
      return join(person, Stage::connecting);
    case Stage::founding:
      return found(person);
    case Stage::connecting:
      return connect(person);
    case Stage::setting_up:
      serve(person);
      return set_up(person);
    case Stage::living:
      move(person);
      [[fallthrough]];
    case Stage::recovered:
      person.waiting = true;
      serve(person);
      return write_texts(person);
    case Stage::rejoining:
      return join(person, Stage::calling);
    case Stage::calling:
      return call(person);
    case Stage::finishing:
      return finish(person);
  }
}

Crowd::Reply Crowd::tell(Person& person, std::string_view command, JsonObject args, bool step_up) {
  if (!person.node->up()) return std::nullopt;
  const std::string what = std::string(command) + crypto::json_text(args);
  // A command that died with its node is given again under its id, however much came between.
  const auto before = person.unanswered.find(what);
  const std::string id =
      before != person.unanswered.end()
          ? before->second
          : person.name + "-" + std::to_string(person.acts) + "-" +
                crypto::hex(ByteView(crypto::sha256(crypto::as_bytes(what))).first(8));
  Reply reply = person.node->command(id, command, std::move(args), step_up);
  if (!reply) {
    town_.world.mark("people.died-in-command");
    person.unanswered[what] = id;
    return reply;
  }
  person.unanswered.erase(what);
  ++person.acts;
  if (!reply->has_value()) {
    person.last_problem = std::string(command) + ": " +
                          std::string(crypto::error_text(reply->error().code).code) + " " +
                          reply->error().detail;
  }
  return reply;
}

std::optional<JsonObject> Crowd::good(Person& person, std::string_view command, JsonObject args,
                                      bool step_up) {
  Reply reply = tell(person, command, std::move(args), step_up);
  if (!reply || !reply->has_value()) return std::nullopt;
  return std::move(**reply);
}

Person& Crowd::named(std::string_view name) {
  const auto found = std::ranges::find(people_, name, &Person::name);
  ASSERT(found != people_.end());
  return *found;
}

bool Crowd::connected_to(const JsonObject& contacts, std::string_view name) const {
  for (const JsonObject& contact : rows_of(contacts, "contacts")) {
    if (json_text_of(contact, "name") == name && json_text_of(contact, "state") == "connected")
      return true;
  }
  return false;
}

void Crowd::join(Person& person, Stage next) {
  const auto status = good(person, "status");
  if (!status) return;
  if (status->contains("mediator")) {
    person.stage = next;
    return;
  }
  if (person.done.contains("mediator")) return;
  // The mediator's web page shows its invitation.
  const auto shown =
      town_.mediator().command("page " + person.name, "mediator-invitation", {}, false);
  if (!shown || !shown->has_value()) return;
  const auto accepted =
      good(person, "accept",
           {{"url", json_text_of(**shown, "url")}, {"name", "mediator"}, {"role", "mediator"}});
  if (accepted) person.done.insert("mediator");
}

void Crowd::found(Person& person) {
  const auto status = good(person, "identity-status");
  if (!status) return;
  const std::string state = json_text_of(*status, "state");
  if (state == "none") {
    static_cast<void>(tell(person, "identity-create",
                           {{"name", person.name}, {"ledger", town_.first_ledger().url()}}, true));
  } else if (state == "posted") {
    person.did = json_text_of(*status, "did");
    person.policy = json_text_of(*status, "policy");
    person.stage = Stage::joining;
  }
}

void Crowd::accept_invitations(Person& person) {
  while (!person.mail.empty()) {
    const Reply reply =
        tell(person, "accept", {{"url", person.mail.back()}, {"name", person.senders.back()}});
    if (!reply) return;
    person.mail.pop_back();
    person.senders.pop_back();
  }
}

void Crowd::connect(Person& person) {
  const auto contacts = good(person, "contacts");
  if (!contacts) return;
  for (const std::size_t index : person.invites) {
    Person& friend_ = people_[index];
    if (person.done.contains("invite " + friend_.name)) continue;
    const auto invited = good(person, "invite", {{"name", friend_.name}, {"life_s", 2'592'000}});
    if (!invited) return;
    person.done.insert("invite " + friend_.name);
    // Read out on the phone some minutes later.
    town_.world.after(exponential(random_, plan_.pause),
                      [&friend_, url = json_text_of(*invited, "url"), from = person.name] {
                        friend_.mail.push_back(url);
                        friend_.senders.push_back(from);
                      });
  }
  const bool all = std::ranges::all_of(person.trustees, [&](std::size_t index) {
    return connected_to(*contacts, people_[index].name);
  });
  if (all) person.stage = Stage::setting_up;
}

void Crowd::set_up(Person& person) {
  const auto status = good(person, "recovery-status");
  if (!status) return;
  const std::string state = json_text_of(*status, "state");
  if (state == "none") {
    JsonArray trustees;
    for (const std::size_t index : person.trustees) {
      trustees.push_back(boost::json::string(people_[index].name));
    }
    static_cast<void>(tell(person, "recovery-setup",
                           {{"threshold", static_cast<std::int64_t>(plan_.threshold)},
                            {"trustees", std::move(trustees)},
                            {"waiting", plan_.waiting}},
                           true));
  } else if (state == "incomplete") {
    static_cast<void>(tell(person, "recovery-heartbeat"));
  } else if (state == "ready") {
    const auto shown = good(person, "policy-show");
    if (!shown) return;
    for (const JsonObject& agent : rows_of(*shown, "agents")) {
      person.old_agent = json_text_of(agent, "key");
    }
    person.stage = Stage::living;
  }
}

/// Accepts whoever asks. Recoveries are dealt with on the phone, when the other side calls.
void Crowd::serve(Person& person) {
  const auto requests = good(person, "trustee-requests");
  if (!requests) return;
  for (const JsonObject& offer : rows_of(*requests, "offers")) {
    static_cast<void>(tell(person, "trustee-accept", {{"id", json_text_of(offer, "id")}}));
  }
}

void Crowd::write_texts(Person& person) {
  for (const std::size_t index : person.trustees) {
    const std::string& to = people_[index].name;
    const bool again = person.stage == Stage::recovered;
    const std::string step = (again ? "second text " : "text ") + to;
    if (person.done.contains(step)) continue;
    const std::string text = step + " from " + person.name + ", which only they shall read";
    const Reply reply = tell(person, "send", {{"contact", to}, {"text", text}});
    if (!reply) return;
    person.done.insert(step);
    if (reply->has_value()) texts_.push_back({person.name, to, text});
  }
}

void Crowd::move(Person& person) {
  if (!person.moves || person.moved) return;
  const auto own = good(person, "identity-show");
  const auto identity = good(person, "identity-status");
  const auto move = good(person, "ledger-move-status");
  if (!own || !identity || !move) return;
  const std::string& url = town_.second_ledger().url();
  if (json_text_of(*own, "ledger") == url) {
    person.moved = json_text_of(*identity, "state") == "posted";
    if (person.moved) town_.world.mark("people.moved");
  } else if (json_text_of(*move, "state") == "none") {
    static_cast<void>(tell(person, "ledger-move", {{"ledger", url}}));
  }
}

bool Crowd::all_moved() const {
  return std::ranges::all_of(people_,
                             [](const Person& p) { return !p.moves || p.moved || p.loses; });
}

bool Crowd::all_set_up() const {
  return std::ranges::all_of(people_, [](const Person& p) { return p.stage >= Stage::living; });
}

void Crowd::lose() {
  for (Person& person : people_) {
    if (!person.loses) continue;
    person.node->lose_everything();
    person.node = &town_.add(person.name + "-again");
    person.stage = Stage::rejoining;
    person.waiting = false;
    person.lost_at = town_.world.now();
    person.done.erase("mediator");
    person.mail.clear();
    person.senders.clear();
    person.acts = 0;
    person.unanswered.clear();
  }
}

bool Crowd::all_recovered() const {
  return std::ranges::all_of(
      people_, [](const Person& p) { return !p.loses || p.stage == Stage::recovered; });
}

std::string Crowd::describe() const {
  std::string text;
  for (const Person& person : people_) {
    text += person.name + " " + std::string(stage_name(person.stage)) +
            (person.node != nullptr && person.node->up() ? "" : " (down)") +
            (person.last_problem.empty() ? "" : "; " + person.last_problem) + "\n";
    if (person.stage != Stage::finishing || person.node == nullptr || !person.node->up()) continue;
    const auto status = person.node->command("describe", "recover-status", {}, false);
    if (status && status->has_value()) text += "  " + crypto::json_text(**status) + "\n";
  }
  return text;
}

}  // namespace kith::sim
