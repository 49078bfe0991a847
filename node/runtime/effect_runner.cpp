#include "node/runtime/effect_runner.hpp"

#include <utility>

#include "ledger/ledger_effects.hpp"
#include "node/runtime/job_carrier.hpp"
#include "protocol/messenger.hpp"

namespace kith::node {
namespace {

using protocol::Effect;
using protocol::EffectKind;
using protocol::EffectResult;

/// Statuses that another try may change (RFC 9110); all of 5xx counts.
bool may_change(unsigned status) {
  return status == 408 || status == 429 || status >= 500;
}

bool is_websocket(std::string_view uri) {
  return uri.starts_with("w") || uri.starts_with("W");  // The messenger lets http and ws pass.
}

bool retryable(Errc code) {
  return code == Errc::unreachable || code == Errc::timeout || code == Errc::limit_exceeded ||
         code == Errc::malformed;
}

Error unexpected(unsigned status) {
  return fail(Errc::unreachable, "answered with " + std::to_string(status));
}

}  // namespace

bool is_envelope_type(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  while (type.ends_with(' ') || type.ends_with('\t')) type.pop_back();
  for (char& c : type) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (type.find('/') == std::string::npos) type.insert(0, "application/");
  return type == kEnvelopeType;
}

EffectRunner::EffectRunner(const EffectTools& tools, Submit submit)
    : tools_(tools), submit_(std::move(submit)) {}

void EffectRunner::finished(const std::string& id, Result<Bytes> outcome, bool retry) {
  submit_(EffectResult{id, std::move(outcome), retry});
}

void EffectRunner::perform(const Effect& effect) {
  tools_.crash_points.pass("effect");
  if (effect.kind == EffectKind::send) return send(effect);
  if (effect.kind == EffectKind::live) return hold(effect);
  const std::string ledger_url = ledger::ledger_of(effect);
  if (!ledger_url.empty()) return use_ledger(effect, ledger_url);
  if (effect.kind == EffectKind::fetch) return fetch(effect);
  finished(effect.id, fail(Errc::unsupported, "no ledger is named"));
}

void EffectRunner::send(const Effect& effect) {
  auto payload = protocol::decode_record<protocol::SendPayload>(effect.payload);
  if (!payload.has_value()) return finished(effect.id, payload.error());
  if (!payload->channel.empty()) return answer(effect, std::move(*payload));
  protocol::choose_way(*payload, effect.attempts);
  if (!is_websocket(payload->uri)) return post(effect, std::move(*payload));
  const bool another_way = effect.attempts < payload->others.size();
  tools_.links.send(payload->uri, std::move(payload->packed),
                    [this, id = effect.id, another_way](Result<void> sent) {
                      if (sent.has_value()) return finished(id, Bytes{});
                      finished(id, sent.error(), another_way || retryable(sent.error().code));
                    });
}

void EffectRunner::post(const Effect& effect, protocol::SendPayload payload) {
  const bool another_way = effect.attempts < payload.others.size();
  HttpCall call;
  call.url = std::move(payload.uri);
  call.content_type = std::string(kEnvelopeType);
  call.body = std::move(payload.packed);
  const auto on_reply = [this, id = effect.id, another_way](Result<HttpReply> reply) {
    if (!reply.has_value()) {
      return finished(id, reply.error(), another_way || retryable(reply.error().code));
    }
    if (reply->status < 200 || reply->status > 299) {
      const bool again = another_way || may_change(reply->status);
      if (may_change(reply->status)) return finished(id, unexpected(reply->status), true);
      const Errc code = reply->status == 413 ? Errc::limit_exceeded : Errc::refused;
      return finished(id, fail(code, "answered with " + std::to_string(reply->status)), again);
    }
    // The answer first: if the node stops in between, the message is sent again, not its answer
    // lost.
    if (is_envelope_type(reply->content_type) && !reply->body.empty()) {
      EnvelopeArrived answer{std::move(reply->body), {}};
      answer.answers = id;
      submit_(std::move(answer));
    }
    finished(id, Bytes{});
  };
  tools_.client.request(std::move(call), on_reply);
}

void EffectRunner::hold(const Effect& effect) {
  const auto payload = protocol::decode_record<protocol::LivePayload>(effect.payload);
  if (!payload.has_value()) return finished(effect.id, payload.error());
  tools_.links.hold(payload->uri, [this, id = effect.id](Result<void> ended) {
    finished(id, ended.has_value() ? Result<Bytes>(Bytes{}) : Result<Bytes>(ended.error()));
  });
}

void EffectRunner::answer(const Effect& effect, protocol::SendPayload payload) {
  const auto respond = tools_.answers.take(payload.channel);
  if (!respond) {
    if (tools_.links.answer(payload.channel, std::move(payload.packed))) {
      return finished(effect.id, Bytes{});
    }
    return finished(effect.id, fail(Errc::unreachable, "the connection is closed"));
  }
  (*respond)({200, std::string(kEnvelopeType), std::move(payload.packed), {}});
  finished(effect.id, Bytes{});
}

void EffectRunner::use_ledger(const Effect& effect, const std::string& ledger_url) {
  if (HomeLedger::is_local(ledger_url)) {
    tools_.ledger.perform(effect, ledger_url,
                          [this](EffectResult result) { submit_(std::move(result)); });
    return;
  }
  if (ledger::is_etcd_url(ledger_url)) {
    tools_.etcd.perform(effect, ledger_url,
                        [this](EffectResult result) { submit_(std::move(result)); });
    return;
  }
  if (ledger::evm::is_url(ledger_url)) {
    tools_.evm.perform(effect, ledger_url,
                       [this](EffectResult result) { submit_(std::move(result)); });
    return;
  }
  auto question = ledger::question_of(effect);
  if (!question.has_value()) return finished(effect.id, question.error());
  HttpCall call;
  call.method = question->method;
  call.url = question->target;
  call.body = crypto::to_bytes(std::string_view(question->body));
  if (!call.body.empty()) call.content_type = "application/json";
  tools_.client.request(std::move(call), [this, effect](Result<HttpReply> reply) {
    if (!reply.has_value() && !retryable(reply.error().code)) {
      return finished(effect.id, reply.error());
    }
    submit_(ledger::result_of(effect, reply_of(std::move(reply))));
  });
}

void EffectRunner::fetch(const Effect& effect) {
  const auto payload = protocol::decode_record<protocol::FetchPayload>(effect.payload);
  if (!payload.has_value()) return finished(effect.id, payload.error());
  HttpCall call;
  call.method = "GET";
  call.url = payload->url;
  call.accept = payload->accept;
  call.public_only = payload->public_only;
  call.follow_redirects = !payload->page;
  call.answer_bytes = static_cast<std::size_t>(payload->bytes_max);
  const auto on_reply = [this, id = effect.id, page = payload->page](Result<HttpReply> reply) {
    if (!reply.has_value()) {
      return finished(id, reply.error(), retryable(reply.error().code));
    }
    if (page) {
      const protocol::FetchedPage fetched{reply->status, std::move(reply->location),
                                          std::move(reply->content_type), std::move(reply->body)};
      return finished(id, protocol::encode_record(fetched));
    }
    if (reply->status == 200) return finished(id, std::move(reply->body));
    finished(id, unexpected(reply->status), may_change(reply->status));
  };
  tools_.client.request(std::move(call), on_reply);
}

}  // namespace kith::node
