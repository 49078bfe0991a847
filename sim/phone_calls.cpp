#include <algorithm>

#include "sim/chance.hpp"
#include "sim/people.hpp"

/// How people get their identity back: they phone their trustees, codes are read out, and they
/// wait.

namespace kith::sim {
namespace {

using crypto::json_text_of;
using crypto::json_true;

bool needs(const JsonObject& session, std::string_view what) {
  const auto array = crypto::json_array(session, "needs");
  if (!array.has_value()) return false;
  return std::ranges::any_of(**array, [&](const Json& item) {
    return item.is_string() && std::string_view(item.get_string()) == what;
  });
}

}  // namespace

std::string Crowd::mistyped(std::string code) {
  if (code.empty() || !per_mille(random_, faults_.wrong_code)) return code;
  town_.world.mark("people.wrong-code");
  code.back() = code.back() == '9' ? '0' : static_cast<char>(code.back() + 1);
  return code;
}

void Crowd::call(Person& person) {
  if (!person.done.contains("recover-start")) {
    if (!good(person, "recover-start")) return;
    person.done.insert("recover-start");
  }
  const auto status = good(person, "recover-status");
  if (!status) return;
  if (json_true(*status, "can_finish")) {
    person.stage = Stage::finishing;
    person.waiting = false;
    return;
  }
  // Once codes are typed everywhere only the waiting periods are left.
  const auto sessions = rows_of(*status, "sessions");
  person.waiting = sessions.size() >= person.trustees.size() &&
                   std::ranges::all_of(sessions, [](const JsonObject& session) {
                     return !needs(session, "code") && !needs(session, "read-code");
                   });
  for (const std::size_t index : person.trustees) {
    Person& trustee = people_[index];
    if (trustee.stage < Stage::living || trustee.stage == Stage::rejoining) continue;
    if (!trustee.node->up() || !person.node->up()) continue;
    phone(person, trustee, *status);
  }
}

/// One phone call: whatever of the session can go on now.
void Crowd::phone(Person& person, Person& trustee, const JsonObject& status) {
  const std::string step = "ask " + trustee.name;
  if (!person.done.contains(step)) {
    const auto invited = good(trustee, "trustee-invite", {{"contact", person.name}});
    if (!invited) return;
    const auto added = good(person, "recover-add-trustee",
                            {{"url", json_text_of(*invited, "url")}, {"name", trustee.name}});
    if (added) person.done.insert(step);
    return;
  }
  for (const JsonObject& session : rows_of(status, "sessions")) {
    if (json_text_of(session, "trustee") != trustee.name) continue;
    if (json_text_of(session, "state") == "refused") {
      person.done.erase(step);  // Too many wrong codes: a new invitation.
      town_.world.mark("people.asked-again");
    } else {
      read_codes(person, session, trustee);
    }
  }
  if (!person.waiting) static_cast<void>(tell(trustee, "nudge"));
}

void Crowd::read_codes(Person& person, const JsonObject& session, Person& trustee) {
  const std::string id = json_text_of(session, "id");
  const auto requests = good(trustee, "trustee-requests");
  if (!requests) return;
  for (const JsonObject& asked : rows_of(*requests, "sessions")) {
    if (json_text_of(asked, "id") != id) continue;
    const std::string code_a = json_text_of(session, "code_to_read"),
                      code_b = json_text_of(asked, "code");
    if (needs(session, "code") && !code_b.empty()) {
      static_cast<void>(tell(person, "recover-code", {{"id", id}, {"code", mistyped(code_b)}}));
    }
    if (needs(asked, "code") && !code_a.empty()) {
      const std::string typed = mistyped(code_a);
      const bool up = trustee.node->up();
      const Reply reply =
          tell(trustee, "trustee-approve",
               {{"id", id}, {"contact", person.name}, {"code", typed}, {"verified", "video"}});
      // A node that died of the command may have carried it out before.
      const bool died = up && !reply && typed == code_a;
      const bool approved = reply && reply->has_value() && json_true(**reply, "code_ok");
      if (died || approved) {
        approvals_.push_back({trustee.name, person.name, id, town_.world.now()});
      }
    }
  }
}

void Crowd::finish(Person& person) {
  const auto status = good(person, "recover-status");
  if (!status) return;
  const std::string state = json_text_of(*status, "state");
  if (state == "recovered") {
    person.stage = Stage::recovered;
    return;
  }
  if (state == "collecting" && !json_true(*status, "can_finish")) {
    person.stage = Stage::calling;
    return;
  }
  if (state == "opened" || state == "collecting") {
    // First it shows whom it found, then it is confirmed.
    static_cast<void>(tell(person, "recover-finish", {}, true));
  }
}

}  // namespace kith::sim
