#include "node/runtime/reception.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "ledger/add_checkpoint.hpp"
#include "ledger/witness_module.hpp"
#include "node/inbox.hpp"
#include "node/net/http_parts.hpp"
#include "node/runtime/effect_runner.hpp"
#include "node/runtime/request.hpp"
#include "node/runtime/system_clock.hpp"

namespace kith::node {
namespace {

HttpResponse json_response(unsigned status, const Json& body) {
  return {status, "application/json", crypto::to_bytes(crypto::json_text(body)), {}};
}

/// As C2SP tlog-tiles asks.
constexpr const char* kForEver = "public, max-age=604800, immutable";

HttpResponse plain_response(unsigned status, std::string content_type, std::string_view body) {
  return {status, std::move(content_type), crypto::to_bytes(body), {}};
}

HttpResponse error_response(unsigned status, const Error& error) {
  HttpResponse response = json_response(status, JsonObject{{"error", to_json(report_of(error))}});
  if (error == Errc::busy) response.fields.emplace_back("Retry-After", "1");
  return response;
}

/// Also for messages of DIDComm that are not encrypted. Says what would be taken (RFC 9110, section
/// 15.5.16).
HttpResponse not_an_envelope() {
  HttpResponse response =
      error_response(415, fail(Errc::unsupported, "only encrypted messages are taken"));
  response.fields.emplace_back("Accept", std::string(kEnvelopeType));
  return response;
}

constexpr std::string_view kAddCheckpoint = "/witness/add-checkpoint";
const std::string kTimePrefix = std::string(ledger::kWitnessTimePath) + "/";
constexpr std::string_view kPlainText = "text/plain; charset=utf-8";

/// C2SP tlog-witness.
unsigned witness_status(Errc code) {
  switch (code) {
    case Errc::not_found:
      return 404;
    case Errc::bad_signature:
      return 403;
    case Errc::bad_proof:
      return 422;
    case Errc::malformed:
    case Errc::limit_exceeded:
      return 400;
    default:
      return 503;
  }
}

/// What to do with an invitation, for someone who opened it in a browser.
constexpr std::string_view kInstructions =
    "This is an invitation to become contacts.\n\n"
    "Copy the whole address and accept it with Kith:\n\n    kith accept 'ADDRESS'\n";

/// The id in a short address: /invitation?_oobid=ID or /invitation/ID.
std::optional<std::string> short_id_in(const HttpRequest& request) {
  constexpr std::string_view kPath = "/invitation/";
  constexpr std::string_view kParameter = "_oobid=";
  if (request.path.starts_with(kPath)) return request.path.substr(kPath.size());
  if (request.path != "/invitation" || !request.query.starts_with(kParameter)) return std::nullopt;
  return request.query.substr(kParameter.size());
}

bool wants_message(const HttpRequest& request) {
  return request.accept.find("application/didcomm-plain+json") != std::string::npos ||
         request.accept.find("application/json") != std::string::npos;
}

unsigned refusal_status(Errc code) {
  if (may_succeed_later(code)) return 503;
  return code == Errc::limit_exceeded ? 413 : 400;
}

}  // namespace

void Reception::handle(HttpRequest request, HttpRespond respond) {
  const std::string target =
      request.query.empty() ? request.path : request.path + "?" + request.query;
  if (services_.ledger && ledger::LedgerService::handles(target)) {
    return services_.ledger({request.method, target, std::string(crypto::as_text(request.body))},
                            [respond = std::move(respond)](const ledger::HttpReply& reply) {
                              auto response = plain_response(static_cast<unsigned>(reply.status),
                                                             reply.content_type, reply.body);
                              if (reply.final)
                                response.fields.emplace_back("Cache-Control", kForEver);
                              respond(std::move(response));
                            });
  }
  if (services_.witness && request.path == kAddCheckpoint) {
    return give_cosignature(request, respond);
  }
  if (services_.witness && request.path.starts_with(kTimePrefix)) {
    return give_time(request, respond);
  }
  if (request.method == "GET" && services_.mediate) {
    if (const auto id = short_id_in(request)) {
      return give_long_form(*id, wants_message(request), respond);
    }
    if (request.path == "/invitation") return give_invitation(respond);
    if (request.query.starts_with("_oob=")) {
      return respond({200, "text/plain; charset=utf-8", crypto::to_bytes(kInstructions), {}});
    }
  }
  if (request.method == "POST") return take_envelope(std::move(request), std::move(respond));
  respond(error_response(404, fail(Errc::not_found)));
}

void Reception::take_envelope(HttpRequest request, HttpRespond respond) {
  if (!is_envelope_type(request.content_type)) return respond(not_an_envelope());
  const std::string channel = answers_.add(std::move(respond));
  events_.submit(EnvelopeArrived{std::move(request.body), channel},
                 Origin{std::move(request.remote_address)},
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

/// One unit of work: the answer leaves when what it says is durable.
void Reception::ask_witness(std::string_view command, JsonObject args, HttpRespond respond,
                            HttpResponse (*answer)(const JsonObject& said)) {
  Command asked{"http-" + crypto::hex(random_.bytes(8)), std::string(command), std::move(args), {}};
  events_.submit(CommandGiven{std::move(asked)},
                 [respond = std::move(respond), answer](const Result<Outcome>& outcome) {
                   if (!outcome.has_value() || !outcome->reply) {
                     return respond(error_response(503, fail(Errc::wrong_state)));
                   }
                   if (!outcome->reply->has_value()) {
                     const Error& error = outcome->reply->error();
                     return respond(error_response(witness_status(error.code), error));
                   }
                   respond(answer(**outcome->reply));
                 });
}

void Reception::give_cosignature(const HttpRequest& request, const HttpRespond& respond) {
  if (request.method != "POST") return respond(error_response(405, fail(Errc::unsupported)));
  if (request.body.size() > ledger::witness_limits::kRequestBytesMax) {
    return respond(error_response(400, fail(Errc::limit_exceeded)));
  }
  ask_witness("witness-cosign", {{"request", crypto::as_text(request.body)}}, respond,
              [](const JsonObject& said) {
                if (const Json* lines = said.if_contains("signatures")) {
                  return plain_response(200, std::string(kPlainText), lines->get_string());
                }
                return plain_response(409, std::string(ledger::kSizeContentType),
                                      said.at("size").get_string());
              });
}

/// Nobody shall keep a copy: the next one is later.
void Reception::give_time(const HttpRequest& request, const HttpRespond& respond) {
  if (request.method != "GET") return respond(error_response(405, fail(Errc::unsupported)));
  const std::string group = stranger_group(request.remote_address);
  if (!group.empty() && !times_.admit(group, read_clocks().steady_ms)) {
    return respond(error_response(429, fail(Errc::busy, "too many questions of one address")));
  }
  const std::string_view asked = std::string_view(request.path).substr(kTimePrefix.size());
  const std::size_t slash = std::min(asked.find('/'), asked.size());
  ask_witness("witness-time",
              {{"subject", asked.substr(0, slash)},
               {"hash", asked.substr(std::min(slash + 1, asked.size()))}},
              respond, [](const JsonObject& said) {
                HttpResponse response = json_response(200, said);
                response.fields.emplace_back("Cache-Control", "no-store");
                return response;
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

/// Nobody shall keep a copy: a short address ends.
void Reception::give_long_form(const std::string& id, bool as_message, const HttpRespond& respond) {
  Command command{"http-" + crypto::hex(random_.bytes(8)), "short-url-get", {{"id", id}}, {}};
  events_.submit(
      CommandGiven{std::move(command)}, [respond, as_message](const Result<Outcome>& outcome) {
        if (!outcome.has_value() || !outcome->reply) {
          return respond(error_response(503, fail(Errc::wrong_state)));
        }
        if (!outcome->reply->has_value()) {
          return respond(error_response(404, outcome->reply->error()));
        }
        const JsonObject& found = **outcome->reply;
        HttpResponse response;
        if (as_message) {
          response = json_response(200, found.at("invitation"));
          response.content_type = "application/didcomm-plain+json";
        } else {
          response.status = 302;
          response.fields.emplace_back("Location", std::string(found.at("url").get_string()));
        }
        response.fields.emplace_back("Cache-Control", "no-store");
        respond(std::move(response));
      });
}

}  // namespace kith::node
