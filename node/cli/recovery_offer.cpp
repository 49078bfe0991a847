#include "node/cli/recovery_offer.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <vector>

#include "node/cli/commands.hpp"
#include "node/cli/terminal.hpp"

namespace kith::node {
namespace {

constexpr std::size_t kFewest = 2;

/// Names of the connected people.
std::set<std::string> people_there(const JsonObject& contacts) {
  std::set<std::string> names;
  for (const Json& item : contacts.at("contacts").get_array()) {
    const JsonObject& contact = item.get_object();
    if (contact.at("role") == "person" && contact.at("state") == "connected") {
      names.insert(std::string(contact.at("name").get_string()));
    }
  }
  return names;
}

class RecoveryOffer {
 public:
  RecoveryOffer(Session& session, const Output& output) : session_(session), output_(output) {}

  std::optional<ErrorReport> run(std::int64_t wait_s) {
    output_.say(
        "\nIf this device is lost, people you trust can give you your keys back: you choose who,\n"
        "and how many of them together are enough. None of them alone can act for you.");
    if (!ask_yes("Choose them now?", false)) return std::nullopt;
    if (const auto error = invite_all()) return error;
    if (names_.size() < kFewest) {
      output_.say("That takes at least two people. Invite more when you like: kith invite");
      return std::nullopt;
    }
    threshold_ = ask_threshold();
    if (!ask_yes("Wait here until they have accepted?", false)) return say_later();
    return wait_and_set_up(wait_s);
  }

 private:
  std::optional<ErrorReport> invite_all() {
    output_.say("Each gets an invitation of their own; send it by any way you like.");
    while (names_.size() < limits::kPlanChildrenMax) {
      const auto name = ask("Name of a person you trust (Enter: that was all)");
      if (!name || name->empty()) return std::nullopt;
      const bool known = std::ranges::find(names_, *name) != names_.end() || *name == "mediator";
      if (known || name->find(',') != std::string::npos) {
        output_.say(known ? "You have a contact of that name already; please choose another."
                          : "A name without a comma, please.");
        continue;
      }
      const auto reply = session_.command("invite", {{"name", *name}});
      if (const auto* error = std::get_if<ErrorReport>(&reply)) return *error;
      names_.push_back(*name);
      output_.say("For " + printable(*name) + ", who types `kith accept` and then:\n  " +
                  std::string(std::get<JsonObject>(reply).at("url").get_string()));
    }
    return std::nullopt;
  }

  std::size_t ask_threshold() const {
    const std::string most = std::to_string(names_.size());
    const std::string usual = std::to_string(names_.size() / 2 + 1);
    while (true) {
      const auto answer =
          ask("How many of them together are enough? (2 to " + most + ")", usual).value_or(usual);
      std::size_t number = 0;
      const char* end = answer.data() + answer.size();
      const auto [stop, error] = std::from_chars(answer.data(), end, number);
      if (error == std::errc() && stop == end && number >= kFewest && number <= names_.size()) {
        return number;
      }
    }
  }

  std::optional<ErrorReport> say_later() const {
    output_.say("When they have accepted (see `kith contacts`), ask them:\n  " + command_line());
    return std::nullopt;
  }

  [[nodiscard]] std::string command_line() const {
    std::string list;
    for (const std::string& name : names_) list += (list.empty() ? "" : ",") + name;
    if (list.find(' ') != std::string::npos) list = "\"" + list + "\"";
    return "kith recovery setup --threshold " + std::to_string(threshold_) + " --trustees " +
           printable(list);
  }

  std::optional<ErrorReport> wait_and_set_up(std::int64_t wait_s) {
    std::set<std::string> said;
    const auto all_there = [&](const JsonObject& contacts) {
      const auto there = people_there(contacts);
      for (const std::string& name : there) {
        if (said.insert(name).second) say_progress(printable(name) + " is here.");
      }
      return std::ranges::all_of(names_, [&](const auto& name) { return there.contains(name); });
    };
    const auto polled =
        poll_until(session_, "contacts", {}, wait_s,
                   "Waiting ... (Ctrl-C does no harm: then go on with `kith run`)", all_there);
    if (const auto* error = std::get_if<ErrorReport>(&polled)) return *error;
    if (!std::get<Polled>(polled).done) {
      output_.say("Not everybody is here yet.");
      return say_later();
    }
    JsonArray trustees;
    for (const std::string& name : names_) trustees.push_back(Json(name));
    const auto asked = session_.command(
        "recovery-setup", {{"threshold", threshold_}, {"trustees", std::move(trustees)}});
    if (const auto* error = std::get_if<ErrorReport>(&asked)) return *error;
    output_.say(
        "They are asked to keep a share each. `kith recovery status` says who has agreed, and "
        "when\n"
        "you are safe.");
    return std::nullopt;
  }

  Session& session_;
  const Output& output_;
  std::vector<std::string> names_;
  std::size_t threshold_ = kFewest;
};

}  // namespace

std::optional<ErrorReport> offer_recovery(Session& session, const Output& output,
                                          std::int64_t wait_s) {
  return RecoveryOffer(session, output).run(wait_s);
}

}  // namespace kith::node
