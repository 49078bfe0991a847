// What a stranger's HTTP request does, behind the reader of headers: POST / hands the body to an
// agent, all else asks a ledger. The input is "<method> <target>\n<body>".

#include <algorithm>
#include <set>

#include "fuzz/cast.hpp"
#include "fuzz/target.hpp"
#include "ledger/memory_ledger.hpp"
#include "ledger/remote/page_json.hpp"
#include "ledger/remote/service.hpp"
#include "node/agent.hpp"
#include "protocol/messenger.hpp"
#include "protocol/trust_ping.hpp"
#include "tests/support/ledger_kit.hpp"
#include "tests/support/memory_store.hpp"

namespace kith::fuzz {
namespace {

const Time kTime = protocol::from_epoch_seconds(test::kNow);
const node::ClockReading kClock{kTime, Duration{1}};

/// Bob's store before anything arrives: his keys.
test::MemoryStore stored_keys() {
  Cast& people = cast();
  test::MemoryStore store;
  protocol::UnitOfWork unit({store, people.world.keys, people.world.random, kTime, {}, true});
  const std::string& signing = people.bob.signing.kid;
  const std::string& agreement = people.bob.agreement.kid;
  protocol::remember_key(unit, signing, people.bob.wallet.find(signing).value());
  protocol::remember_key(unit, agreement, people.bob.wallet.find(agreement).value());
  hold(unit.commit().has_value(), "the keys are stored");
  return store;
}

Verdict post_envelope(std::string_view body) {
  static const test::MemoryStore keys = stored_keys();
  Cast& people = cast();
  test::MemoryStore store = keys;
  std::vector<std::unique_ptr<Module>> modules;
  modules.push_back(std::make_unique<protocol::TrustPing>());
  node::Agent agent({store, people.world.keys, people.world.random, true}, std::move(modules));
  hold(agent.start(kClock).has_value(), "the agent starts");
  const auto hand_in = [&agent](const std::string& text) {
    return must(agent.handle(node::EnvelopeArrived{crypto::to_bytes(text), {}}, kClock),
                "no envelope stops an agent");
  };
  const node::Outcome first = hand_in(std::string(body));
  hold(!first.refused || first.effects.empty() || first.effects.size() == 1,
       "what is refused is answered once at most");
  const std::size_t commits = store.commits();
  const node::Outcome repeated = hand_in(written(std::string(body)));
  hold(repeated.refused.has_value() == first.refused.has_value(),
       "a repeat is taken as the first was");
  hold(store.commits() <= commits + 1, "one event is one unit of work");
  return first.refused ? Verdict::refused : Verdict::accepted;
}

void check_page(const std::string& body) {
  const auto page = must(ledger::parse_page(written(body)), "a page can be read");
  hold(crypto::json_text(ledger::page_json(page)) == body, "and stays the same");
}

Verdict ask_ledger(const ledger::HttpQuestion& question) {
  static const ledger::LedgerDescriptor descriptor = test::ledger_descriptor();
  static const std::set<int> statuses{200, 400, 404, 405, 409, 413, 414};
  ledger::MemoryLedger store(descriptor, true);
  ledger::LedgerService service(store, test::ledger_signer());
  const auto now = ledger::anchor_time_ms(protocol::epoch_ms(kTime));
  const ledger::HttpReply reply = service.handle(question, now);
  hold(statuses.contains(reply.status), "a stranger gets an answer to a stranger");
  const bool is_note = reply.content_type.starts_with("text/plain");
  hold(is_note || crypto::parse_json(written(reply.body)).has_value(), "an answer is JSON");
  hold(service.handle(question, now).status == reply.status, "asking again changes nothing");
  hold(store.size() <= 1, "what is appended twice is there once");
  if (question.method == "POST" && reply.status == 200) {
    hold(store.size() == 1, "what was taken is there");
    check_page(service.handle({"GET", question.target, {}}, now).body);
    check_page(service.handle({"GET", question.target + "?seen=0", {}}, now).body);
  }
  return reply.status == 200 ? Verdict::accepted : Verdict::refused;
}

}  // namespace

Verdict http_body(ByteView input) {
  const std::string_view text = crypto::as_text(input);
  const std::size_t line = text.find('\n');
  const std::string_view request = text.substr(0, line);
  const std::string_view body = line == std::string_view::npos ? "" : text.substr(line + 1);
  const std::size_t space = std::min(request.find(' '), request.size());
  const std::string_view target = request.substr(std::min(space + 1, request.size()));
  if (!ledger::LedgerService::handles(target)) return post_envelope(body);
  return ask_ledger(
      {std::string(request.substr(0, space)), std::string(target), std::string(body)});
}

}  // namespace kith::fuzz
