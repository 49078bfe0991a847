// `home erase` and `home keep`.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "node/cli/commands.hpp"
#include "node/cli/terminal.hpp"
#include "node/runtime/system_clock.hpp"
#include "node/storage/home_erase.hpp"

namespace kith::node {
namespace {

using crypto::json_text_of;

constexpr std::string_view kEraseWord = "erase";
constexpr std::chrono::milliseconds kTellLook{150};
constexpr const char* kGoodbye =
    "I take Kith off this device. Messages to it are not read any more.";
constexpr const char* kGoodbyeOfTrustee =
    "I take Kith off this device. Messages to it are not read any more, and the share of your "
    "recovery that I kept goes with it: please choose somebody else.";

std::vector<std::string> names_in(const JsonObject& reply, std::string_view list,
                                  std::string_view member) {
  std::vector<std::string> names;
  const Json* rows = reply.if_contains(list);
  if (rows == nullptr || !rows->is_array()) return names;
  for (const Json& row : rows->get_array()) {
    if (row.is_object()) names.push_back(json_text_of(row.get_object(), member));
  }
  return names;
}

/// Who is to be told, and who counts on this device.
struct Dependents {
  std::vector<std::string> contacts;     ///< By id.
  std::vector<std::string> trustee_for;  ///< Names.
  std::vector<std::string> owners;       ///< Their ids.
};

std::optional<ErrorReport> look_up_dependents(Session& session, Dependents& found) {
  const auto contacts = session.command("contacts");
  if (const auto* error = std::get_if<ErrorReport>(&contacts)) return *error;
  const Json* rows = std::get<JsonObject>(contacts).if_contains("contacts");
  if (rows != nullptr && rows->is_array()) {
    for (const Json& row : rows->get_array()) {
      const JsonObject& contact = row.get_object();
      if (json_text_of(contact, "state") != "connected") continue;
      if (json_text_of(contact, "role") != "person") continue;
      found.contacts.push_back(json_text_of(contact, "id"));
    }
  }
  const auto held = session.command("trustee-list");
  if (const auto* error = std::get_if<ErrorReport>(&held)) return *error;
  found.trustee_for = names_in(std::get<JsonObject>(held), "trustees_of", "contact");
  found.owners = names_in(std::get<JsonObject>(held), "trustees_of", "contact_id");
  return std::nullopt;
}

/// The text that says goodbye was confirmed by the other agent.
bool has_arrived(Session& session, const std::string& contact, const std::string& text,
                 std::string& name) {
  const auto got = session.command("messages", {{"contact", contact}});
  const auto* reply = std::get_if<JsonObject>(&got);
  if (reply == nullptr) return false;
  const auto& messages = reply->at("messages").get_array();
  for (auto at = messages.rbegin(); at != messages.rend(); ++at) {
    const JsonObject& message = at->get_object();
    if (json_text_of(message, "text") != text) continue;
    name = json_text_of(message, "contact");
    return crypto::json_true(message, "delivered");
  }
  return false;
}

struct Telling {
  std::string contact;
  std::string text;
  std::string name;
};

/// Says goodbye, and waits until all have confirmed or the time is over.
void tell_all(Session& session, const Dependents& people, std::int64_t wait_s,
              JsonObject& summary) {
  std::vector<Telling> waiting;
  JsonArray not_told;
  for (const std::string& contact : people.contacts) {
    const bool counts_on_it = std::ranges::count(people.owners, contact) > 0;
    Telling telling{contact, counts_on_it ? kGoodbyeOfTrustee : kGoodbye, {}};
    const auto sent = session.command("send", {{"contact", contact}, {"text", telling.text}});
    if (const auto* reply = std::get_if<JsonObject>(&sent)) {
      telling.name = json_text_of(*reply, "contact");
      waiting.push_back(std::move(telling));
    } else {
      not_told.push_back(Json(contact));
    }
  }
  static_cast<void>(session.command("nudge"));
  const std::int64_t deadline_ms = read_clocks().steady_ms + wait_s * 1000;
  JsonArray told;
  while (true) {
    std::erase_if(waiting, [&](Telling& telling) {
      if (!has_arrived(session, telling.contact, telling.text, telling.name)) return false;
      told.push_back(Json(telling.name));
      return true;
    });
    if (waiting.empty() || read_clocks().steady_ms >= deadline_ms) break;
    if (!session.wait(kTellLook).has_value()) break;
  }
  for (const Telling& telling : waiting) not_told.push_back(Json(telling.name));
  summary["told"] = std::move(told);
  summary["not_told"] = std::move(not_told);
}

/// Whether to go on. Errors: usage (nobody to ask).
Result<bool> is_meant(const Invocation& invocation, const std::string& directory) {
  if (invocation.yes) return true;
  if (!is_terminal()) return fail(Errc::usage, "this asks first; say --yes to go on without");
  const auto answer =
      ask("Everything in " + directory +
          " will be gone: keys, contacts, texts, shares kept for others. Without trustees or "
          "another device of yours, your identity is gone with it.\nType " +
          std::string(kEraseWord) + " to go on");
  return answer && *answer == kEraseWord;
}

Error people_count_on_it(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + printable(name);
  return fail(Errc::refused, std::to_string(names.size()) +
                                 (names.size() == 1 ? " person counts" : " people count") +
                                 " on this device for their recovery: " + list +
                                 ". Let them choose somebody else first, or say --anyway");
}

/// Tells people, where that is wanted and possible. The home is closed again when it returns.
/// `go_on`: false where its owner changed their mind.
std::optional<ErrorReport> say_goodbye(const Invocation& invocation, const Output& output,
                                       const std::string& directory, bool& go_on,
                                       JsonObject& summary) {
  auto session = Session::open(invocation);
  if (!session.has_value()) return report_of(session.error());
  if (session->is_running_node()) {
    return report_of(fail(Errc::wrong_state, "the node of this home is running: stop it first"));
  }
  Dependents people;
  if (auto error = look_up_dependents(*session, people)) return error;
  if (!people.trustee_for.empty() && !invocation.has("--anyway")) {
    return report_of(people_count_on_it(people.trustee_for));
  }
  const auto meant = is_meant(invocation, directory);
  if (!meant.has_value()) return report_of(meant.error());
  go_on = *meant;
  if (!go_on) return std::nullopt;
  if (!people.contacts.empty() && !output.json) say_progress("Telling your contacts ...");
  tell_all(*session, people, invocation.wait_seconds(kWaitDefault), summary);
  return std::nullopt;
}

/// The link by which systemd starts a node on the default home; empty: this is another home, or it
/// starts none. The unit itself is the program's and stays with it.
std::string start_link(const std::string& directory) {
  const auto usual = Home::default_directory();
  std::error_code error;
  if (!usual.has_value() || !std::filesystem::equivalent(directory, *usual, error)) return {};
  const char* config = std::getenv("XDG_CONFIG_HOME");
  const char* user = std::getenv("HOME");
  std::string path;
  if (config != nullptr && config[0] == '/') {
    path = config;
  } else if (user != nullptr && user[0] == '/') {
    path = std::string(user) + "/.config";
  } else {
    return {};
  }
  path += "/systemd/user/default.target.wants/kith.service";
  return std::filesystem::is_symlink(path, error) ? path : std::string();
}

/// Nobody runs it.
Result<void> check_erasable(const Invocation& invocation) {
  const auto running = Session::of_running_node(invocation);
  if (running.has_value()) {
    return fail(Errc::wrong_state, "the node of this home is running: stop it first");
  }
  return {};
}

void say_what_stays(const JsonObject& summary, const Output& output) {
  output.say(
      "The keys are gone, and with them whatever an SSD may keep of the other files. Not on this "
      "machine, and so still there: copies that you made (backups of the disk, exported files), "
      "what your contacts and your mediator keep, and what is on a ledger.");
  const Json* missing = summary.if_contains("not_told");
  if (missing != nullptr && missing->is_array() && !missing->get_array().empty()) {
    output.say("Those who are listed as not told have not confirmed: tell them yourself.");
  }
}

}  // namespace

int run_home_erase(const Invocation& invocation, const Output& output) {
  const auto directory = home_of(invocation);
  if (!directory.has_value()) return output.error(directory.error());
  if (const auto good = check_erasable(invocation); good.has_error()) {
    return output.error(good.error());
  }
  const bool again = Home::is_being_erased(*directory);
  const bool silent = again || Home::was_moved(*directory) || invocation.has("--tell-nobody") ||
                      !Home::exists(*directory);
  if (invocation.dry_run) {
    output.print({{"dry_run", true}, {"home", *directory}, {"tells_contacts", !silent}});
    return 0;
  }
  JsonObject summary{{"home", *directory}};
  bool go_on = true;
  if (!silent) {
    if (const auto error = say_goodbye(invocation, output, *directory, go_on, summary)) {
      return output.error(*error);
    }
  } else if (!again) {
    const auto meant = is_meant(invocation, *directory);
    if (!meant.has_value()) return output.error(meant.error());
    go_on = *meant;
  }
  if (!go_on) return 0;
  const auto home = Home::take_to_erase(*directory);
  if (!home.has_value()) return output.error(home.error());
  // First: a service that finds no wallet would be started again and again.
  const std::string link = start_link(*directory);
  if (!link.empty() && std::remove(link.c_str()) == 0) summary["start_link"] = link;
  const auto erased = erase_home(*home);
  if (!erased.has_value()) return output.error(erased.error());
  JsonArray left;
  for (const std::string& name : erased->left) left.push_back(Json(name));
  summary["erased"] = true;
  summary["files"] = erased->files;
  summary["left"] = std::move(left);
  output.print(summary);
  say_what_stays(summary, output);
  return 0;
}

int run_home_keep(const Invocation& invocation, const Output& output) {
  const auto directory = home_of(invocation);
  if (!directory.has_value()) return output.error(directory.error());
  if (Home::exists(*directory) && !Home::was_moved(*directory)) {
    return output.error(fail(Errc::wrong_state, "this wallet was not moved"));
  }
  const auto kept = Home::unmark_moved(*directory);
  if (kept.has_error()) return output.error(kept.error());
  output.print({{"home", *directory}, {"moved", false}});
  output.say(
      "This home runs again. Destroy the exported file: once somebody imports it, the keys "
      "in here count no more.");
  return 0;
}

}  // namespace kith::node
