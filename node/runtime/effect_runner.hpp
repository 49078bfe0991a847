#pragma once

/// Performs the Agent's effects: sends, fetches, ledger reads and appends, over HTTP, WebSockets or
/// on the ledger of this home. Every effect ends in exactly one EffectResult, at once or later.

#include <functional>
#include <string>

#include "node/event.hpp"
#include "node/net/http.hpp"
#include "node/runtime/crash_points.hpp"
#include "node/runtime/etcd_ledgers.hpp"
#include "node/runtime/evm_ledgers.hpp"
#include "node/runtime/ledger_desk.hpp"
#include "node/runtime/links.hpp"
#include "node/runtime/waiting_answers.hpp"

namespace kith::node {

inline constexpr std::string_view kEnvelopeType = "application/didcomm-encrypted+json";
/// Is this the content type of an envelope? Parameters and case do not count (RFC 9110), and
/// "application/" may be missing (DIDComm v2.1, IANA Media Types).
[[nodiscard]] bool is_envelope_type(std::string_view content_type);

/// What it works with; all outlive it.
struct EffectTools {
  HttpClient& client;
  Links& links;
  LedgerDesk& ledger;
  EtcdLedgers& etcd;
  EvmLedgers& evm;
  WaitingAnswers& answers;
  CrashPoints& crash_points;
};

class EffectRunner {
 public:
  using Submit = std::function<void(Event)>;

  EffectRunner(const EffectTools& tools, Submit submit);
  void perform(const protocol::Effect& effect);

 private:
  void send(const protocol::Effect& effect);
  void post(const protocol::Effect& effect, protocol::SendPayload payload);
  void hold(const protocol::Effect& effect);
  void answer(const protocol::Effect& effect, protocol::SendPayload payload);
  void use_ledger(const protocol::Effect& effect, const std::string& ledger_url);
  void fetch(const protocol::Effect& effect);
  void finished(const std::string& id, Result<Bytes> outcome, bool retry = false);

  EffectTools tools_;
  Submit submit_;
};

}  // namespace kith::node
