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

EffectResult finish_append(const Effect& effect, const Result<AppendOutcome>& outcome) {
  if (!outcome.has_value()) return failed(effect, outcome.error(), worth_retry(outcome.error()));
  if (const auto* unknown = std::get_if<UnknownOutcome>(&*outcome)) {
    return failed(effect, fail(Errc::timeout, unknown->why), true);
  }
  LedgerAppended record;
  if (const auto* stale = std::get_if<StaleHead>(&*outcome)) {
    record.stale = true;
    record.head = stale->head;
  } else {
    const auto& appended = std::get<Appended>(*outcome);
    record.position = appended.position;
    record.time = to_time(appended.time);
  }
  return succeeded(effect, protocol::encode_record(record));
}

EffectResult finish_read(const Effect& effect, const Result<LedgerPage>& page) {
  if (!page.has_value()) return failed(effect, page.error(), worth_retry(page.error()));
  LedgerEntries record;
  record.complete = page->complete;
  for (const LedgerEntry& entry : page->entries) {
    record.entries.push_back({entry.position, to_time(entry.time), entry.blob});
  }
  return succeeded(effect, protocol::encode_record(record));
}

EffectResult finish_descriptor(const Effect& effect, const Result<LedgerDescriptor>& descriptor) {
  if (!descriptor.has_value()) {
    return failed(effect, descriptor.error(), worth_retry(descriptor.error()));
  }
  return succeeded(effect, crypto::to_bytes(descriptor_json(*descriptor)));
}

AppendRequest request_of(const LedgerAppendPayload& payload) {
  return {payload.subject, payload.blob, payload.expected_head};
}

Result<EffectResult> run(Ledger& ledger, const Effect& effect, AnchorTime now) {
  switch (effect.kind) {
    case EffectKind::ledger_append: {
      TRY(const auto payload, protocol::decode_record<LedgerAppendPayload>(effect.payload));
      return finish_append(effect, ledger.append(request_of(payload), now));
    }
    case EffectKind::ledger_read: {
      TRY(const auto payload, protocol::decode_record<LedgerReadPayload>(effect.payload));
      return finish_read(effect, ledger.read(payload.subject, payload.from));
    }
    case EffectKind::fetch:
      return finish_descriptor(effect, ledger.descriptor());
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
      return finish_descriptor(effect, LedgerClient::read_descriptor(reply));
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

std::string ledger_of(const Effect& effect) {
  auto url = ledger_url_of(effect);
  return url.has_value() ? std::move(*url) : std::string();
}

EffectResult perform_on(Ledger& ledger, const Effect& effect, AnchorTime now) {
  auto result = run(ledger, effect, now);
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
    return client.ask_read(payload.subject, payload.from);
  }
  return client.ask_descriptor();
}

EffectResult result_of(const Effect& effect, const Result<HttpReply>& reply) {
  if (!reply.has_value()) return failed(effect, reply.error(), true);
  auto result = read_reply(effect, *reply);
  return result.has_value() ? std::move(*result) : failed(effect, result.error(), false);
}

}  // namespace kith::ledger
