#pragma once

/// What strangers ask this node over HTTP: envelopes (POST), the mediator's invitation
/// (GET /invitation), what a short address of an invitation leads to (GET /invitation?_oobid=ID or
/// /invitation/ID), a word for people who open an invitation in a browser, and the ledger it hosts.
/// Everything in a request is a stranger's word.

#include <functional>

#include "crypto/random.hpp"
#include "ledger/remote/service.hpp"
#include "node/event.hpp"
#include "node/net/http.hpp"
#include "node/runtime/event_queue.hpp"
#include "node/runtime/waiting_answers.hpp"

namespace kith::node {

class Reception {
 public:
  /// `ledger` may be null: none is hosted. `mediate`: there is an invitation to give out.
  /// All references outlive it.
  Reception(EventQueue& events, WaitingAnswers& answers, Random& random,
            ledger::LedgerService* ledger, bool mediate)
      : events_(events), answers_(answers), random_(random), ledger_(ledger), mediate_(mediate) {}

  void handle(HttpRequest request, HttpRespond respond);

 private:
  void take_envelope(HttpRequest request, HttpRespond respond);
  void give_invitation(const HttpRespond& respond);
  void give_long_form(const std::string& id, bool as_message, const HttpRespond& respond);

  EventQueue& events_;
  WaitingAnswers& answers_;
  Random& random_;
  ledger::LedgerService* ledger_;
  bool mediate_;
};

}  // namespace kith::node
