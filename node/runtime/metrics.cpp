#include "node/runtime/metrics.hpp"

#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <fstream>

#include "node/version.hpp"

namespace kith::node {
namespace {

/// Bytes in memory, as /proc counts them; 0 where it does not.
std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size_pages = 0;
  std::uint64_t resident_pages = 0;
  if (!(statm >> size_pages >> resident_pages)) return 0;
  const long page_bytes = ::sysconf(_SC_PAGESIZE);
  return page_bytes > 0 ? resident_pages * static_cast<std::uint64_t>(page_bytes) : 0;
}

Metric gauge(std::string_view name, std::string_view help, std::uint64_t value) {
  return {name, help, false, {{"", value}}};
}
Metric counter(std::string_view name, std::string_view help, std::uint64_t value) {
  return {name, help, true, {{"", value}}};
}

}  // namespace

std::vector<Metric> metrics_of(const NodeNumbers& numbers) {
  std::vector<Metric> all{
      {"kith_build_info",
       "The version, as a label; always 1.",
       false,
       {{"{version=\"" + std::string(kVersion) + "\"}", 1}}},
      {"kith_envelopes_total",
       "Envelopes that arrived, by what became of them.",
       true,
       {{"{outcome=\"taken\"}", numbers.events.envelopes - numbers.events.refused},
        {"{outcome=\"refused\"}", numbers.events.refused}}},
      counter("kith_commands_total", "Commands of the node's user.", numbers.events.commands),
      counter("kith_effects_total", "Sends, fetches and ledger requests begun.",
              numbers.events.effects),
      gauge("kith_effects_open", "1 while a send, fetch or ledger request is open.",
            numbers.open_effects),
      gauge("kith_http_connections", "Open connections of the listener.", numbers.connections),
      gauge("kith_waiting_answers", "Requests whose answer is being made.",
            numbers.waiting_answers),
      gauge("process_resident_memory_bytes", "Resident memory.", resident_bytes())};
  if (!numbers.mediates) return all;
  all.push_back(gauge("kith_mail_clients", "Clients of this mediator.", numbers.mail.clients));
  all.push_back(gauge("kith_mail_messages", "Messages in all mailboxes.", numbers.mail.messages));
  all.push_back(gauge("kith_mail_bytes", "Bytes in all mailboxes.", numbers.mail.bytes));
  all.push_back(gauge("kith_mail_dids", "DIDs of all clients.", numbers.mail.dids));
  all.push_back({"kith_mail_quota",
                 "What all clients together may use.",
                 false,
                 {{"{of=\"clients\"}", numbers.policy.clients_max},
                  {"{of=\"messages\"}", numbers.policy.total.messages},
                  {"{of=\"bytes\"}", numbers.policy.total.bytes},
                  {"{of=\"dids\"}", numbers.policy.total.dids}}});
  return all;
}

std::string prometheus_text(const std::vector<Metric>& metrics) {
  std::string text;
  for (const Metric& metric : metrics) {
    const std::string name(metric.name);
    text += "# HELP " + name + " " + std::string(metric.help) + "\n";
    text += "# TYPE " + name + (metric.is_counter ? " counter\n" : " gauge\n");
    for (const MetricSample& sample : metric.samples) {
      text += name + sample.labels + " " + std::to_string(sample.value) + "\n";
    }
  }
  return text;
}

Result<ListenAddress> parse_metrics_listen(const std::string& text) {
  TRY(ListenAddress address, parse_listen(text));
  boost::system::error_code error;
  const auto parsed = boost::asio::ip::make_address(address.host, error);
  if (error || !parsed.is_loopback()) {
    return fail(Errc::usage, "metrics are shown to this machine alone: 127.0.0.1 or [::1]");
  }
  return address;
}

}  // namespace kith::node
