#include "recovery/portable_module.hpp"

#include <algorithm>

#include "crypto/assert.hpp"
#include "ledger/connection.hpp"
#include "ledger/descriptor.hpp"
#include "ledger/identity.hpp"
#include "ledger/policy.hpp"
#include "protocol/audit_log.hpp"
#include "protocol/vault.hpp"
#include "recovery/finish_steps.hpp"
#include "recovery/own_agents.hpp"
#include "recovery/portable_file.hpp"
#include "recovery/portable_limits.hpp"
#include "recovery/rotation.hpp"
#include "recovery/trustee_share.hpp"
#include "recovery/wallet_backup.hpp"

namespace kith::recovery {
namespace {

/// Parts on their way, by number; of a file that is being written or read.
constexpr std::string_view kParts = "portable-part";

/// A part as a record of its own.
struct PortablePart {
  Bytes data;
  template <class V>
  void visit(V& v) {
    v("data", data);
  }
};

std::string part_id(std::size_t part) {
  return protocol::numbered_id(part);
}

void forget_parts(Host& host) {
  for (const std::string& id : host.list(kParts)) host.erase({std::string(kParts), id});
}

Result<Bytes> bytes_argument(const JsonObject& args, std::string_view member) {
  TRY(const std::string text, crypto::json_string(args, member));
  return crypto::from_base64url(text);
}

Result<std::size_t> part_argument(const JsonObject& args) {
  TRY(const std::int64_t part, crypto::json_int(args, "part"));
  if (part < 0 || part >= static_cast<std::int64_t>(portable_limits::kPartsMax)) {
    return fail(Errc::limit_exceeded, "an exported wallet has no such part");
  }
  return static_cast<std::size_t>(part);
}

JsonArray as_json(const std::vector<std::string>& texts) {
  JsonArray list;
  for (const std::string& text : texts) list.emplace_back(boost::json::string(text));
  return list;
}

/// What the file says of the people in it.
struct People {
  std::int64_t contacts = 0;             ///< Who will hear of the new keys.
  std::vector<std::string> trustee_for;  ///< Who counts on a share in this home.
  std::vector<std::string> left_behind;  ///< Whose connection has no log, so no new keys.
};

bool holds_share(Host& host, const Contact& contact) {
  const auto trusteeship = find_trusteeship(host, contact.id);
  return trusteeship && std::ranges::any_of(trusteeship->versions, [](const HeldVersion& version) {
           return version.state != HeldState::prepared;
         });
}

People people_of(Host& host) {
  People people;
  for (const Contact& contact : protocol::list_contacts(host)) {
    if (holds_share(host, contact)) people.trustee_for.push_back(contact.name);
    if (contact.state != ContactState::connected || contact.role != ContactRole::person) continue;
    if (contact.my_did.starts_with(ledger::kDidPrefix)) {
      ++people.contacts;
    } else {
      people.left_behind.push_back(contact.name);
    }
  }
  return people;
}

Result<ledger::Identity> movable_identity(Host& host) {
  auto own = ledger::identity(host);
  if (!own) {
    return fail(Errc::wrong_state,
                "this home has no identity: to move a mediator or ledger host, stop it and copy "
                "its directory (docs/running-a-mediator.md)");
  }
  if (ledger::is_home_ledger(own->ledger_url)) {
    return fail(Errc::wrong_state,
                "your identity is published in this home alone: move it to a ledger that the new "
                "home reaches first, with `kith ledger move`");
  }
  const auto job = finish_job(host);
  if (rotation_runs(host) || (job && job->step < FinishStep::close)) {
    return fail(Errc::wrong_state, "keys are being replaced just now: wait until that is done");
  }
  return std::move(*own);
}

Result<void> nobody_is_let_down(const People& people, std::size_t devices, bool moves) {
  if (devices > 1) {
    return fail(Errc::refused,
                "you have other devices, and whoever imports this file takes them out: add the new "
                "one with `kith agent add` instead, or say --anyway");
  }
  if (!moves || people.trustee_for.empty()) return {};
  const std::size_t count = people.trustee_for.size();
  return fail(Errc::refused,
              std::to_string(count) + (count == 1 ? " person counts" : " people count") +
                  " on this device for their recovery, and their shares stay with it. Let them "
                  "choose somebody else first, or say --anyway");
}

JsonObject manifest_of(Host& host, const ledger::Identity& own, const People& people,
                       const JsonObject& args, bool moves) {
  JsonObject manifest{{"format", 1},
                      {"name", own.name},
                      {"did", own.did},
                      {"policy", own.policy},
                      {"created", protocol::utc_text(host.now())},
                      {"program", crypto::json_text_of(args, "program")},
                      {"test", host.test_mode()},
                      {"moved", moves},
                      {"contacts", people.contacts},
                      {"trustee_for", as_json(people.trustee_for)},
                      {"left_behind", as_json(people.left_behind)}};
  if (args.contains("private_network")) {
    manifest["private_network"] = crypto::json_true(args, "private_network");
  }
  if (args.contains("settings")) manifest["settings"] = crypto::json_text_of(args, "settings");
  return manifest;
}

/// The file without its header: capsule, then the backup's records.
Result<std::vector<Bytes>> seal_file(Host& host, const SealedKey& vault, const SecretPoint& key,
                                     ByteView header, JsonObject manifest) {
  TRY(const KeyPair agent, ledger::own_agent_key(host));
  const SetId set_id = portable_set_id(header);
  TRY(Bytes capsule,
      make_capsule(key, {set_id, &vault, &agent.sealed, agent.public_key, host.now()},
                   host.keys()));
  manifest["capsule"] = capsule_mark(capsule);
  TRY(SecretBytes content, encode_content(manifest, wallet_snapshot(host).expose()));
  TRY(PartVersion backup,
      seal_part(host, crypto::ContainerFormat::backup, BackupPart::backup,
                Bytes(set_id.begin(), set_id.end()), key, 1, std::move(content)));
  std::vector<Bytes> parts = std::move(backup.chunks);
  parts.insert(parts.begin(), std::move(capsule));
  return parts;
}

Result<JsonObject> export_begin(Host& host, const Command& command) {
  if (!command.step_up) return fail(Errc::step_up_required);
  TRY(const bool anyway, protocol::flag_argument(command.args, "anyway"));
  TRY(const Bytes header_bytes, bytes_argument(command.args, "header"));
  TRY(const PortableHeader header, parse_portable_header(header_bytes));
  TRY(const Bytes key_bytes, bytes_argument(command.args, "key"));
  TRY(const SecretPoint key, SecretPoint::parse(key_bytes));
  TRY(const ledger::Identity own, movable_identity(host));
  const People people = people_of(host);
  const std::size_t devices = policy_agents(host).size();
  if (!anyway) CHECK(nobody_is_let_down(people, devices, header.moved));
  if (crypto::json_text_of(command.args, "settings").size() > portable_limits::kSettingsBytesMax) {
    return fail(Errc::limit_exceeded, "the settings in kith.toml are too long");
  }
  TRY(const SealedKey vault, protocol::open_vault(host, command.step_up));
  TRY(const std::vector<Bytes> parts,
      seal_file(host, vault, key, header_bytes,
                manifest_of(host, own, people, command.args, header.moved)));
  forget_parts(host);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    save(host, kParts, part_id(i), PortablePart{parts[i]});
  }
  return JsonObject{{"parts", parts.size()},
                    {"name", own.name},
                    {"did", own.did},
                    {"contacts", people.contacts},
                    {"trustee_for", as_json(people.trustee_for)},
                    {"left_behind", as_json(people.left_behind)},
                    {"devices", devices}};
}

Result<JsonObject> export_part(Host& host, const JsonObject& args) {
  TRY(const std::size_t part, part_argument(args));
  const auto kept = load<PortablePart>(host, kParts, part_id(part));
  if (!kept) return fail(Errc::not_found);
  return JsonObject{{"data", crypto::base64url(kept->data)}};
}

Result<JsonObject> export_end(Host& host, const JsonObject& args) {
  TRY(const bool done, protocol::flag_argument(args, "done"));
  TRY(const bool moves, protocol::flag_argument(args, "moved"));
  forget_parts(host);
  if (done) host.audit("wallet.exported", {{"moved", moves}});
  return JsonObject{};
}

Result<void> check_no_identity(Host& host) {
  if (ledger::identity(host)) return fail(Errc::wrong_state, "an identity lives here already");
  return {};
}

Result<JsonObject> import_part(Host& host, const JsonObject& args) {
  CHECK(check_no_identity(host));
  TRY(const std::size_t part, part_argument(args));
  TRY(Bytes data, bytes_argument(args, "data"));
  if (data.size() > limits::kBackupChunkBytes) return fail(Errc::limit_exceeded);
  save(host, kParts, part_id(part), PortablePart{std::move(data)});
  return JsonObject{};
}

Result<PortableParts> kept_parts(Host& host, ByteView header) {
  Bytes file = crypto::to_bytes(header);
  const std::size_t count = host.list(kParts).size();
  for (std::size_t i = 0; i < count; ++i) {
    const auto part = load<PortablePart>(host, kParts, part_id(i));
    if (!part) return fail(Errc::not_found, "a part of the exported wallet is missing");
    crypto::append(file, part->data);
  }
  return split_portable(file);
}

/// The logs as the file has them: begin_finish builds upon them, and the ledger's answer decides.
Result<void> keep_logs(Host& host, ByteView wallet, const ledger::Identity& own) {
  for (const std::string& subject : {own.did, own.policy}) {
    TRY(const auto record, snapshot_record(wallet, "log", subject));
    if (!record) return fail(Errc::malformed, "the exported wallet lacks a log of its identity");
    TRY(const auto log, protocol::decode_record<ledger::StoredLog>(*record));
    LogRead read;
    read.blobs = log.blobs;
    read.read_at = host.now();
    save_log_read(host, subject, read);
  }
  return {};
}

/// The device that made the file belongs to the identity in it.
Result<void> check_signer(Host& host, const ledger::Identity& own, const PublicKey& signer) {
  const auto read = log_read(host, own.policy).value_or(LogRead{});
  TRY(const auto view, ledger::read_log(own.policy, known_log(read),
                                        {ledger::anchor_time(host.now()), host.test_mode()}));
  TRY(const ledger::Policy policy, ledger::parse_policy(view.current.state));
  if (ledger::find_agent(policy, crypto::multikey(signer)) == nullptr) {
    return fail(Errc::bad_signature, "this wallet was not exported by a device of its identity");
  }
  return {};
}

struct ImportKeys {
  SecretPoint point;
  SecretPoint capsule;  ///< Openings.
  SecretPoint backup;
};
Result<ImportKeys> import_keys(const JsonObject& args) {
  TRY(const JsonArray* openings, crypto::json_array(args, "openings"));
  if (openings->size() != 2 || !(*openings)[0].is_string() || !(*openings)[1].is_string()) {
    return fail(Errc::usage, "two openings are wanted");
  }
  const auto point_of = [](std::string_view text) -> Result<SecretPoint> {
    TRY(Bytes bytes, crypto::from_base64url(text));
    const SecretBytes secret = SecretBytes::take(bytes);
    return SecretPoint::parse(secret.expose());
  };
  TRY(const std::string key, crypto::json_string(args, "key"));
  TRY(SecretPoint point, point_of(key));
  TRY(SecretPoint capsule, point_of(crypto::json_chars((*openings)[0])));
  TRY(SecretPoint backup, point_of(crypto::json_chars((*openings)[1])));
  return ImportKeys{std::move(point), std::move(capsule), std::move(backup)};
}

Result<ledger::Identity> identity_in(ByteView wallet) {
  TRY(const auto record, snapshot_record(wallet, "meta", "identity"));
  if (!record) return fail(Errc::malformed, "the exported wallet holds no identity");
  return protocol::decode_record<ledger::Identity>(*record);
}

Result<JsonObject> describe_import(Host& host, const ledger::Identity& own,
                                   const JsonObject& manifest) {
  JsonObject reply{{"name", own.name},
                   {"did", own.did},
                   {"contacts", people_of(host).contacts},
                   {"moved", crypto::json_true(manifest, "moved")}};
  TRY(const JsonArray* trustee_for, crypto::json_array(manifest, "trustee_for"));
  reply["trustee_for"] = *trustee_for;
  JsonArray notes;
  if (const auto job = finish_job(host)) {
    for (const std::string& note : job->notes) notes.emplace_back(boost::json::string(note));
  }
  reply["notes"] = std::move(notes);
  return reply;
}

Result<JsonObject> import_open(Host& host, const Command& command) {
  if (!command.step_up) return fail(Errc::step_up_required);
  CHECK(check_no_identity(host));
  TRY(const Bytes header, bytes_argument(command.args, "header"));
  TRY(const PortableParts parts, kept_parts(host, header));
  TRY(const ImportKeys keys, import_keys(command.args));
  TRY(OpenedCapsule capsule, open_capsule(parts.capsule, keys.point, keys.capsule, host.keys()));
  TRY(crypto::OpenedContainer backup,
      crypto::open_container(parts.backup, keys.point, keys.backup));
  TRY(PortableContent content, parse_content(backup.content.expose()));
  TRY(const std::string mark, crypto::json_string(content.manifest, "capsule"));
  if (mark != capsule_mark(parts.capsule) || capsule.set_id != portable_set_id(header) ||
      !(capsule.signer == backup.signer)) {
    return fail(Errc::cannot_decrypt, "the parts of this file do not belong together");
  }
  if (crypto::json_true(content.manifest, "test") != host.test_mode()) {
    return fail(Errc::wrong_state, "a test wallet stays one: import it into a home of its kind");
  }
  TRY(const ledger::Identity own, identity_in(content.wallet.expose()));
  CHECK(keep_logs(host, content.wallet.expose(), own));
  CHECK(check_signer(host, own, backup.signer));
  backup.content = std::move(content.wallet);
  OpenedSet set{keys.point.clone(), std::move(capsule), std::move(backup), {}};
  CHECK(begin_finish(host, command, std::move(set), own.policy, false));
  auto job = finish_job(host);
  ASSERT(job.has_value());  // Just begun.
  job->imported = true;
  save_finish_job(host, *job);
  forget_parts(host);
  host.audit("wallet.imported");
  return describe_import(host, own, content.manifest);
}

}  // namespace

Result<JsonObject> Portable::on_command(Host& host, const Command& command) {
  if (command.name == "export-begin") return export_begin(host, command);
  if (command.name == "export-part") return export_part(host, command.args);
  if (command.name == "export-end") return export_end(host, command.args);
  if (command.name == "import-part") return import_part(host, command.args);
  return import_open(host, command);
}

}  // namespace kith::recovery
