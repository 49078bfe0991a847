#include "node/runtime/reception.hpp"

#include <utility>

#include "node/inbox.hpp"
#include "node/runtime/effect_runner.hpp"
#include "node/runtime/request.hpp"
#include "node/runtime/system_clock.hpp"

namespace kith::node {
namespace {

HttpResponse json_response(unsigned status, const Json& body) {
  return {status, "application/json", crypto::to_bytes(crypto::json_text(body)), {}};
}

HttpResponse error_response(unsigned status, const Error& error) {
  return json_response(status, JsonObject{{"error", to_json(report_of(error))}});
}

unsigned refusal_status(Errc code) {
  if (may_succeed_later(code)) return 503;
  return code == Errc::limit_exceeded ? 413 : 400;
}

}  // namespace

void Reception::handle(HttpRequest request, HttpRespond respond) {
  const std::string target =
      request.query.empty() ? request.path : request.path + "?" + request.query;
  if (ledger_ != nullptr && ledger::LedgerService::handles(target)) {
    const auto reply =
        ledger_->handle({request.method, target, std::string(crypto::as_text(request.body))},
                        ledger::anchor_time_ms(read_clocks().wall_ms));
    return respond(HttpResponse{static_cast<unsigned>(reply.status),
                                reply.content_type,
                                crypto::to_bytes(std::string_view(reply.body)),
                                {}});
  }
  if (request.method == "GET" && request.path == "/invitation" && mediate_) {
    return give_invitation(respond);
  }
  if (request.method == "POST") return take_envelope(std::move(request), std::move(respond));
  respond(error_response(404, fail(Errc::not_found)));
}

void Reception::take_envelope(HttpRequest request, HttpRespond respond) {
  if (!is_envelope_type(request.content_type)) {
    return respond(error_response(415, fail(Errc::unsupported, std::string(kEnvelopeType))));
  }
  const std::string channel = answers_.add(std::move(respond));
  events_.submit(EnvelopeArrived{std::move(request.body), channel},
                 [this, channel](const Result<Outcome>& outcome) {
                   const auto waiting = answers_.take(channel);
                   if (!waiting) return;        // Answered.
                   if (!outcome.has_value()) {  // Not taken: nothing of it is known to be stored.
                     return (*waiting)(error_response(503, fail(Errc::unreachable)));
                   }
                   if (outcome->refused) {
                     return (*waiting)(
                         error_response(refusal_status(outcome->refused->code), *outcome->refused));
                   }
                   (*waiting)({202, {}, {}, {}});
                 });
}

void Reception::give_invitation(const HttpRespond& respond) {
  Command command{"http-" + crypto::hex(random_.bytes(8)), "mediator-invitation", {}, {}};
  events_.submit(CommandGiven{std::move(command)}, [respond](const Result<Outcome>& outcome) {
    if (!outcome.has_value() || !outcome->reply || !outcome->reply->has_value()) {
      return respond(error_response(503, fail(Errc::wrong_state)));
    }
    respond(json_response(200, **outcome->reply));
  });
}

}  // namespace kith::node
