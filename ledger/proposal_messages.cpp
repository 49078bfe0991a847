#include "ledger/proposal_messages.hpp"

#include <algorithm>

#include "ledger/identity.hpp"
#include "ledger/proposal_limits.hpp"
#include "protocol/messenger.hpp"

namespace kith::ledger {
namespace {

constexpr std::string_view kStatement = "kith-policy-v1\n";
/// An answer or an outcome is worth sending for a while after the proposal's end.
constexpr std::chrono::hours kOutcomeLife{24 * 7};

template <class Body>
Result<std::string> send_proven(Host& host, const ProposalMail& mail, std::string_view type,
                                Body body, Duration life) {
  TRY(const KeyPair agent, own_agent_key(host));
  TRY(const Did mine, Did::parse(mail.to.my_did));
  TRY(const Did theirs, Did::parse(mail.to.their_did));
  body.agent = crypto::multikey(agent.public_key);
  const Bytes statement = proof_statement(type, mine, theirs, protocol::encode_body(body));
  TRY(body.proof, host.keys().sign(agent.sealed, statement));
  Message message = protocol::new_message(type, host.random(), protocol::epoch_seconds(host.now()));
  message.from = mine;
  message.to = {theirs};
  if (!mail.thread.empty()) message.thid = mail.thread;
  message.body = protocol::encode_body(body);
  protocol::SendOptions options;
  options.life = life;
  message.expires_time = protocol::epoch_seconds(host.now() + life);
  return protocol::send(host, std::move(message), options);
}

Duration rest_of_life(Host& host, const ProposalMail& mail) {
  return std::max(mail.expires - host.now(), Duration{std::chrono::seconds{1}});
}

}  // namespace

Bytes proof_statement(std::string_view type, const Did& from, const Did& to, JsonObject body) {
  body.erase("proof");
  const JsonObject whole{
      {"body", std::move(body)}, {"from", from.text()}, {"to", to.text()}, {"type", type}};
  const std::string text = std::string(kStatement) + crypto::canonical_json(Json(whole));
  return crypto::to_bytes(crypto::as_bytes(text));
}

Result<void> check_proof(const Policy& policy, const Inbound& inbound, const std::string& agent,
                         ByteView proof, JsonObject body) {
  const bool known =
      std::ranges::any_of(policy.agents, [&](const PolicyAgent& one) { return one.key == agent; });
  if (!known) return fail(Errc::refused, "the sender is no agent of this policy");
  TRY(const PublicKey key, signing_key(agent));
  const Bytes statement = proof_statement(inbound.message.type, *inbound.info.sender,
                                          *inbound.info.own_did, std::move(body));
  return crypto::verify(key, statement, proof, crypto::SValue::low_only);
}

Result<std::string> send_propose(Host& host, const ProposalMail& mail, ProposeBody body) {
  return send_proven(host, mail, kPolicyPropose, std::move(body), rest_of_life(host, mail));
}

Result<std::string> send_approve(Host& host, const ProposalMail& mail, ApproveBody body) {
  return send_proven(host, mail, kPolicyApprove, std::move(body), rest_of_life(host, mail));
}

Result<std::string> send_reject(Host& host, const ProposalMail& mail, RejectBody body) {
  return send_proven(host, mail, kPolicyReject, std::move(body), rest_of_life(host, mail));
}

Result<std::string> send_outcome(Host& host, const ProposalMail& mail, OutcomeBody body) {
  return send_proven(host, mail, kPolicyOutcome, std::move(body), Duration{kOutcomeLife});
}

Result<void> check_reason(std::string_view reason) {
  if (reason.size() > proposal_limits::kReasonBytesMax) {
    return fail(Errc::limit_exceeded, "the reason is longer than 500 bytes");
  }
  const bool plain = std::ranges::none_of(reason, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
  if (!plain) return fail(Errc::malformed, "the reason has control characters");
  return {};
}

}  // namespace kith::ledger
