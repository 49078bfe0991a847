#include "node/runtime/alert_desk.hpp"

#include <algorithm>
#include <utility>

#include "node/runtime/system_clock.hpp"

namespace kith::node {
namespace {

constexpr const char* kJournalPlace = "journal";
/// RFC 5424's "notice", and a message that names itself.
constexpr const char* kJournalTest =
    "MESSAGE=This is a test of kith alerts\nPRIORITY=5\nSYSLOG_IDENTIFIER=kith\n"
    "KITH_AUDIT_EVENT=test\n";

}  // namespace

Result<std::unique_ptr<AlertDesk>> AlertDesk::open(boost::asio::io_context& io,
                                                   protocol::Store& store,
                                                   const AuditOutlets& outlets,
                                                   AlertSinks::Notice notice) {
  CHECK(check_outlets(outlets));
  std::unique_ptr<AlertDesk> desk(new AlertDesk(io, outlets, std::move(notice)));
  if (outlets.journal.empty() && !any_alert(outlets.alerts)) return desk;
  TRY(desk->watch_,
      AuditWatch::start(io, store, [raw = desk.get()](const protocol::AuditEntry& entry) {
        raw->on_entry(entry);
      }));
  return desk;
}

AlertDesk::AlertDesk(boost::asio::io_context& io, const AuditOutlets& outlets,
                     AlertSinks::Notice notice)
    : outlets_(outlets), rules_(outlets.alerts), sinks_(io, outlets.alerts, std::move(notice)) {}

void AlertDesk::on_entry(const protocol::AuditEntry& entry) {
  if (!outlets_.journal.empty()) send_to_journal(outlets_.journal, journal_fields(entry));
  const auto alert = rules_.judge(entry);
  if (alert) sinks_.deliver(*alert, [](const std::string&, const std::string&) {});
}

Result<JsonObject> AlertDesk::test() {
  if (watch_ == nullptr) return status();
  deliveries_.clear();
  const std::uint64_t number = ++tests_;
  if (!outlets_.journal.empty()) {
    const bool sent = send_to_journal(outlets_.journal, kJournalTest);
    deliveries_.push_back({kJournalPlace, sent ? "ok" : "failed", sent ? "" : "nobody takes it"});
  }
  Alert alert;
  alert.kind = "test";
  alert.text = "This is a test: alerts of this node arrive here.";
  alert.event = "test";
  alert.time = Time{Duration{read_clocks().wall_ms}};
  alert.to = alert_places(outlets_.alerts);
  for (const std::string& place : alert.to) deliveries_.push_back({place, "waiting", {}});
  sinks_.deliver(alert, [this, number](const std::string& place, const std::string& problem) {
    if (number != tests_) return;  // Another test was begun.
    const auto row = std::ranges::find(deliveries_, place, &Delivery::place);
    row->state = problem.empty() ? "ok" : "failed";
    row->problem = problem;
  });
  return status();
}

Result<JsonObject> AlertDesk::status() const {
  if (watch_ == nullptr) {
    return fail(Errc::wrong_state,
                "no alerts are configured: see [alerts] in kith.toml, and restart the node");
  }
  JsonArray places;
  bool waiting = false;
  for (const Delivery& delivery : deliveries_) {
    JsonObject row{{"place", delivery.place}, {"state", delivery.state}};
    if (!delivery.problem.empty()) row["problem"] = delivery.problem;
    waiting = waiting || delivery.state == "waiting";
    places.push_back(std::move(row));
  }
  return JsonObject{{"places", std::move(places)}, {"waiting", waiting}};
}

void AlertDesk::add_to(CommandDesk& desk) {
  desk.add("alerts-test", [this](const JsonObject&) { return test(); });
  desk.add("alerts-status", [this](const JsonObject&) { return status(); });
}

}  // namespace kith::node
