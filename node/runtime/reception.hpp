#pragma once

/// What strangers ask this node over HTTP: envelopes (POST), the mediator's invitation
/// (GET /invitation), what a short address of an invitation leads to (GET /invitation?_oobid=ID or
/// /invitation/ID), a word for people who open an invitation in a browser, the ledger it hosts, and
/// cosignatures of others' checkpoints (POST /witness/add-checkpoint), and when this node saw a
/// blob (GET /witness/time/SUBJECT/HASH). Everything in a request is a stranger's word.

#include <functional>

#include "crypto/random.hpp"
#include "ledger/witness_limits.hpp"
#include "node/event.hpp"
#include "node/net/arrivals.hpp"
#include "node/net/http.hpp"
#include "node/runtime/event_queue.hpp"
#include "node/runtime/ledger_desk.hpp"
#include "node/runtime/waiting_answers.hpp"

namespace kith::node {

/// What a node does for strangers besides taking envelopes.
struct Services {
  /// The ledger that is served, or the copy of one; empty: none.
  std::function<void(const ledger::HttpQuestion&, LedgerDesk::Respond)> ledger;
  bool mediate = false;  ///< There is an invitation to give out.
  bool witness = false;  ///< Checkpoints are cosigned.
};

class Reception {
 public:
  /// All references outlive it.
  Reception(EventQueue& events, WaitingAnswers& answers, Random& random, const Services& services)
      : events_(events), answers_(answers), random_(random), services_(services) {}

  void handle(HttpRequest request, HttpRespond respond);

 private:
  void take_envelope(HttpRequest request, HttpRespond respond);
  void give_invitation(const HttpRespond& respond);
  void ask_witness(std::string_view command, JsonObject args, HttpRespond respond,
                   HttpResponse (*answer)(const JsonObject& said));
  void give_cosignature(const HttpRequest& request, const HttpRespond& respond);
  void give_time(const HttpRequest& request, const HttpRespond& respond);
  void give_long_form(const std::string& id, bool as_message, const HttpRespond& respond);

  EventQueue& events_;
  WaitingAnswers& answers_;
  Random& random_;
  Services services_;
  Arrivals times_{ledger::witness_limits::kTimesPerMinute};
};

}  // namespace kith::node
