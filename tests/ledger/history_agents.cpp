#include "tests/ledger/history_scenarios.hpp"

// Updates by agents: of policies, and of the states of pairs.

namespace kith::test {

namespace {

using ledger::PairAgent;
using ledger::PairState;
using Agents = std::vector<PairAgent>;
using Places = std::vector<std::size_t>;  ///< Agents by their place.

void add_policies(std::vector<Scenario>& all) {
  for (const bool admin : {true, false}) {
    Expected expected{"normal", admin ? 1U : 0U, {}};
    if (!admin) expected.junk = {1};
    all.push_back({admin ? "policy-unchanged" : "policy-unchanged-without-say",
                   "An update that changes nothing asks for admin.", expected,
                   [=](LogLab& lab) {
                     const LogView view = lab.start();
                     Entry entry = must(ledger::make_update(view, view.current.state, lab.time));
                     const KeyPair& agent = lab.agents[admin ? 0 : 1];
                     lab.post(lab.sign(entry, {crypto::multikey(agent.public_key)}));
                   },
                   Kind::policy});
  }
}

/// Three agents, two of whom remove a third; then what `change` makes of them.
void change_agents(LogLab& lab, const std::function<void(LogLab&, Agents&)>& change,
                   const Places& signers, bool with_active) {
  LogContent content = lab.first_content();
  lab.agents.clear();
  PairState state = lab.pair_state(3);
  state.revoke = 2;
  content.state = ledger::pair_state_json(state);
  const LogView view = lab.start_with(content);
  std::vector<std::string> keys;
  for (const std::size_t i : signers) keys.push_back(state.agents[i].auth);
  if (with_active) keys.push_back(view.current.keys.k.front());
  change(lab, state.agents);
  Entry entry = must(ledger::make_update(view, ledger::pair_state_json(state), lab.time));
  lab.post(lab.sign(entry, keys));
}

void leave(Agents& agents, std::size_t index) {
  agents.erase(agents.begin() + static_cast<std::ptrdiff_t>(index));
}

void add_pairs(std::vector<Scenario>& all) {
  const auto pair = [&](std::string name, std::string says, bool counts, Places signers,
                        std::function<void(LogLab&, Agents&)> change, bool with_active = false) {
    Expected expected{"normal", counts ? 1U : 0U, {}};
    if (!counts) expected.junk = {1};
    all.push_back({"pair-agent-" + std::move(name), std::move(says), expected,
                   [=](LogLab& lab) { change_agents(lab, change, signers, with_active); },
                   Kind::pair});
  };
  const auto replace_first = [](LogLab& lab, Agents& agents) { agents[0] = lab.pair_agent(); };
  pair("replaces-its-keys", "An agent may replace its own keys.", true, {0}, replace_first);
  pair("replaces-one-key", "Or one of them.", true, {0},
       [](LogLab& lab, Agents& agents) { agents[0].agree = lab.pair_agent().agree; });
  pair("is-replaced", "Another's keys it may not replace.", false, {1}, replace_first);
  pair("is-replaced-by-two", "Nor may as many as may remove it: new keys need the active ones.",
       false, {1, 2}, replace_first);
  pair("is-replaced-by-two-and-active", "With those they may.", true, {1, 2}, replace_first, true);
  pair("is-replaced-by-active", "Which do not suffice either.", false, {}, replace_first, true);
  pair("leaves", "An agent may leave.", true, {1},
       [](LogLab&, Agents& agents) { leave(agents, 1); });
  pair("is-removed-by-one", "Two of three remove another.", false, {0},
       [](LogLab&, Agents& agents) { leave(agents, 1); });
  pair("is-removed-by-two", "Two of three remove another.", true, {0, 2},
       [](LogLab&, Agents& agents) { leave(agents, 1); });
  const auto leave_and_replace = [](LogLab& lab, Agents& agents) {
    agents[0] = lab.pair_agent();
    leave(agents, 1);
  };
  pair("leaves-while-another-replaces", "One leaves or one replaces; both need the active keys.",
       false, {0, 1}, leave_and_replace);
  pair("leaves-while-another-replaces-with-active", "With those both are done at once.", true,
       {0, 1}, leave_and_replace, true);
  pair("leaves-while-a-later-one-replaces", "Wherever in the list they are.", false, {0, 2},
       [](LogLab& lab, Agents& agents) {
         agents[2] = lab.pair_agent();
         leave(agents, 0);
       });
  pair("takes-anothers-key", "Nobody takes another's key, though both sign.", false, {0, 1},
       [](LogLab& lab, Agents& agents) {
         const std::string taken = agents[1].auth;
         agents[1] = lab.pair_agent();
         agents[0] = {taken, lab.pair_agent().agree};
       });
  pair("changes-place", "Places are kept.", false, {0, 1},
       [](LogLab&, Agents& agents) { std::swap(agents[0], agents[1]); });
  all.push_back({"pair-update-by-one-of-two",
                 "Two of the active keys must sign what agents may not do.",
                 {"normal", 0, {1}},
                 [](LogLab& lab) {
                   const LogView view = lab.start();
                   Entry entry = must(ledger::make_update(view, lab.next_state(view, 1), lab.time));
                   lab.post(lab.sign(entry, {view.current.keys.k.front()}));
                 },
                 Kind::pair,
                 {KeyType::ed25519, 2, 3, 1, 1, 1, 1}});
  all.push_back({"pair-on-a-ledger",
                 "A microledger is on no ledger.",
                 {"not_found"},
                 [](LogLab& lab) {
                   LogContent content = lab.first_content();
                   const auto keys = content.keys.k;
                   lab.post(resigned(lab, lab.genesis(content), keys, [&](Entry& entry) {
                     entry.content->ledgers = {"L1"};
                     entry.id = "did:kith:{SCID}";
                     entry.id = "did:kith:" + ledger::compute_scid(entry);
                     lab.subject = entry.id;
                   }));
                 },
                 Kind::pair});
}

}  // namespace

std::vector<Scenario> agent_scenarios() {
  std::vector<Scenario> all;
  add_policies(all);
  add_pairs(all);
  return all;
}

}  // namespace kith::test
