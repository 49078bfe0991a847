#include "protocol/late_answers.hpp"

#include "crypto/limits.hpp"

namespace kith::protocol {
namespace {

constexpr std::string_view kMayWait = "may-wait ";
constexpr std::string_view kNow = "now ";

}  // namespace

void note_other_way(SendOptions& options, const Did& own, const Did& peer, bool may_wait) {
  if (!options.owner.empty() || options.transient) return;
  options.owner = kLateAnswers;
  options.context = may_wait ? kMayWait : kNow;
  options.context += own.text() + " " + peer.text();
}

void LateAnswers::on_effect(Host& host, const Effect& effect, const Result<Bytes>& outcome) {
  const std::string_view context(effect.context);
  const std::size_t first = context.find(' ');
  const std::size_t second = context.find(' ', first + 1);
  if (outcome.has_value() || second == std::string_view::npos) return;
  const auto own = Did::parse(context.substr(first + 1, second - first - 1));
  const auto peer = Did::parse(context.substr(second + 1));
  const auto payload = decode_record<SendPayload>(effect.payload);
  if (!own.has_value() || !peer.has_value() || !payload.has_value()) return;
  // Sent another way once, it is an ordinary message, whose owner hears nothing.
  if (payload->channel.empty() || payload->packed.size() > limits::kStoredAnswerBytesMax) return;
  const std::string packed(crypto::as_text(payload->packed));
  const std::int64_t expires = epoch_seconds(effect.expires);
  SendOptions options;
  options.life = effect.expires - host.now();
  const auto sent = context.starts_with(kMayWait)
                        ? send_or_queue(host, packed, *own, *peer, expires, options)
                        : send_packed(host, packed, *peer, expires, options);
  if (!sent.has_value()) {
    host.audit("answer.lost", {{"code", crypto::error_text(sent.error().code).code}});
  }
}

}  // namespace kith::protocol
