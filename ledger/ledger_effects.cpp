#include "ledger/ledger_effects.hpp"

#include "crypto/limits.hpp"
#include "ledger/remote/client.hpp"

namespace kith::ledger {

namespace {

using protocol::Effect;
using protocol::EffectKind;
using protocol::EffectResult;
using protocol::FetchPayload;
using protocol::LedgerAppended;
using protocol::LedgerAppendPayload;
using protocol::LedgerEntries;
using protocol::LedgerReadPayload;

bool worth_retry(const Error& error) {
  switch (error.code) {
    case Errc::unreachable:
    case Errc::timeout:
    case Errc::storage_unknown:
    case Errc::storage_full:
      return true;
    default:
      return false;
  }
}

EffectResult failed(const Effect& effect, const Error& error, bool retry) {
  EffectResult result;
  result.id = effect.id;
  result.outcome = error;
  result.retry = retry;
  return result;
}

EffectResult succeeded(const Effect& effect, Bytes outcome) {
  EffectResult result;
  result.id = effect.id;
  result.outcome = std::move(outcome);
  return result;
}

Time to_time(AnchorTime time) {
  return protocol::from_epoch_ms(to_ms(time));
}

EffectResult finish_append(const Effect& effect, const Result<LedgerClient::AppendReply>& reply) {
  if (!reply.has_value()) return failed(effect, reply.error(), worth_retry(reply.error()));
  if (const auto* unknown = std::get_if<UnknownOutcome>(&reply->outcome)) {
    // Who waits for witnesses is told, and tries again by itself.
    const bool retry = unknown->code != Errc::ledger_not_witnessed;
    return failed(effect, fail(unknown->code, unknown->why), retry);
  }
  LedgerAppended record;
  if (const auto* stale = std::get_if<StaleHead>(&reply->outcome)) {
    record.stale = true;
    record.head = stale->head;
  } else {
    const auto& appended = std::get<Appended>(reply->outcome);
    record.position = appended.position;
    record.time = to_time(appended.time);
    record.receipt = reply->receipt;
  }
  return succeeded(effect, protocol::encode_record(record));
}

EffectResult finish_read(const Effect& effect, const Result<ProvenPage>& proven) {
  if (!proven.has_value()) return failed(effect, proven.error(), worth_retry(proven.error()));
  return succeeded(effect, protocol::encode_record(entries_record(*proven)));
}

AppendRequest request_of(const LedgerAppendPayload& payload) {
  return {payload.subject, payload.blob, payload.expected_head, times_in(payload.witnessed)};
}

Result<LedgerClient::AppendReply> append_here(Ledger& ledger, const LedgerAppendPayload& payload,
                                              AnchorTime now, LedgerProver* prover) {
  TRY(AppendOutcome outcome, ledger.append(request_of(payload), now));
  LedgerClient::AppendReply reply{std::move(outcome), {}};
  const auto* appended = std::get_if<Appended>(&reply.outcome);
  if (appended != nullptr && prover != nullptr) {
    TRY(reply.receipt, prover->receipt(appended->position));
  }
  return reply;
}

Result<ProvenPage> read_here(Ledger& ledger, const LedgerReadPayload& payload,
                             LedgerProver* prover) {
  ProvenPage proven;
  TRY(proven.page, ledger.read(payload.subject, payload.from));
  if (prover != nullptr) {
    TRY(proven.proof, prover->prove(proven.page, payload.seen));
  }
  return proven;
}

Result<EffectResult> run(Ledger& ledger, const Effect& effect, AnchorTime now,
                         LedgerProver* prover) {
  switch (effect.kind) {
    case EffectKind::ledger_append: {
      TRY(const auto payload, protocol::decode_record<LedgerAppendPayload>(effect.payload));
      return finish_append(effect, append_here(ledger, payload, now, prover));
    }
    case EffectKind::ledger_read: {
      TRY(const auto payload, protocol::decode_record<LedgerReadPayload>(effect.payload));
      return finish_read(effect, read_here(ledger, payload, prover));
    }
    case EffectKind::fetch:
      return descriptor_result(effect, ledger.descriptor());
    case EffectKind::send:
    case EffectKind::live:
      break;
  }
  return fail(Errc::unsupported, "not an effect on a ledger");
}

Result<EffectResult> read_reply(const Effect& effect, const HttpReply& reply) {
  switch (effect.kind) {
    case EffectKind::ledger_append:
      return finish_append(effect, LedgerClient::read_append(reply));
    case EffectKind::ledger_read: {
      TRY(const auto payload, protocol::decode_record<LedgerReadPayload>(effect.payload));
      return finish_read(effect, LedgerClient::read_page(payload.subject, payload.from, reply));
    }
    case EffectKind::fetch:
      return descriptor_result(effect, LedgerClient::read_descriptor(reply));
    case EffectKind::send:
    case EffectKind::live:
      break;
  }
  return fail(Errc::unsupported, "not an effect on a ledger");
}

Result<std::string> ledger_url_of(const Effect& effect) {
  switch (effect.kind) {
    case EffectKind::ledger_append: {
      TRY(auto payload, protocol::decode_record<LedgerAppendPayload>(effect.payload));
      return std::move(payload.ledger);
    }
    case EffectKind::ledger_read: {
      TRY(auto payload, protocol::decode_record<LedgerReadPayload>(effect.payload));
      return std::move(payload.ledger);
    }
    case EffectKind::fetch: {
      TRY(auto payload, protocol::decode_record<FetchPayload>(effect.payload));
      const std::string end = descriptor_url("");
      if (payload.page || !payload.url.ends_with(end)) return std::string();
      payload.url.resize(payload.url.size() - end.size());
      return std::move(payload.url);
    }
    case EffectKind::send:
    case EffectKind::live:
      break;
  }
  return std::string();
}

}  // namespace

LedgerEntries entries_record(const ProvenPage& proven) {
  LedgerEntries record;
  record.complete = proven.page.complete;
  record.proof = proven.proof;
  for (const LedgerEntry& entry : proven.page.entries) {
    record.entries.push_back(
        {entry.position, to_time(entry.time), entry.blob, witness_words(entry.witnessed)});
  }
  return record;
}

std::string ledger_of(const Effect& effect) {
  auto url = ledger_url_of(effect);
  return url.has_value() ? std::move(*url) : std::string();
}

EffectResult perform_on(Ledger& ledger, const Effect& effect, AnchorTime now,
                        LedgerProver* prover) {
  auto result = run(ledger, effect, now, prover);
  return result.has_value() ? std::move(*result) : failed(effect, result.error(), false);
}

Result<HttpQuestion> question_of(const Effect& effect) {
  TRY(const std::string url, ledger_url_of(effect));
  TRY(const LedgerClient client, LedgerClient::at(url));
  if (effect.kind == EffectKind::ledger_append) {
    TRY(const auto payload, protocol::decode_record<LedgerAppendPayload>(effect.payload));
    return client.ask_append(request_of(payload));
  }
  if (effect.kind == EffectKind::ledger_read) {
    TRY(const auto payload, protocol::decode_record<LedgerReadPayload>(effect.payload));
    return client.ask_read(payload.subject, payload.from, payload.seen);
  }
  return client.ask_descriptor();
}

EffectResult result_of(const Effect& effect, const Result<HttpReply>& reply) {
  if (!reply.has_value()) return failed(effect, reply.error(), true);
  auto result = read_reply(effect, *reply);
  return result.has_value() ? std::move(*result) : failed(effect, result.error(), false);
}

EffectResult descriptor_result(const Effect& effect, const Result<LedgerDescriptor>& descriptor) {
  if (!descriptor.has_value()) {
    return failed(effect, descriptor.error(), worth_retry(descriptor.error()));
  }
  return succeeded(effect, crypto::to_bytes(descriptor_json(*descriptor)));
}

EffectResult append_result(const Effect& effect, const Result<AppendOutcome>& outcome) {
  if (!outcome.has_value()) return failed(effect, outcome.error(), worth_retry(outcome.error()));
  return finish_append(effect, LedgerClient::AppendReply{*outcome, {}});
}

EffectResult read_result(const Effect& effect, const Result<LedgerPage>& page) {
  if (!page.has_value()) return failed(effect, page.error(), worth_retry(page.error()));
  return finish_read(effect, ProvenPage{*page, std::nullopt});
}

}  // namespace kith::ledger
