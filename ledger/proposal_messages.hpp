#pragma once

/// The messages of policy 1.0 (docs/policy-protocol.md), and the proof in each of them: a signature
/// of the sender's agent key, the one in the policy, over type, both DIDs and body. So a contact
/// who is no agent of this owner cannot pass on what it got from one.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/entry.hpp"
#include "ledger/policy.hpp"
#include "protocol/contact.hpp"
#include "protocol/module.hpp"

namespace kith::ledger {

inline constexpr std::string_view kPolicyPropose = "https://w3id.org/kith/policy/1.0/propose";
inline constexpr std::string_view kPolicyApprove = "https://w3id.org/kith/policy/1.0/approve";
inline constexpr std::string_view kPolicyReject = "https://w3id.org/kith/policy/1.0/reject";
inline constexpr std::string_view kPolicyOutcome = "https://w3id.org/kith/policy/1.0/outcome";

/// proposer -> agent; `expires_time` is the end of the proposal.
struct ProposeBody {
  Bytes entry;  ///< The blob, with the proposer's signature if its key counts.
  std::string reason;
  std::string agent;
  Bytes proof;
  template <class V>
  void visit(V& v) {
    v("entry", entry), v("reason", reason), v("agent", agent), v("proof", proof);
  }
};

struct SignatureBody {
  std::string k;
  Bytes s;
  template <class V>
  void visit(V& v) {
    v("k", k), v("s", s);
  }
};

/// agent -> proposer
struct ApproveBody {
  std::string entry;  ///< Its hash.
  std::vector<SignatureBody> signatures;
  std::string agent;
  Bytes proof;
  template <class V>
  void visit(V& v) {
    v("entry", entry), v("signatures", signatures), v("agent", agent), v("proof", proof);
  }
};

/// agent -> proposer
struct RejectBody {
  std::string entry;
  std::string reason;
  std::string code;  ///< A stable code, when not the owner but the agent refuses.
  std::string agent;
  Bytes proof;
  template <class V>
  void visit(V& v) {
    v("entry", entry), v("reason", reason), v("code", code), v("agent", agent), v("proof", proof);
  }
};

/// proposer -> everybody asked
struct OutcomeBody {
  std::string entry;
  std::string outcome;  ///< posted, overtaken, expired, withdrawn or rejected.
  std::string agent;
  Bytes proof;
  template <class V>
  void visit(V& v) {
    v("entry", entry), v("outcome", outcome), v("agent", agent), v("proof", proof);
  }
};

/// "kith-policy-v1\n" and canonical JSON {body, from, to, type}; of the body the members above but
/// the proof, absent ones as they are read ("" or none). Others may hold anything and are left out.
[[nodiscard]] Bytes proof_statement(std::string_view type, const Did& from, const Did& to,
                                    JsonObject body);
/// The sender holds the key that it names, and the key is an agent's in `policy`. `body`: of the
/// message as it was read. Errors: refused (no such agent), bad_signature, malformed.
[[nodiscard]] Result<void> check_proof(const Policy& policy, const Inbound& inbound,
                                       const std::string& agent, ByteView proof, JsonObject body);
template <class Body>
[[nodiscard]] Result<void> check_proof(const Policy& policy, const Inbound& inbound,
                                       const Body& body) {
  return check_proof(policy, inbound, body.agent, body.proof, protocol::encode_body(body));
}

/// Where a message goes, and in which thread.
struct ProposalMail {
  Contact to;
  std::string thread;  ///< Empty: a new one.
  Time expires{};
};
/// Fills in `agent` and `proof`, and sends. Returns the message id. Errors: those of send,
/// own_agent_key.
[[nodiscard]] Result<std::string> send_propose(Host& host, const ProposalMail& mail,
                                               ProposeBody body);
[[nodiscard]] Result<std::string> send_approve(Host& host, const ProposalMail& mail,
                                               ApproveBody body);
[[nodiscard]] Result<std::string> send_reject(Host& host, const ProposalMail& mail,
                                              RejectBody body);
[[nodiscard]] Result<std::string> send_outcome(Host& host, const ProposalMail& mail,
                                               OutcomeBody body);

/// A reason as people may write it. Errors: limit_exceeded, malformed (control characters).
[[nodiscard]] Result<void> check_reason(std::string_view reason);

}  // namespace kith::ledger
