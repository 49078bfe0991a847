#include "node/runtime/ledger_desk.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "ledger/ledger_effects.hpp"
#include "ledger/remote/limits.hpp"
#include "ledger/signed_note.hpp"
#include "ledger/witness_limits.hpp"
#include "node/runtime/job_carrier.hpp"
#include "node/runtime/system_clock.hpp"

namespace kith::node {
namespace {

namespace witness_limits = ledger::witness_limits;

/// The wall clock may jump; what is due is looked at again at least this often.
constexpr std::chrono::milliseconds kLongestWait{60'000};

/// A request takes a few turns from its connection to the ledger; each takes microseconds.
constexpr unsigned kQuietTurns = 4;

ledger::AnchorTime wall_now() {
  return ledger::anchor_time_ms(read_clocks().wall_ms);
}

}  // namespace

LedgerDesk::LedgerDesk(boost::asio::io_context& io, HttpClient& client, HomeLedger& home,
                       OnFailure on_failure)
    : io_(io),
      client_(client),
      home_(home),
      on_failure_(std::move(on_failure)),
      timer_(io),
      alive_(std::make_shared<bool>(true)) {}

LedgerDesk::~LedgerDesk() {
  *alive_ = false;
}

Result<ledger::TreeLedger*> LedgerDesk::open(const std::string& url) {
  TRY(ledger::TreeLedger * opened, home_.open(url));
  if (opened == ledger_) return ledger_;
  ledger_ = opened;
  prover_ = std::make_unique<ledger::LedgerProver>(*ledger_, home_.checkpoint_signer());
  if (ledger_->descriptor().w > 0) {
    cosigning_ = std::make_unique<ledger::Cosigning>(*ledger_, home_.checkpoint_signer(),
                                                     home_.witnesses().addresses);
    ask_witnesses();
  }
  return ledger_;
}

Result<void> LedgerDesk::serve() {
  TRY(ledger::TreeLedger * served, open(home_.default_url()));
  service_ = std::make_unique<ledger::LedgerService>(*served, home_.checkpoint_signer(),
                                                     home_.witnesses().addresses);
  return {};
}

void LedgerDesk::handle(const ledger::HttpQuestion& question, Respond respond) {
  auto begun = service_->begin(question, wall_now());
  if (auto* reply = std::get_if<ledger::HttpReply>(&begun)) return respond(std::move(*reply));
  auto& append = std::get<ledger::LedgerService::StagedAppend>(begun);
  join_group([this, append = std::move(append), respond = std::move(respond)](const auto& synced) {
    std::optional<std::uint64_t> awaited;
    ledger::HttpReply reply = service_->finish(append, synced, &awaited);
    if (!awaited) return respond(std::move(reply));
    wait_for_witnesses(*awaited + 1, [this, position = *awaited, respond] {
      respond(service_->appended(position));
    });
  });
}

void LedgerDesk::perform(const protocol::Effect& effect, const std::string& url, Submit submit) {
  const auto opened = open(url);
  if (!opened.has_value()) return submit({effect.id, opened.error(), false});
  if (effect.kind == protocol::EffectKind::ledger_append) return append(effect, std::move(submit));
  submit(ledger::perform_on(*ledger_, effect, wall_now(), cosigning_ ? prover_.get() : nullptr));
}

/// The effect is performed when its entry is durable: it then finds the entry there, or hears again
/// why it was not taken.
void LedgerDesk::append(const protocol::Effect& effect, Submit submit) {
  const auto payload = protocol::decode_record<protocol::LedgerAppendPayload>(effect.payload);
  if (!payload.has_value()) return submit({effect.id, payload.error(), false});
  static_cast<void>(ledger_->stage({payload->subject, payload->blob, payload->expected_head,
                                    ledger::times_in(payload->witnessed)},
                                   wall_now()));
  join_group([this, effect, submit = std::move(submit)](const Result<void>& synced) {
    if (!synced.has_value()) {
      return submit(ledger::append_result(
          effect, ledger::AppendOutcome(ledger::UnknownOutcome{synced.error().detail})));
    }
    ledger::LedgerProver* const prover = cosigning_ ? prover_.get() : nullptr;
    auto result = ledger::perform_on(*ledger_, effect, wall_now(), prover);
    const bool waits =
        !result.outcome.has_value() && result.outcome.error() == Errc::ledger_not_witnessed;
    if (!waits) return submit(std::move(result));
    wait_for_witnesses(ledger_->size(), [this, effect, submit] {
      submit(ledger::perform_on(*ledger_, effect, wall_now(), prover_.get()));
    });
  });
}

void LedgerDesk::join_group(Member member) {
  group_.push_back(std::move(member));
  quiet_turns_ = 0;
  if (group_.size() >= ledger::remote_limits::kAppendGroupMax) return flush();
  if (!std::exchange(is_looking_, true)) look();
}

/// The write comes when the loop has turned some times and nobody joined, so that what can be read
/// from sockets now is in the group.
void LedgerDesk::look() {
  boost::asio::post(io_, [this, alive = alive_] {
    if (!*alive) return;
    if (++quiet_turns_ < kQuietTurns) return look();
    is_looking_ = false;
    flush();
  });
}

void LedgerDesk::flush() {
  if (group_.empty()) return;
  const auto synced = ledger_->flush();
  const std::vector<Member> told = std::exchange(group_, {});
  for (const Member& member : told) member(synced);
  check(synced);
}

void LedgerDesk::wait_for_witnesses(std::uint64_t size, std::function<void()> go_on) {
  const std::int64_t deadline_ms = read_clocks().steady_ms + witness_limits::kQuorumWait.count();
  waiters_.push_back({size, deadline_ms, std::move(go_on)});
  ask_witnesses();
}

void LedgerDesk::check(const Result<void>& done) {
  if (!done.has_value()) on_failure_(done.error());
}

void LedgerDesk::ask_witnesses() {
  auto questions = cosigning_->ask(wall_now(), !waiters_.empty());
  if (!questions.has_value()) return on_failure_(questions.error());
  for (const auto& question : *questions) call(question);
  arm();
}

void LedgerDesk::call(const ledger::Cosigning::Question& question) {
  HttpCall call;
  call.method = question.http.method;
  call.url = question.http.target;
  call.content_type = "text/plain; charset=utf-8";
  call.body = crypto::to_bytes(std::string_view(question.http.body));
  call.follow_redirects = false;
  call.answer_bytes = witness_limits::kAnswerBytesMax;
  call.timeout = witness_limits::kPatience;
  client_.request(std::move(call),
                  [this, alive = alive_, witness = question.witness](Result<HttpReply> reply) {
                    if (!*alive) return;
                    const auto got = reply_of(std::move(reply));
                    check(cosigning_->take(witness, got, wall_now()));
                    release_waiters();
                    ask_witnesses();
                  });
}

/// Those whose entries are witnessed, and those who have waited long enough.
void LedgerDesk::release_waiters() {
  const auto seen = cosigning_->witnessed();
  if (!seen.has_value()) return on_failure_(seen.error());
  const std::int64_t now_ms = read_clocks().steady_ms;
  std::list<Waiter> done;
  for (auto it = waiters_.begin(); it != waiters_.end();) {
    const auto next = std::next(it);
    if (it->size <= *seen || it->deadline_ms <= now_ms) done.splice(done.end(), waiters_, it);
    it = next;
  }
  for (const Waiter& waiter : done) waiter.go_on();
}

void LedgerDesk::arm() {
  const ledger::AnchorTime now = wall_now();
  const auto next = cosigning_->next(now, !waiters_.empty());
  if (!next.has_value()) return on_failure_(next.error());
  std::chrono::milliseconds wait = kLongestWait;
  if (*next) wait = std::min<std::chrono::milliseconds>(wait, **next - now);
  const std::int64_t steady_ms = read_clocks().steady_ms;
  for (const Waiter& waiter : waiters_) {
    wait = std::min(wait, std::chrono::milliseconds{waiter.deadline_ms - steady_ms});
  }
  timer_.expires_after(std::max(wait, std::chrono::milliseconds{1}));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    release_waiters();
    ask_witnesses();
  });
}

Result<JsonObject> LedgerDesk::report() {
  TRY(const auto url, home_.made_url());
  if (!url) return JsonObject{};
  TRY(const ledger::TreeLedger* const opened, open(*url));
  const ledger::LedgerDescriptor& descriptor = opened->descriptor();
  JsonObject report;
  report["ledger"] = *url;
  report["ledger_id"] = ledger::ledger_id(descriptor);
  report["origin"] = descriptor.origin;
  report["key"] =
      ledger::verifier_key(descriptor.origin, ledger::NoteSignatureType::ed25519, descriptor.key);
  report["served"] = serves();
  report["size"] = static_cast<std::int64_t>(opened->size());
  if (cosigning_) {
    TRY(report["witnesses"], cosigning_->report());
  }
  return report;
}

}  // namespace kith::node
