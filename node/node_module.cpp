#include "node/node_module.hpp"

#include <algorithm>

#include "ledger/connection.hpp"
#include "node/audit_anchoring.hpp"
#include "node/audit_file.hpp"
#include "node/key_module.hpp"
#include "node/watch_limits.hpp"
#include "protocol/audit_log.hpp"
#include "protocol/contact.hpp"
#include "protocol/freeze.hpp"
#include "protocol/own_service.hpp"

namespace kith::node {
namespace {

using protocol::AuditEntry;
using protocol::AuditHead;
using protocol::Notice;

constexpr std::size_t kAuditShownMax = 1000;
constexpr std::size_t kAuditShownDefault = 50;

/// The unit's records as a Store, for the check of the audit log; it cannot write.
class HostReader final : public protocol::Store {
 public:
  explicit HostReader(Host& host) : host_(host) {}
  Result<std::optional<Bytes>> get(const protocol::RecordKey& key) override {
    return host_.get(key);
  }
  Result<std::vector<std::string>> list(std::string_view collection) override {
    return host_.list(collection);
  }
  Result<void> commit(const protocol::Batch&) override {
    return fail(Errc::refused, "this view only reads");
  }

 private:
  Host& host_;
};

/// Record meta/program: which one started last.
struct ProgramSeen {
  std::string version;
  std::string sha256;
  template <class V>
  void visit(V& v) {
    v("version", version), v("sha256", sha256);
  }
};

void note_program(Host& host, const NodeConfig& config) {
  if (config.program_digest.empty()) return;
  const auto before = load<ProgramSeen>(host, "meta", "program");
  if (before && before->sha256 == config.program_digest) return;
  save(host, "meta", "program", ProgramSeen{config.version, config.program_digest});
  JsonObject details{{"version", config.version}, {"sha256", config.program_digest}};
  if (before) {
    details["version_before"] = before->version;
    details["sha256_before"] = before->sha256;
  }
  host.audit("program.changed", std::move(details));
}

/// Record meta/keystore-mark: with which one the node started last.
struct KeystoreSeen {
  std::string mark;
  template <class V>
  void visit(V& v) {
    v("mark", mark);
  }
};

/// The first one is no change.
void note_keystore(Host& host, const NodeConfig& config) {
  if (config.keystore_mark.empty()) return;
  const auto before = load<KeystoreSeen>(host, "meta", "keystore-mark");
  if (before && before->mark == config.keystore_mark) return;
  save(host, "meta", "keystore-mark", KeystoreSeen{config.keystore_mark});
  if (before) host.audit("keystore.changed", {});
}

/// A mediator keeps this record itself: a new address means a new routing DID.
void note_address(Host& host, const NodeConfig& config) {
  if (config.mediate || config.public_url.empty()) return;
  const auto old = load<protocol::PublicUrl>(host, "meta", "public-url");
  if (old && old->url == config.public_url) return;
  save(host, "meta", "public-url", protocol::PublicUrl{config.public_url});
  if (old) host.set_timer(protocol::kAddressModule, protocol::kAddressTimer, host.now());
}

JsonObject show_notices(Host& host) {
  JsonArray notices;
  for (const std::string& id : host.list("notice")) {
    const auto notice = load<Notice>(host, "notice", id);
    notices.push_back(JsonObject{{"id", id},
                                 {"kind", notice->kind},
                                 {"text", notice->text},
                                 {"subject", notice->subject},
                                 {"time", protocol::utc_text(notice->time)}});
  }
  return {{"notices", std::move(notices)}};
}

Result<JsonObject> clear_notices(Host& host, const JsonObject& args) {
  TRY(const auto only, crypto::json_optional_string(args, "id"));
  std::int64_t cleared = 0;
  for (const std::string& id : host.list("notice")) {
    if (only && id != *only) continue;
    host.erase({"notice", id});
    ++cleared;
  }
  if (only && cleared == 0) return fail(Errc::not_found, "no notice has that id");
  return JsonObject{{"cleared", cleared}};
}

Result<JsonObject> show_audit(Host& host, const JsonObject& args) {
  TRY(const auto wanted, crypto::json_optional_int(args, "last"));
  if (wanted && *wanted < 1) return fail(Errc::usage, "`last` counts entries, from 1");
  const std::size_t last =
      std::min(wanted ? static_cast<std::size_t>(*wanted) : kAuditShownDefault, kAuditShownMax);
  std::vector<std::string> ids = host.list("audit");
  if (ids.size() > last) ids.erase(ids.begin(), ids.end() - static_cast<std::ptrdiff_t>(last));
  JsonArray entries;
  for (const std::string& id : ids) {
    const auto entry = load<AuditEntry>(host, "audit", id);
    entries.push_back(JsonObject{{"n", entry->n},
                                 {"time", protocol::utc_text(entry->time)},
                                 {"event", entry->event},
                                 {"details", entry->details}});
  }
  return JsonObject{{"entries", std::move(entries)}};
}

/// Against a checkpoint that was kept elsewhere.
Result<void> compare_with_checkpoint(Host& host, const JsonObject& args) {
  const Json* given = args.if_contains("checkpoint");
  if (given == nullptr) return {};
  TRY(const JsonObject* object, crypto::as_object(*given, "checkpoint"));
  TRY(const auto checkpoint, protocol::decode_body<AuditCheckpoint>(*object));
  return check_audit_checkpoint(host, checkpoint);
}

Result<JsonObject> note_wrong_passphrase(Host& host, const JsonObject& args) {
  TRY(const auto tries, crypto::json_optional_int(args, "tries"));
  const auto most = static_cast<std::int64_t>(watch_limits::kTriesMax);
  host.audit(kWrongPassphraseEvent,
             {{"tries", std::clamp<std::int64_t>(tries.value_or(1), 1, most)}});
  return JsonObject{};
}

Result<JsonObject> show_alert(Host& host, const JsonObject& args) {
  TRY(const std::string kind, crypto::json_string(args, "kind"));
  TRY(const std::string text, crypto::json_string(args, "text"));
  host.notify({"alert", text, kind, {}});
  return JsonObject{};
}

Result<JsonObject> export_audit(Host& host, const JsonObject& args) {
  TRY(const auto from, crypto::json_optional_int(args, "from"));
  if (from && *from < 0) return fail(Errc::usage, "`from` counts entries, from 0");
  return audit_page(host, static_cast<std::uint64_t>(from.value_or(0)));
}

Result<JsonObject> sign_checkpoint(Host& host) {
  TRY(const AuditCheckpoint checkpoint, make_audit_checkpoint(host));
  return protocol::encode_body(checkpoint);
}

Result<JsonObject> verify_audit(Host& host, const JsonObject& args) {
  CHECK(compare_with_checkpoint(host, args));
  const auto head = load<AuditHead>(host, "meta", "audit");
  if (!head) {
    if (!host.list("audit").empty()) return fail(Errc::audit_broken, "its head is missing");
    return JsonObject{{"entries", 0}};
  }
  HostReader reader(host);
  TRY(const std::uint64_t entries, protocol::verify_audit_log(reader, *head));
  JsonObject reply{{"entries", entries}};
  CHECK(check_anchors(host, *head, reply));
  return reply;
}

Result<JsonObject> set_profile(Host& host, const JsonObject& args) {
  TRY(const std::string name, crypto::json_string(args, "name"));
  if (name.empty() || name.size() > limits::kNameCharsMax) {
    return fail(Errc::usage, "a name has 1 to " + std::to_string(limits::kNameCharsMax) + " bytes");
  }
  const bool has_control = std::ranges::any_of(
      name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (has_control) return fail(Errc::usage, "a name holds no control characters");
  save(host, "meta", "profile", ledger::Profile{name});
  return JsonObject{{"name", name}};
}

}  // namespace

std::vector<std::string> NodeModule::commands() const {
  return {"status",      "notices",          "notices-clear", "audit-show",      "audit-verify",
          "audit-page",  "audit-checkpoint", "audit-anchor",  "audit-look",      "audit-looked",
          "profile-set", "version",          "alert-notice",  "passphrase-wrong"};
}

bool NodeModule::only_reads(std::string_view what) const {
  return what != "notices-clear" && what != "profile-set" && what != "audit-anchor" &&
         what != "audit-look";
}

JsonObject NodeModule::status(Host& host) const {
  JsonObject status{{"version", config_.version},
                    {"test", config_.test_mode},
                    {"passphrase", config_.has_passphrase},
                    {"private_network", config_.private_network}};
  if (const auto profile = load<ledger::Profile>(host, "meta", "profile")) {
    status["name"] = profile->name;
  }
  if (const auto url = load<protocol::PublicUrl>(host, "meta", "public-url")) {
    status["public_url"] = url->url;
  }
  if (const auto grant = protocol::mediator_grant(host)) {
    status["mediator"] = JsonObject{
        {"contact", grant->contact_id}, {"uri", grant->uri}, {"routing_did", grant->routing_did}};
    status["mail_registered"] = protocol::all_registered(host);
    status["mail_live"] = protocol::receives_live(host);
  }
  if (const auto freeze = protocol::find_freeze(host); freeze && freeze->frozen) {
    JsonObject frozen{{"since", protocol::utc_text(freeze->since)}};
    if (!freeze->reason.empty()) frozen["reason"] = freeze->reason;
    if (!freeze->by.empty()) frozen["by"] = freeze->by;
    status["frozen"] = std::move(frozen);
  }
  const auto contacts = protocol::list_contacts(host);
  const auto connected = std::ranges::count_if(
      contacts, [](const Contact& contact) { return contact.state == ContactState::connected; });
  status["contacts"] = contacts.size();
  status["connected"] = connected;
  status["open_effects"] = host.list("effect").size();
  const auto head = load<AuditHead>(host, "meta", "audit");
  status["audit_entries"] = head ? head->count : 0;
  status["notices"] = host.list("notice").size();
  if (const auto review = key_review(host)) {
    status["keys_overdue"] = static_cast<std::int64_t>(review->overdue);
    status["keys_due_soon"] = static_cast<std::int64_t>(review->due_soon);
  }
  return status;
}

Result<JsonObject> NodeModule::on_command(Host& host, const Command& command) {
  if (command.name == "status") return status(host);
  if (command.name == "notices") return show_notices(host);
  if (command.name == "notices-clear") return clear_notices(host, command.args);
  if (command.name == "audit-show") return show_audit(host, command.args);
  if (command.name == "audit-verify") return verify_audit(host, command.args);
  if (command.name == "passphrase-wrong") return note_wrong_passphrase(host, command.args);
  if (command.name == "alert-notice") return show_alert(host, command.args);
  if (command.name == "audit-page") return export_audit(host, command.args);
  if (command.name == "audit-checkpoint") return sign_checkpoint(host);
  if (command.name == "audit-anchor") return anchor_audit(host);
  if (command.name == "audit-look") return look_for_anchors(host);
  if (command.name == "audit-looked") return looked_for_anchors(host);
  if (command.name == "profile-set") return set_profile(host, command.args);
  return JsonObject{{"version", config_.version}};
}

void NodeModule::on_start(Host& host) {
  note_program(host, config_);
  note_keystore(host, config_);
  note_address(host, config_);
}

}  // namespace kith::node
