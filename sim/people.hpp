#pragma once

/// People: scripted owners and friends. Each looks at their own node from time to time, does what
/// the script says comes next, and lets time pass. They act through commands and status alone, as
/// somebody at a command line does, and talk to each other by phone: an invitation is read out,
/// codes are exchanged while both have their program before them.
///
/// Everybody connects to friends, sets recovery up with five of them (3 needed), serves as trustee
/// for others, and writes a text to each friend; some then move their identity to the other ledger.
/// Every tenth person loses the machine, starts on a new one, phones the five, waits, and takes the
/// identity back.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sim/town.hpp"

namespace kith::sim {

enum class Stage : std::uint8_t {
  founding,    ///< Making the identity: with it the vault, which keys of all logs go to.
  joining,     ///< Taking the mediator.
  connecting,  ///< Inviting friends.
  setting_up,  ///< Until recovery stands and its drill has passed.
  living,
  rejoining,  ///< On the new machine.
  calling,    ///< Phoning trustees.
  finishing,  ///< Taking the identity back.
  recovered,
};
[[nodiscard]] std::string_view stage_name(Stage stage);

/// The objects in a reply's list of that name.
[[nodiscard]] std::vector<JsonObject> rows_of(const JsonObject& reply, std::string_view name);

/// A trustee's yes, as the person gave it.
struct Approval {
  std::string trustee;  ///< Person.
  std::string owner;
  std::string session;
  Time at{};
};

struct Person {
  std::string name;
  SimNode* node = nullptr;
  Stage stage = Stage::founding;
  std::vector<std::size_t> trustees;
  std::vector<std::size_t> invites;  ///< Friends that this person invites.
  bool loses = false;
  bool moves = false;  ///< To the other ledger, once recovery is set up.
  bool moved = false;  ///< Seen there by the person.
  Time lost_at{};
  std::string did;
  std::string policy;
  std::string old_agent;             ///< Verkey of the lost machine.
  std::vector<std::string> mail;     ///< Invitations read out to this person, not accepted yet.
  std::vector<std::string> senders;  ///< Whose they are.
  std::set<std::string> done;        ///< Steps done once: "invite bob", "text bob", ...
  std::uint64_t acts = 0;
  std::map<std::string, std::string> unanswered;  ///< Command with arguments: the id it was given.
  bool waiting = false;                           ///< Nothing to do but wait: looks rarely.
  std::string last_problem;
};

struct Text {
  std::string from;
  std::string to;
  std::string text;
};

struct CrowdPlan {
  std::size_t people = 40;
  std::size_t threshold = 3;
  std::size_t trustees = 5;
  std::size_t every = 10;  ///< Every so manieth person loses everything.
  std::size_t movers = 0;  ///< Of 1000 people.
  std::string waiting = "1d";
  Duration pause{std::chrono::minutes{10}};  ///< Mean between two looks at the program.
};

class Crowd {
 public:
  Crowd(Town& town, const CrowdPlan& plan, const Faults& faults);
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  /// Everybody starts looking.
  void start();
  [[nodiscard]] bool all_set_up() const;
  /// Those who move, and have not lost everything, live on the other ledger.
  [[nodiscard]] bool all_moved() const;
  /// Those who are to lose everything do so now.
  void lose();
  [[nodiscard]] bool all_recovered() const;

  [[nodiscard]] const std::vector<Person>& people() const { return people_; }
  [[nodiscard]] const std::vector<Approval>& approvals() const { return approvals_; }
  [[nodiscard]] const std::vector<Text>& texts() const { return texts_; }
  [[nodiscard]] const CrowdPlan& plan() const { return plan_; }
  /// Where everybody stands, for reports of failed runs.
  [[nodiscard]] std::string describe() const;

 private:
  using Reply = std::optional<Result<JsonObject>>;

  void look(std::size_t index);
  void act(Person& person);
  void join(Person& person, Stage next);
  void found(Person& person);
  void connect(Person& person);
  void set_up(Person& person);
  void serve(Person& person);
  void call(Person& person);
  void phone(Person& person, Person& trustee, const JsonObject& sessions);
  void read_codes(Person& person, const JsonObject& session, Person& trustee);
  void finish(Person& person);
  void write_texts(Person& person);
  void move(Person& person);
  void accept_invitations(Person& person);

  /// nullopt: the node is down or died; the same act is repeated at the next look.
  Reply tell(Person& person, std::string_view command, JsonObject args = {}, bool step_up = false);
  /// The reply, if there was one and it was good.
  std::optional<JsonObject> good(Person& person, std::string_view command, JsonObject args = {},
                                 bool step_up = false);
  [[nodiscard]] Person& named(std::string_view name);
  [[nodiscard]] bool connected_to(const JsonObject& contacts, std::string_view name) const;
  [[nodiscard]] std::string mistyped(std::string code);

  Town& town_;
  CrowdPlan plan_;
  Faults faults_;
  crypto::SeededRandom random_;
  std::vector<Person> people_;
  std::vector<Approval> approvals_;
  std::vector<Text> texts_;
};

}  // namespace kith::sim
