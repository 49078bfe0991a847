#include "node/runtime/replica_desk.hpp"

#include <algorithm>
#include <utility>

#include "ledger/checkpoint.hpp"
#include "ledger/embedded/leveldb_ledger.hpp"
#include "ledger/remote/limits.hpp"
#include "ledger/signed_note.hpp"
#include "node/runtime/job_carrier.hpp"
#include "node/runtime/system_clock.hpp"
#include "protocol/record.hpp"

namespace kith::node {
namespace {

ledger::AnchorTime wall_now() {
  return ledger::anchor_time_ms(read_clocks().wall_ms);
}

std::string sentence_of(const Error& error) {
  std::string text(crypto::error_text(error.code).sentence);
  if (!error.detail.empty()) text += " (" + error.detail + ")";
  return text;
}

}  // namespace

struct ReplicaDesk::Copied {
  std::string url;
  ledger::SeenLedger seen;
  template <class V>
  void visit(V& v) {
    v("url", url), v("seen", seen);
  }
};

ReplicaDesk::ReplicaDesk(boost::asio::io_context& io, HttpClient& client, protocol::Store& store,
                         std::string directory, Accuse accuse, OnFailure on_failure)
    : client_(client),
      store_(store),
      directory_(std::move(directory)),
      accuse_(std::move(accuse)),
      on_failure_(std::move(on_failure)),
      timer_(io),
      alive_(std::make_shared<bool>(true)) {}

ReplicaDesk::~ReplicaDesk() {
  *alive_ = false;
}

Result<void> ReplicaDesk::load() {
  if (copy_) return {};
  TRY(const auto stored, store_.get({"meta", "ledger-replica"}));
  if (!stored) return {};
  TRY(const Copied copied, protocol::decode_record<Copied>(*stored));
  if (url_.empty()) url_ = copied.url;
  // A ledger without entries may still choose its witnesses: it is asked anew what it is.
  TRY(const std::uint64_t size, ledger::seen_size(copied.seen));
  if (following_ && size == 0) return {};
  return open(copied.seen);
}

Result<void> ReplicaDesk::keep(const ledger::SeenLedger& seen) {
  return store_.commit({{{"meta", "ledger-replica"}, protocol::encode_record(Copied{url_, seen})}});
}

Result<void> ReplicaDesk::open(const ledger::SeenLedger& seen) {
  TRY(const ledger::LedgerClient client, ledger::LedgerClient::at(url_));
  ledger::LevelDbLedgerOptions options;
  options.directory = directory_;
  TRY(options.descriptor, ledger::parse_descriptor(seen.descriptor));
  TRY(auto copy, ledger::LevelDbLedger::open(options));
  TRY(auto replica,
      ledger::Replica::of(*copy, client, seen,
                          [this](const ledger::SeenLedger& newer) { return keep(newer); }));
  copy_ = std::move(copy);
  replica_.emplace(std::move(replica));
  service_ = std::make_unique<ledger::LedgerService>(*copy_, url_);
  return {};
}

Result<void> ReplicaDesk::follow(const std::string& url) {
  CHECK(ledger::LedgerClient::at(url));
  url_ = url;
  while (url_.ends_with('/')) url_.pop_back();
  following_ = true;
  CHECK(load());
  if (replica_) CHECK(keep(replica_->seen()));  // The address may be new.
  step();
  return {};
}

void ReplicaDesk::handle(const ledger::HttpQuestion& question, const Respond& respond) {
  if (service_) return respond(service_->handle(question, wall_now()));
  respond(ledger::unavailable_reply("this copy of " + url_ + " has not begun yet"));
}

Result<std::optional<ledger::HttpQuestion>> ReplicaDesk::question() {
  if (replica_) return replica_->ask(wall_now());
  TRY(const ledger::LedgerClient client, ledger::LedgerClient::at(url_));
  return std::optional(client.ask_descriptor());
}

void ReplicaDesk::step() {
  const auto asked = question();
  if (!asked.has_value()) return on_failure_(asked.error());
  if (*asked) {
    call(**asked);
  } else {
    arm();
  }
}

void ReplicaDesk::call(const ledger::HttpQuestion& question) {
  HttpCall call;
  call.method = question.method;
  call.url = question.target;
  call.follow_redirects = false;
  client_.request(std::move(call), [this, alive = alive_](Result<HttpReply> reply) {
    if (!*alive) return;
    const auto got = reply_of(std::move(reply));
    check(replica_ ? take(got) : take_descriptor(got));
    arm();
  });
}

Result<void> ReplicaDesk::take(const Result<ledger::HttpReply>& reply) {
  CHECK(replica_->take(reply, wall_now()));
  if (const auto evidence = replica_->take_evidence()) accuse_(*evidence);
  return {};
}

Result<void> ReplicaDesk::take_descriptor(const Result<ledger::HttpReply>& reply) {
  const auto descriptor = reply.has_value() ? ledger::LedgerClient::read_descriptor(*reply)
                                            : Result<ledger::LedgerDescriptor>(reply.error());
  if (!descriptor.has_value()) {
    error_ = descriptor.error();
    return {};
  }
  if (!ledger::can_prove(*descriptor)) {
    error_ = fail(Errc::ledger_no_proof, "a copy of it could not be checked");
    return {};
  }
  error_.reset();
  const ledger::SeenLedger seen{ledger::descriptor_json(*descriptor), {}, {}};
  CHECK(keep(seen));
  return open(seen);
}

void ReplicaDesk::arm() {
  std::chrono::milliseconds wait = ledger::remote_limits::kFollowEvery;
  if (replica_) {
    wait = std::chrono::duration_cast<std::chrono::milliseconds>(replica_->next() - wall_now());
  }
  // The wall clock may jump.
  wait = std::clamp<std::chrono::milliseconds>(wait, std::chrono::milliseconds{1},
                                               ledger::remote_limits::kFollowRetryMax);
  timer_.expires_after(wait);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) step();
  });
}

void ReplicaDesk::check(const Result<void>& done) {
  if (!done.has_value()) on_failure_(done.error());
}

Result<JsonObject> ReplicaDesk::report() {
  CHECK(load());
  JsonObject report;
  if (url_.empty()) return report;
  report["replica_of"] = url_;
  report["following"] = following_;
  if (!replica_) {
    if (error_) report["error"] = sentence_of(*error_);
    return report;
  }
  const ledger::LedgerDescriptor& descriptor = copy_->descriptor();
  report["ledger_id"] = ledger::ledger_id(descriptor);
  report["origin"] = descriptor.origin;
  report["key"] =
      ledger::verifier_key(descriptor.origin, ledger::NoteSignatureType::ed25519, descriptor.key);
  report["size"] = static_cast<std::int64_t>(copy_->size());
  TRY(const auto shown, copy_->newest_cosigned());
  report["shown"] = shown ? static_cast<std::int64_t>(shown->size) : std::int64_t{0};
  TRY(const std::uint64_t seen, ledger::seen_size(replica_->seen()));
  report["seen"] = static_cast<std::int64_t>(seen);
  if (const auto followed = replica_->followed()) report["followed"] = ledger::utc_text(*followed);
  if (const auto& error = replica_->error()) report["error"] = sentence_of(*error);
  return report;
}

}  // namespace kith::node
