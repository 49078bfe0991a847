#include <algorithm>

#include "node/runtime/config_file.hpp"

namespace kith::node {
namespace {

using Options = RuntimeOptions;
using Mediation = protocol::MediationPolicy;
using Quota = protocol::MailQuota;

constexpr std::int64_t kBillion = 1'000'000'000;
constexpr std::int64_t kTebibyte = std::int64_t{1} << 40U;

constexpr std::string_view kOpen = "open";
constexpr std::string_view kInvited = "invited";
constexpr std::string_view kAllowList = "allow-list";

std::string word_of(protocol::Admission admission) {
  switch (admission) {
    case protocol::Admission::open:
      return std::string(kOpen);
    case protocol::Admission::invited:
      return std::string(kInvited);
    case protocol::Admission::allow_list:
      return std::string(kAllowList);
  }
  return {};
}

protocol::Admission admission_of(std::string_view word) {
  if (word == kInvited) return protocol::Admission::invited;
  return word == kAllowList ? protocol::Admission::allow_list : protocol::Admission::open;
}

// A reader and a writer for each way in which an option lies in RuntimeOptions. The kind was
// checked before `set` is called.

template <auto Member>
ConfigOption plain(std::string_view name, std::string_view flag, std::string_view help) {
  using T = std::remove_reference_t<decltype(std::declval<Options&>().*Member)>;
  return {name,
          flag,
          help,
          0,
          0,
          {},
          [](const Options& from) { return ConfigValue(from.*Member); },
          [](Options& into, const ConfigValue& value) { into.*Member = std::get<T>(value); }};
}

/// `Path`: the members that lead to the number.
template <auto... Path>
ConfigOption whole_number(std::string_view name, std::int64_t most, std::string_view help,
                          std::int64_t least = 1) {
  return {
      name,
      "",
      help,
      least,
      most,
      {},
      [](const Options& from) { return ConfigValue(static_cast<std::int64_t>((from.*....*Path))); },
      [](Options& into, const ConfigValue& value) {
        auto& number = (into.*....*Path);
        number =
            static_cast<std::remove_reference_t<decltype(number)>>(std::get<std::int64_t>(value));
      }};
}

/// A text or a list of texts further inside.
template <auto... Path>
ConfigOption inner(std::string_view name, std::string_view help) {
  using T = std::remove_reference_t<decltype((std::declval<Options&>().*....*Path))>;
  return {name,
          "",
          help,
          0,
          0,
          {},
          [](const Options& from) { return ConfigValue((from.*....*Path)); },
          [](Options& into, const ConfigValue& value) { (into.*....*Path) = std::get<T>(value); }};
}

template <auto Rule>
ConfigOption alert_rule(std::string_view name, std::string_view help) {
  return inner<&Options::outlets, &AuditOutlets::alerts, Rule>(name, help);
}

std::vector<ConfigOption> alert_options() {
  return {
      alert_rule<&AlertOptions::failed_unlocks>(
          "alerts.failed_unlocks",
          "Wrong passphrases, `alerts.unlock_tries` of them within ten minutes. Each rule lists "
          "where its alerts go: `notice` (`kith status`), `command`, `webhook`; none: nowhere"),
      alert_rule<&AlertOptions::recovery_request>(
          "alerts.recovery_request",
          "Somebody asks for a recovery: of your identity, or with your help"),
      alert_rule<&AlertOptions::new_agent>("alerts.new_agent", "Your identity has one more device"),
      alert_rule<&AlertOptions::heartbeat_loss>("alerts.heartbeat_loss",
                                                "A trustee gives no sign of life any more"),
      alert_rule<&AlertOptions::checkpoint_conflict>(
          "alerts.checkpoint_conflict",
          "A ledger shows a past that does not fit what it showed before"),
      alert_rule<&AlertOptions::command>(
          "alerts.command",
          "Program with its whole path, and arguments: started without a shell, with an alert as a "
          "line of JSON on its input. One at a time, for 30 s at most"),
      alert_rule<&AlertOptions::webhook>(
          "alerts.webhook",
          "Alerts are posted here as JSON; only an address of this machine is taken "
          "(http://127.0.0.1:PORT/PATH)"),
      whole_number<&Options::outlets, &AuditOutlets::alerts, &AlertOptions::unlock_tries>(
          "alerts.unlock_tries", 100, "So many wrong passphrases are an alert"),
      whole_number<&Options::outlets, &AuditOutlets::alerts, &AlertOptions::per_hour>(
          "alerts.per_hour", 1000,
          "Alerts of one rule within an hour; the next one says how many were left out"),
      inner<&Options::outlets, &AuditOutlets::journal>(
          "audit.journal",
          "Hand new entries of the audit log to the journal that listens at this socket "
          "(`/run/systemd/journal/socket`); empty: none"),
  };
}

ConfigOption admission_option() {
  return {"mediator.admission",
          "",
          "Who may become a client: `open`: everybody; `invited`: who answers an invitation made "
          "with `kith invite --client`; `allow-list`: whose DID is in `mediator.allow`. Clients "
          "from before stay under `invited`, and leave under `allow-list`",
          0,
          0,
          {kOpen, kInvited, kAllowList},
          [](const Options& from) { return ConfigValue(word_of(from.mediation.admission)); },
          [](Options& into, const ConfigValue& value) {
            into.mediation.admission = admission_of(std::get<std::string>(value));
          }};
}

ConfigOption allow_option() {
  return {"mediator.allow",
          "",
          "DIDs of the clients, for `allow-list`. Who is refused is told the DID to list",
          0,
          0,
          {},
          [](const Options& from) { return ConfigValue(from.mediation.allowed); },
          [](Options& into, const ConfigValue& value) {
            into.mediation.allowed = std::get<std::vector<std::string>>(value);
          }};
}

ConfigOption relay_delay_option() {
  return {"mediator.relay_delay_ms",
          "--relay-delay-ms",
          "All mail waits a random time up to so many milliseconds before its recipient gets it; "
          "0: none",
          0,
          Duration{limits::kOwnRelayDelayMax}.count(),
          {},
          [](const Options& from) { return ConfigValue(from.mediation.relay_delay_ms); },
          [](Options& into, const ConfigValue& value) {
            into.mediation.relay_delay_ms = std::get<std::int64_t>(value);
          }};
}

ConfigOption rewrap_option() {
  return {
      "mediator.rewrap",
      "",
      "Wrap all mail in a fresh forward to its receiver. Every client must be able to open that",
      0,
      0,
      {},
      [](const Options& from) { return ConfigValue(from.mediation.rewrap); },
      [](Options& into, const ConfigValue& value) {
        into.mediation.rewrap = std::get<bool>(value);
      }};
}

ConfigOption require_proof_option() {
  return {"mediator.require_proof",
          "",
          "Take new DIDs of clients only with a proof that they are theirs. Kith proves all of its "
          "own; other agents cannot. What was registered before stays",
          0,
          0,
          {},
          [](const Options& from) { return ConfigValue(from.mediation.require_proof); },
          [](Options& into, const ConfigValue& value) {
            into.mediation.require_proof = std::get<bool>(value);
          }};
}

std::vector<ConfigOption> make_options() {
  return {
      plain<&Options::listen>("node.listen", "--listen",
                              "Listen on this ADDRESS:PORT (port 0: any free one); empty: nowhere"),
      plain<&Options::public_url>("node.public_url", "--public-url",
                                  "Where others reach the listener; empty: the listen address"),
      plain<&Options::private_network>("node.private_network", "--private-network",
                                       "Allow addresses of this machine and its network"),
      whole_number<&Options::auto_lock_s>(
          "node.auto_lock_s", std::chrono::seconds{limits::kAutoLockMax}.count(),
          "Lock the node (`kith lock`) after so many seconds without a command; 0: never", 0),
      plain<&Options::readers_socket>(
          "node.readers_socket", "",
          "A socket at this path through which others, auditors for example, may read what "
          "`kith --reader` lists and nothing else: whoever its group (mode 0660) and its directory "
          "let in. The directory is there, and nobody but its owner may write to it; empty: none"),
      plain<&Options::ledger_serve>("node.ledger_serve", "--ledger-serve",
                                    "Serve this home's ledger to others"),
      plain<&Options::witness>("node.witness", "--witness",
                               "Cosign checkpoints of the ledgers that this node was told to watch "
                               "(`kith ledger witness`)"),
      plain<&Options::mediate>("mediator.enabled", "--mediate",
                               "Relay mail and keep backups for others"),
      admission_option(),
      allow_option(),
      require_proof_option(),
      whole_number<&Options::mediation, &Mediation::clients_max>(
          "mediator.clients_max", 1'000'000, "Clients that may be served at the same time"),
      whole_number<&Options::mediation, &Mediation::mail_days>(
          "mediator.mail_days", 365, "Days after which mail that nobody fetched is dropped"),
      whole_number<&Options::mediation, &Mediation::client, &Quota::messages>(
          "mediator.client.messages", 100'000, "Messages in one client's mailbox"),
      whole_number<&Options::mediation, &Mediation::client, &Quota::bytes>(
          "mediator.client.bytes", kTebibyte, "Bytes in one client's mailbox"),
      whole_number<&Options::mediation, &Mediation::client, &Quota::dids>(
          "mediator.client.dids", 100'000, "DIDs that one client may register"),
      whole_number<&Options::mediation, &Mediation::total, &Quota::messages>(
          "mediator.total.messages", kBillion, "Messages in all mailboxes"),
      whole_number<&Options::mediation, &Mediation::total, &Quota::bytes>(
          "mediator.total.bytes", 1024 * kTebibyte, "Bytes in all mailboxes"),
      whole_number<&Options::mediation, &Mediation::total, &Quota::dids>(
          "mediator.total.dids", kBillion, "DIDs of all clients"),
      relay_delay_option(),
      rewrap_option(),
      plain<&Options::tls_certificate>(
          "tls.certificate", "--tls-cert",
          "PEM file of the certificate with its chain: the listener speaks TLS 1.3 alone; empty: "
          "no TLS"),
      plain<&Options::tls_key>("tls.key", "--tls-key", "PEM file of its private key"),
      plain<&Options::tls_ca>("tls.ca", "--tls-ca",
                              "PEM file of further CAs to trust when connecting; empty: ca.pem in "
                              "the home, if there"),
      plain<&Options::ledger_login>(
          "ledger.login", "--ledger-login",
          "File of one line, etcds://NAME:PASSWORD@HOST,...: how this node logs in at a ledger in "
          "etcd. What it says is kept, sealed, in the home; empty: what was kept"),
      plain<&Options::ledger_replica_of>(
          "ledger.replica_of", "--replica-of",
          "Keep a whole copy of the ledger at this address, and serve that instead of this home's "
          "own; empty: none"),
      plain<&Options::ledger_witnesses>(
          "ledger.witnesses", "",
          "Witnesses of this home's ledger, each \"VERIFIER-KEY ADDRESS\" as their operators give "
          "them (`kith ledger witness`). Chosen while the ledger is empty; then only addresses may "
          "change"),
      whole_number<&Options::ledger_witnesses_needed>(
          "ledger.witnesses_needed", limits::kLedgerWitnessesMax,
          "How many of `ledger.witnesses` must have signed; 0: more than half", 0),
      plain<&Options::metrics_listen>(
          "metrics.listen", "--metrics-listen",
          "Numbers for Prometheus at http://ADDRESS:PORT/metrics; only an address of this machine "
          "(127.0.0.1 or [::1]) is taken; empty: none"),
      plain<&Options::keep_agreements>(
          "node.keep_agreements", "",
          "Keep the half of a key agreement that is the same for every message between two keys, "
          "in "
          "locked memory, for the 256 pairs used last; without it a message costs half as much "
          "computing again"),
      whole_number<&Options::stop_grace_s>(
          "node.stop_grace_s", 600,
          "Seconds that answers under way have when the node is told to stop; a second signal ends "
          "it at once"),
      whole_number<&Options::connections_per_address>(
          "node.connections_per_address", 4096,
          "Connections at a time from one IPv4 address or one /64 of IPv6; loopback "
          "addresses are not counted"),
      whole_number<&Options::new_connections_per_minute>(
          "node.new_connections_per_minute", 100'000,
          "New connections a minute from one such address"),
  };  // namespace
}  // namespace kith::node

std::string kind_text(const ConfigOption& option) {
  const ConfigValue standard = option.get(RuntimeOptions{});
  if (std::holds_alternative<bool>(standard)) return "true or false";
  if (std::holds_alternative<std::int64_t>(standard)) {
    return "number, " + std::to_string(option.least) + " to " + std::to_string(option.most);
  }
  if (std::holds_alternative<std::string>(standard)) {
    if (option.choices.empty()) return "text";
    std::string text;
    for (const std::string_view choice : option.choices) {
      text += (text.empty() ? "`" : ", `") + std::string(choice) + "`";
    }
    return text;
  }
  return "list of texts";
}

std::string toml_text(const ConfigValue& value) {
  if (const bool* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
  if (const auto* text = std::get_if<std::string>(&value)) return '"' + *text + '"';
  return "[]";  // No list has a default.
}

}  // namespace

const std::vector<ConfigOption>& config_options() {
  static const std::vector<ConfigOption> kOptions = [] {
    std::vector<ConfigOption> all = make_options();
    for (ConfigOption& option : alert_options()) all.push_back(std::move(option));
    return all;
  }();
  return kOptions;
}

std::string config_page() {
  std::string page =
      "# Configuration\n\n"
      "`kith run` reads `kith.toml` in the node's home, or the file that `--config FILE` names. "
      "The\n"
      "file is optional, and so is everything in it. Flags of the command line win over it. An\n"
      "unknown name, a value of the wrong kind or out of its range is refused, with its line.\n"
      "`metrics` counts things, never people; [Running a mediator](running-a-mediator.md) says how "
      "the\nquotas play together.\n\n"
      "| Option | Flag | Kind | Default | Meaning |\n|---|---|---|---|---|\n";
  for (const ConfigOption& option : config_options()) {
    page += "| `" + std::string(option.name) + "` | ";
    page += option.flag.empty() ? "" : "`" + std::string(option.flag) + "`";
    page += " | " + kind_text(option) + " | `" + toml_text(option.get(RuntimeOptions{})) + "` | " +
            std::string(option.help) + ". |\n";
  }
  page += "\nThe same as a file, with every default:\n\n```toml\n";
  // Grouped by table: TOML forbids opening one twice.
  std::vector<std::string> tables;
  for (const ConfigOption& option : config_options()) {
    const std::string table(option.name.substr(0, option.name.rfind('.')));
    if (std::ranges::find(tables, table) == tables.end()) tables.push_back(table);
  }
  for (const std::string& table : tables) {
    page += (table == tables.front() ? "[" : "\n[") + table + "]\n";
    for (const ConfigOption& option : config_options()) {
      const std::size_t dot = option.name.rfind('.');
      if (option.name.substr(0, dot) != table) continue;
      page += std::string(option.name.substr(dot + 1)) + " = " +
              toml_text(option.get(RuntimeOptions{})) + "\n";
    }
  }
  return page + "```\n";
}

}  // namespace kith::node
