#include "ledger/evm/jobs.hpp"

#include <algorithm>

#include "crypto/assert.hpp"
#include "crypto/limits.hpp"
#include "ledger/did_kith.hpp"
#include "ledger/evm/abi.hpp"
#include "ledger/evm/contract.hpp"
#include "ledger/evm/limits.hpp"

namespace kith::ledger::evm {

namespace {

/// Transactions of one append: beyond this, others use the account's numbers all the time.
constexpr unsigned kSendingsMax = 4;

std::string told(const Error& error) {
  std::string why(crypto::error_text(error.code).sentence);
  if (!error.detail.empty()) why += " (" + error.detail + ")";
  return why;
}

Error no_account() {
  return fail(Errc::refused, "there is no account to pay for entries");
}

}  // namespace

// Reading.

Read::Read(Session& session, std::string_view subject, std::uint64_t from)
    : Job(session), max_(limits::kLedgerPageEntriesMax) {
  const auto topic = subject_topic(subject);
  if (topic.has_value()) {
    start(*topic, from);
  } else {
    end();
    result_ = topic.error();
  }
}

Read::Read(Session& session, std::uint64_t position, std::size_t max) : Job(session), max_(max) {
  start(std::nullopt, position);
}

void Read::start(std::optional<Hash> subject, std::uint64_t from) {
  const std::size_t entries = std::min(max_, limits::kLedgerPageEntriesMax);
  reading_.emplace(session(),
                   Reading::Wish{subject, from, entries, limits::kLedgerPageBytesMax, false});
}

Result<void> Read::on_answer(const Json& result) {
  CHECK(reading_->take(result));
  if (!reading_->done()) return {};
  end();
  LedgerPage page;
  for (const LedgerEntry& entry : reading_->entries()) {
    if (!add_to_page(page, entry, max_)) break;
  }
  result_ = std::move(page);
  return {};
}

// Appending.

Append::Append(Session& session, AppendRequest request, AnchorTime now, bool test_mode)
    : Job(session), request_(std::move(request)), now_(now), test_mode_(test_mode) {
  const auto checked = check_append(request_);
  const auto topic = subject_topic(request_.subject);
  if (!checked.has_value() || !topic.has_value()) {
    finish(checked.has_value() ? topic.error() : checked.error());
    return;
  }
  name_ = blob_hash(request_.blob);
  const std::size_t bytes = limits::kLedgerSubjectBytesMax;
  reading_.emplace(session, Reading::Wish{*topic, 0, bytes, bytes, true, request_.subject,
                                          request_.blob, test_mode_});
}

Result<void> Append::on_answer(const Json& result) {
  if (posting_) {
    CHECK(posting_->take(result));
    return look_at_posting();
  }
  CHECK(reading_->take(result));
  return reading_->done() ? judge() : Result<void>();
}

Result<void> Append::on_refusal(const Refusal& refusal) {
  if (!posting_) return reading_->take_refusal(refusal);
  CHECK(posting_->take_refusal(refusal));
  return look_at_posting();
}

Result<std::variant<LedgerLeaf, StaleHead>> Append::judge_after(
    const AppendRequest& request, std::span<const LedgerEntry> entries,
    std::span<const LedgerEntry> later, AnchorTime now) const {
  std::vector<AnchoredBlob> blobs;
  AnchorTime newest = anchor_time_ms(0);
  for (const auto& part : {entries, later}) {
    for (const LedgerEntry& entry : part) {
      newest = std::max(newest, entry.time);
      blobs.push_back({entry.blob, entry.time});
    }
  }
  const std::string ledger = ledger_id(descriptor_of(session().where));
  return judge_append(request, {blobs, newest, now, test_mode_, ledger});
}

Result<void> Append::judge() {
  const std::span<const LedgerEntry> entries = reading_->entries();
  const std::span<const LedgerEntry> later = reading_->not_final();
  std::size_t bytes = 0;
  for (const LedgerEntry& entry : entries) bytes += entry.blob.size();
  for (const LedgerEntry& entry : later) bytes += entry.blob.size();
  if (bytes > limits::kLedgerSubjectBytesMax) {
    return fail(Errc::limit_exceeded, "the ledger shows more of this log than can be read");
  }
  const auto is_ours = [&](const LedgerEntry& entry) { return entry.blob == request_.blob; };
  const auto found = std::ranges::find_if(entries, is_ours);
  if (found != entries.end()) return judge_place(static_cast<std::size_t>(found - entries.begin()));
  seen_ = std::ranges::any_of(later, is_ours);
  if (seen_) {
    wait_until_final("the entry is in a block that is not final yet");
    return {};
  }
  if (is_under_way()) return send();  // Judged before.
  auto judged = judge_after(request_, entries, later, now_);
  if (judged.has_value() && std::holds_alternative<LedgerLeaf>(*judged)) return send();
  if (!later.empty()) {
    // What is not final may go away again, and decides nothing.
    auto without = judge_after(request_, entries, {}, now_);
    const bool good = without.has_value() && std::holds_alternative<LedgerLeaf>(*without);
    if (good) {
      wait_until_final("another entry of this log is not final yet");
      return {};
    }
    judged = std::move(without);
  }
  if (!judged.has_value()) return judged.error();
  finish(AppendOutcome(std::get<StaleHead>(std::move(*judged))));
  return {};
}

/// It is final there; would it have counted then?
Result<void> Append::judge_place(std::size_t place) {
  session().sent.erase(name_);
  const LedgerEntry& entry = reading_->entries()[place];
  const std::span<const LedgerEntry> all = reading_->entries();
  AppendRequest there = request_;
  TRY(const Entry read, parse_entry(there.blob));
  there.expected_head = read.prev;
  TRY(auto judged, judge_after(there, all.first(place), {}, entry.time));
  if (auto* stale = std::get_if<StaleHead>(&judged)) {
    finish(AppendOutcome(std::move(*stale)));
  } else {
    finish(AppendOutcome(Appended{entry.position, entry.time}));
  }
  return {};
}

Result<void> Append::send() {
  if (!session().signer) return no_account();
  if (++sendings_ > kSendingsMax) {
    return fail(Errc::busy, "other transactions of this account are always first");
  }
  TRY(const Hash topic, subject_topic(request_.subject));
  posting_.emplace(session(), patience_,
                   Posting::Wish{name_, *session().where.contract, post_input(topic, request_.blob),
                                 reading_->newest().base_fee});
  return {};
}

Result<void> Append::look_at_posting() {
  switch (posting_->state()) {
    case Posting::State::going:
      return {};
    case Posting::State::no_patience:
      finish(AppendOutcome(UnknownOutcome{"the transaction is not in a block yet"}));
      return {};
    case Posting::State::number_used:
    case Posting::State::in_block:
      break;
  }
  // What the log says counts, not what the receipt says.
  posting_.reset();
  patience_.start_short();
  reading_->start_again(sendings_ == 1 ? std::chrono::milliseconds{0} : evm_limits::kPoll);
  return {};
}

void Append::wait_until_final(std::string why) {
  if (const auto wait = patience_.next()) return reading_->start_again(*wait);
  if (!seen_) return finish(fail(Errc::busy, std::move(why)));
  finish(AppendOutcome(UnknownOutcome{std::move(why)}));
}

void Append::on_failure(const Error& error) {
  if (seen_ || is_under_way()) {
    result_ = AppendOutcome(UnknownOutcome{told(error)});
  } else {
    result_ = error;
  }
}

void Append::finish(Outcome outcome) {
  end();
  result_ = std::move(outcome);
}

// What it is.

LedgerDescriptor descriptor_of(const Location& where) {
  LedgerDescriptor descriptor;
  descriptor.kind = "evm";
  descriptor.origin = where.origin();
  ASSERT(check_descriptor(descriptor).has_value());
  return descriptor;
}

Call Describe::call() const {
  return {"eth_getCode", {bytes_text(*session().where.contract), "latest"}};
}

Result<void> Describe::on_answer(const Json& result) {
  TRY(const Bytes code, read_bytes(result));
  if (code != contract_code()) {
    return fail(Errc::not_found, "no contract of Kith lies at " +
                                     account_text(*session().where.contract) + " on chain " +
                                     std::to_string(session().where.chain));
  }
  end();
  result_ = descriptor_of(session().where);
  return {};
}

// Making one.

Call Deploy::call() const {
  if (posting_) return posting_->call();
  return {"eth_getBlockByNumber", {"latest", false}};
}

Result<void> Deploy::on_answer(const Json& result) {
  if (!posting_) {
    TRY(const auto newest, read_block(result));
    if (!newest) return fail(Errc::malformed, "evm: a chain without blocks");
    if (!session().signer) return no_account();
    posting_.emplace(session(), patience_,
                     Posting::Wish{"deploy", std::nullopt, contract_creation(), newest->base_fee});
    return {};
  }
  CHECK(posting_->take(result));
  const auto sent = session().sent.find("deploy");
  if (sent != session().sent.end()) nonce_ = sent->second.transaction.nonce;
  switch (posting_->state()) {
    case Posting::State::going:
      return {};
    case Posting::State::number_used:
      return fail(Errc::conflict, "another transaction of this account came first");
    case Posting::State::no_patience:
      return fail(Errc::timeout, "the transaction is not in a block yet");
    case Posting::State::in_block:
      break;
  }
  session().sent.erase("deploy");
  const Account contract = contract_made_by(session().signer->account, nonce_);
  if (posting_->receipt().contract != contract) {
    return fail(Errc::malformed, "evm: a contract at another address");
  }
  end();
  result_ = Made{contract, posting_->receipt().block};
  return {};
}

Result<void> Deploy::on_refusal(const Refusal& refusal) {
  if (!posting_) return refused_by_server(refusal);
  CHECK(posting_->take_refusal(refusal));
  if (posting_->state() == Posting::State::number_used) {
    return fail(Errc::conflict, "another transaction of this account came first");
  }
  return {};
}

}  // namespace kith::ledger::evm
