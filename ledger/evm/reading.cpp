#include "ledger/evm/reading.hpp"

#include <algorithm>

#include "crypto/assert.hpp"
#include "ledger/evm/abi.hpp"
#include "ledger/evm/limits.hpp"

namespace kith::ledger::evm {

namespace {

AnchorTime time_of(const Block& block) {
  return anchor_time_ms(static_cast<std::int64_t>(block.time_s) * 1000);
}

JsonArray block_parameters(std::string_view which) {
  return {which, false};
}

/// Entries of a newer version are handed on: the log reader tells people of them.
bool belongs_to(const std::string& subject, ByteView blob) {
  const auto entry = parse_entry(blob);
  return entry.has_value() ? entry->id == subject : entry.error() == Errc::unsupported;
}

}  // namespace

std::uint64_t position_of(std::uint64_t block, std::uint64_t index) {
  return block << evm_limits::kPositionIndexBits | index;
}

std::uint64_t block_of(std::uint64_t position) {
  return position >> evm_limits::kPositionIndexBits;
}

Reading::Reading(Session& session, Wish wish) : session_(session), wish_(std::move(wish)) {
  ASSERT(session_.where.contract.has_value());
}

void Reading::start_again(std::chrono::milliseconds wait) {
  stage_ = Stage::newest;
  wait_ = wait;
  final_.reset();
  one_block_ = false;
  events_.clear();
  at_ = 0;
  entries_.clear();
  not_final_.clear();
  bytes_ = 0;
  sift_above_ = kSiftAboveBytes;
}

std::uint64_t Reading::last_block() const {
  return wish_.not_final_too ? newest_.number : final_.value_or(0);
}

LogFilter Reading::filter() const {
  const std::uint64_t most = one_block_ ? 1 : session_.blocks_max;
  const std::uint64_t left = last_block() - next_block_;
  return {*session_.where.contract, wish_.subject, next_block_,
          next_block_ + std::min(left, most - 1)};
}

Call Reading::call() const {
  switch (stage_) {
    case Stage::newest:
      return {"eth_getBlockByNumber", block_parameters("latest"), wait_};
    case Stage::finalized:
      return {"eth_getBlockByNumber", block_parameters("finalized")};
    case Stage::events:
      return {"eth_getLogs",
              filter_json(filter()),
              {},
              one_block_ ? evm_limits::kBlockAnswerBytesMax : limits::kJsonBytesMax};
    case Stage::times:
      return {"eth_getBlockByNumber", block_parameters(quantity_text(events_[at_].block))};
    case Stage::done:
      break;
  }
  UNREACHABLE();
}

Result<void> Reading::take(const Json& result) {
  if (stage_ == Stage::events) return take_events(result);
  if (stage_ == Stage::times) return take_time(result);
  TRY(const auto block, read_block(result));
  if (stage_ == Stage::newest) {
    if (!block) return fail(Errc::malformed, "evm: a chain without blocks");
    return take_newest(*block);
  }
  // A young chain: nothing is final.
  if (block) final_ = std::min(block->number, newest_.number);
  go_on();
  return {};
}

Result<void> Reading::take_newest(const Block& block) {
  newest_ = block;
  next_block_ = std::max(session_.where.from, block_of(wish_.from));
  if (!session_.where.confirmations) {
    stage_ = Stage::finalized;
    return {};
  }
  const std::uint64_t depth = *session_.where.confirmations;
  if (newest_.number >= depth) final_ = newest_.number - depth;
  go_on();
  return {};
}

Result<void> Reading::take_refusal(const Refusal& refusal) {
  if (stage_ == Stage::events && ask_less()) return {};
  if (stage_ == Stage::finalized) {
    return fail(Errc::unsupported,
                "this chain does not say what is final; name ?confirmations=K in the address");
  }
  return refused_by_server(refusal);
}

bool Reading::ask_less() {
  if (stage_ != Stage::events || one_block_) return false;
  const LogFilter asked = filter();
  const std::uint64_t blocks = asked.last - asked.first + 1;
  session_.blocks_max = std::max<std::uint64_t>(1, blocks / 2);
  one_block_ = blocks == 1;
  return true;
}

Result<void> Reading::take_events(const Json& result) {
  const LogFilter asked = filter();
  TRY(events_, read_events(asked, result));
  at_ = 0;
  next_block_ = asked.last + 1;
  one_block_ = false;
  // What was too much in one place, or for a busy server, need not be so everywhere.
  if (session_.blocks_max <= evm_limits::kBlocksGrowTo / 2) session_.blocks_max *= 2;
  const auto is_junk = [&](const PostedEvent& event) {
    return position_of(event.block, event.index) < wish_.from ||
           !belongs_to(subject_of(event.subject), event.data);
  };
  std::erase_if(events_, is_junk);
  stage_ = Stage::times;
  go_on();
  return {};
}

Result<void> Reading::take_time(const Json& result) {
  TRY(const auto block, read_block(result));
  if (!block || block->hash != events_[at_].block_hash) return blocks_were_replaced();
  if (block->number != events_[at_].block) return fail(Errc::malformed, "evm: another block");
  while (at_ < events_.size() && events_[at_].block == block->number) {
    keep(std::move(events_[at_++]), time_of(*block));
  }
  go_on();
  return {};
}

Result<void> Reading::blocks_were_replaced() {
  if (++reorganisations_ > evm_limits::kReorganisationsMax) {
    return fail(Errc::busy, "the chain's blocks are replaced all the time");
  }
  start_again(evm_limits::kPoll);
  return {};
}

void Reading::keep(PostedEvent event, AnchorTime time) {
  const bool is_final = final_ && event.block <= *final_;
  bytes_ += event.data.size();
  // Times never run back, whatever the chain says.
  const AnchorTime before = entries_.empty() ? anchor_time_ms(0) : entries_.back().time;
  (is_final ? entries_ : not_final_)
      .push_back({position_of(event.block, event.index), subject_of(event.subject),
                  std::move(event.data), std::max(time, before)});
}

/// The last one stays, for its time.
void Reading::sift() {
  std::vector<AnchoredBlob> blobs;
  for (const LedgerEntry& entry : entries_) blobs.push_back({entry.blob, entry.time});
  const auto never = never_counts(wish_.sift_for, blobs, time_of(newest_), wish_.test_mode);
  std::vector<LedgerEntry> kept;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const bool out = !never.empty() && never[i] && i + 1 != entries_.size();
    if (!out || entries_[i].blob == wish_.own) kept.push_back(std::move(entries_[i]));
  }
  entries_ = std::move(kept);
  bytes_ = 0;
  for (const auto* list : {&entries_, &not_final_}) {
    for (const LedgerEntry& entry : *list) bytes_ += entry.blob.size();
  }
  // What is the owner's own is not looked through again at each step.
  sift_above_ = std::max(kSiftAboveBytes, bytes_ + kSiftAboveBytes / 2);
}

/// To the next question that is left.
void Reading::go_on() {
  if (stage_ == Stage::times && at_ < events_.size()) {
    // What is not final has no time of its own yet.
    while (at_ < events_.size() && !(final_ && events_[at_].block <= *final_)) {
      keep(std::move(events_[at_++]), time_of(newest_));
    }
    if (at_ < events_.size()) return;
  }
  if (!wish_.sift_for.empty() && bytes_ > sift_above_) sift();
  const bool enough = entries_.size() > wish_.entries_max || bytes_ > wish_.bytes_max;
  const bool all = (!final_ && !wish_.not_final_too) || next_block_ > last_block();
  stage_ = enough || all ? Stage::done : Stage::events;
}

}  // namespace kith::ledger::evm
