// `export` and `import`: the wallet in a file (docs/portable-format.md). Neither works beside a
// running node: what is exported must not change meanwhile, and what is imported is not there yet.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <span>

#include "crypto/passphrase_strength.hpp"
#include "crypto/random.hpp"
#include "node/cli/commands.hpp"
#include "node/cli/first_steps.hpp"
#include "node/cli/read_input.hpp"
#include "node/cli/terminal.hpp"
#include "node/storage/new_file.hpp"
#include "node/version.hpp"
#include "recovery/capsule.hpp"
#include "recovery/portable_file.hpp"
#include "recovery/portable_limits.hpp"

namespace kith::node {
namespace {

using crypto::json_text_of;
using crypto::json_true;
using recovery::PortableHeader;
using recovery::PortableLock;

constexpr std::string_view kSettingsFile = "/kith.toml";

/// 32 bytes in the file that --key-file names; `make`: drawn and written if there is none.
Result<SecretBytes> key_of_file(const std::string& path, bool make) {
  struct stat info {};
  if (make && ::lstat(path.c_str(), &info) != 0 && errno == ENOENT) {
    crypto::OsRandom random;
    Bytes key = random.bytes(crypto::PortableKey::kStretchedBytes);
    TRY(NewFile file, NewFile::begin(path));
    std::string text = recovery::key_file_text(key);
    CHECK(file.add(crypto::as_bytes(text)));
    crypto::wipe(text);
    CHECK(file.finish());
    return SecretBytes::take(key);
  }
  TRY(std::string text, read_file(path, recovery::portable_limits::kKeyFileBytesMax));
  auto key = recovery::parse_key_file(text);
  crypto::wipe(text);
  return key;
}

/// For the file alone, not the wallet's.
Result<SecretBytes> file_passphrase(const Invocation& invocation) {
  if (invocation.has("--file-passphrase-file")) {
    return read_passphrase_file(invocation.value("--file-passphrase-file"));
  }
  if (!is_terminal()) {
    return fail(Errc::usage, "name --file-passphrase-file or --key-file: what opens the file");
  }
  return ask_passphrase("The passphrase of the exported wallet");
}

Result<SecretBytes> new_file_passphrase(const Invocation& invocation) {
  TRY(SecretBytes passphrase, file_passphrase(invocation));
  const crypto::PassphraseStrength found = crypto::passphrase_strength(passphrase);
  // Whoever gets the file can try for as long as they like.
  if (found.bits < limits::kPassphraseBitsMin) {
    return fail(Errc::weak_passphrase, std::string(found.why));
  }
  if (invocation.has("--file-passphrase-file")) return passphrase;
  TRY(const SecretBytes again, ask_passphrase("The same once more"));
  if (!crypto::equal_constant_time(passphrase.expose(), again.expose())) {
    return fail(Errc::usage, "those were two different passphrases");
  }
  return passphrase;
}

Result<crypto::PortableKey> key_for(const Invocation& invocation, const PortableHeader& header,
                                    ByteView header_bytes, bool make) {
  if (header.lock == PortableLock::key_file) {
    if (!invocation.has("--key-file")) {
      return fail(Errc::usage, "this file is opened by a key file: name it with --key-file");
    }
    TRY(const SecretBytes key, key_of_file(invocation.value("--key-file"), make));
    return crypto::PortableKey::derive(header_bytes, key);
  }
  TRY(const SecretBytes passphrase,
      make ? new_file_passphrase(invocation) : file_passphrase(invocation));
  TRY(const SecretBytes stretched, crypto::derive_from_passphrase(passphrase, header.cost));
  return crypto::PortableKey::derive(header_bytes, stretched);
}

std::string base64url_of(const SecretPoint& point) {
  return crypto::base64url(point.expose());
}

/// A node that runs here would go on changing what is exported.
std::optional<Error> check_no_node(const Invocation& invocation) {
  const auto running = Session::of_running_node(invocation);
  if (running.has_value()) {
    return fail(Errc::wrong_state, "the node of this home is running: stop it first");
  }
  if (running.error() == Errc::unreachable) return std::nullopt;
  return running.error();
}

/// The parts, one after the other, into the file.
std::optional<ErrorReport> write_parts(Session& session, NewFile& file, std::int64_t parts) {
  for (std::int64_t part = 0; part < parts; ++part) {
    const auto got = session.command("export-part", {{"part", part}});
    if (const auto* error = std::get_if<ErrorReport>(&got)) return *error;
    const auto bytes = crypto::from_base64url(json_text_of(std::get<JsonObject>(got), "data"));
    if (!bytes.has_value()) return report_of(bytes.error());
    const auto added = file.add(*bytes);
    if (added.has_error()) return report_of(added.error());
  }
  return std::nullopt;
}

PortableHeader new_header(const Invocation& invocation) {
  crypto::OsRandom random;
  PortableHeader header;
  header.moved = invocation.has("--move");
  header.cost = crypto::new_passphrase_parameters(random);
  if (invocation.has("--key-file")) {
    header.lock = PortableLock::key_file;
    header.cost.ops = 0;
    header.cost.memory_bytes = 0;
  }
  return header;
}

Result<JsonObject> export_arguments(const Invocation& invocation, ByteView header,
                                    const crypto::PortableKey& key) {
  JsonObject args{{"header", crypto::base64url(header)},
                  {"key", base64url_of(key.point())},
                  {"program", "kith " + std::string(kVersion)},
                  {"anyway", invocation.has("--anyway")}};
  TRY(const std::string directory, home_of(invocation));
  const std::string settings = directory + std::string(kSettingsFile);
  struct stat info {};
  if (::lstat(settings.c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
    TRY(args["settings"], read_file(settings, recovery::portable_limits::kSettingsBytesMax));
  }
  return args;
}

/// Writes the file; `summary` gets what it holds. The session's home stays open.
std::optional<ErrorReport> write_export(Session& session, const Invocation& invocation,
                                        const PortableHeader& header,
                                        const crypto::PortableKey& key, JsonObject& summary) {
  const Bytes header_bytes = recovery::encode(header);
  auto args = export_arguments(invocation, header_bytes, key);
  if (!args.has_value()) return report_of(args.error());
  (*args)["private_network"] = session.runtime()->settings().private_network;
  const auto begun = session.command("export-begin", std::move(*args));
  if (const auto* error = std::get_if<ErrorReport>(&begun)) return *error;
  summary = std::get<JsonObject>(begun);
  auto file = NewFile::begin(invocation.value("FILE"));
  if (!file.has_value()) return report_of(file.error());
  const auto headed = file->add(header_bytes);
  if (headed.has_error()) return report_of(headed.error());
  if (auto error = write_parts(session, *file, summary.at("parts").as_int64())) return error;
  const auto finished = file->finish();
  if (finished.has_error()) return report_of(finished.error());
  const auto ended =
      session.command("export-end", {{"done", true}, {"moved", invocation.has("--move")}});
  if (const auto* error = std::get_if<ErrorReport>(&ended)) return *error;
  summary.erase("parts");
  summary["file"] = invocation.value("FILE");
  summary["moved"] = invocation.has("--move");
  return std::nullopt;
}

void say_exported(const Invocation& invocation, const Output& output) {
  const bool by_file = invocation.has("--key-file");
  output.say(by_file ? "Whoever has this file and the key file has your wallet: carry them on "
                       "different ways."
                     : "Whoever has this file and its passphrase has your wallet: give nobody "
                       "both, and send the passphrase on another way.");
  if (invocation.has("--move")) {
    output.say(
        "This home does not run any more. On the new machine:\n"
        "  kith import FILE\n"
        "When that has worked, take this one off here with `kith home erase`. If the file is lost "
        "before, `kith home keep` takes the move back.");
  } else {
    output.say(
        "This home goes on as it is. Once the file is imported somewhere, this home's keys count "
        "no more: say --move if that is what you want.");
  }
}

/// The file with what it says of itself, opened; nothing was made yet.
struct Arrived {
  recovery::PortableParts parts;
  std::vector<std::string> openings;  ///< base64url; secret, as is `point`.
  std::string point;
  JsonObject manifest;

  Arrived() = default;
  Arrived(Arrived&&) = default;
  Arrived& operator=(Arrived&&) = default;
  Arrived(const Arrived&) = delete;
  Arrived& operator=(const Arrived&) = delete;
  ~Arrived() {
    crypto::wipe(point);
    for (std::string& opening : openings) crypto::wipe(opening);
  }
};

Result<Arrived> open_file(const Invocation& invocation) {
  Arrived arrived;
  {
    TRY(const std::string file,
        read_file(invocation.value("FILE"), recovery::portable_bytes_max()));
    TRY(arrived.parts, recovery::split_portable(crypto::as_bytes(file)));
  }
  const recovery::PortableParts& parts = arrived.parts;
  TRY(const crypto::PortableKey key, key_for(invocation, parts.header, parts.header_bytes, false));
  TRY(const recovery::OpenedPortable opened, recovery::open_portable(parts, key));
  TRY(const crypto::ContainerCore capsule, recovery::capsule_core(parts.capsule));
  arrived.point = base64url_of(key.point());
  arrived.openings = {base64url_of(key.opening(capsule.ephemeral)),
                      base64url_of(key.opening(opened.core.ephemeral))};
  arrived.manifest = opened.content.manifest;
  return arrived;
}

/// A new home for it, or one without an identity that is there already. Errors: wrong_state.
Result<std::unique_ptr<Runtime>> home_for(const Invocation& invocation, const JsonObject& manifest,
                                          Wishes& wishes) {
  TRY(const std::string directory, home_of(invocation));
  wishes.with_identity = false;
  wishes.test = json_true(manifest, "test");
  wishes.private_network =
      json_true(manifest, "private_network") || invocation.has("--private-network");
  wishes.ca_file = invocation.value("--tls-ca");
  wishes.login_file = invocation.value("--ledger-login");
  if (Home::exists(directory)) return reopen_home(directory, invocation, wishes);
  return make_home(directory, invocation, wishes);
}

std::optional<ErrorReport> hand_in(Session& session, const Arrived& arrived, JsonObject& summary) {
  std::int64_t part = 0;
  const auto hand = [&](const Bytes& data) -> std::optional<ErrorReport> {
    const auto reply =
        session.command("import-part", {{"part", part++}, {"data", crypto::base64url(data)}});
    if (const auto* error = std::get_if<ErrorReport>(&reply)) return *error;
    return std::nullopt;
  };
  if (auto error = hand(arrived.parts.capsule)) return error;
  for (const Bytes& record : arrived.parts.backup) {
    if (auto error = hand(record)) return error;
  }
  const auto opened = session.command(
      "import-open",
      {{"header", crypto::base64url(arrived.parts.header_bytes)},
       {"key", arrived.point},
       {"openings", JsonArray{Json(arrived.openings[0]), Json(arrived.openings[1])}}});
  if (const auto* error = std::get_if<ErrorReport>(&opened)) return *error;
  summary = std::get<JsonObject>(opened);
  return std::nullopt;
}

/// An import of this file that was cut off behind its one decisive step goes on by itself.
bool is_imported(Session& session, const JsonObject& manifest) {
  const auto shown = session.command("identity-show");
  const auto* own = std::get_if<JsonObject>(&shown);
  if (own == nullptr || json_text_of(*own, "did") != json_text_of(manifest, "did")) return false;
  const auto status = session.command("recover-status");
  const auto* reply = std::get_if<JsonObject>(&status);
  const std::string state = reply == nullptr ? "" : json_text_of(*reply, "state");
  return state == "finishing" || state == "waiting-period" || state == "recovered";
}

void say_imported(const JsonObject& summary, const JsonObject& manifest, const Output& output) {
  output.say(
      "This device has keys of its own; those of the old home count no more as soon as the "
      "ledger has the new ones.");
  if (!json_true(manifest, "moved")) {
    output.say(
        "The file was made without --move, so the old home may still run: stop it, and take "
        "it off its machine with `kith home erase`.");
  }
  const Json* people = summary.if_contains("trustee_for");
  if (people != nullptr && people->is_array() && !people->get_array().empty()) {
    output.say("Shares that you kept for others are not here: tell " +
               std::to_string(people->get_array().size()) +
               " of them to set up their recovery anew (the list above).");
  }
  output.say(
      "Next:\n"
      "  kith run              tells your contacts of the new keys, and gets your mail\n"
      "  kith recover status   how far that is\n"
      "  kith recovery status  whether your own trustees can still help you");
}

}  // namespace

int run_export(const Invocation& invocation, const Output& output) {
  if (invocation.dry_run) {
    output.print({{"dry_run", true}, {"file", invocation.value("FILE")}});
    return 0;
  }
  if (const auto error = check_no_node(invocation)) return output.error(*error);
  const PortableHeader header = new_header(invocation);
  const auto key = key_for(invocation, header, recovery::encode(header), true);
  if (!key.has_value()) return output.error(key.error());
  JsonObject summary;
  std::optional<Home> home;
  {
    auto session = Session::open(invocation);
    if (!session.has_value()) return output.error(session.error());
    if (session->runtime() == nullptr) return output.error(fail(Errc::home_locked));
    if (const auto error = write_export(*session, invocation, header, *key, summary)) {
      static_cast<void>(session->command("export-end", {{"done", false}}));
      return output.error(*error);
    }
    home = session->runtime()->take_home();
  }
  if (header.moved) {
    const auto marked = home->mark_moved();
    if (marked.has_error()) return output.error(marked.error());
  }
  output.print(summary);
  say_exported(invocation, output);
  return 0;
}

int run_import(const Invocation& invocation, const Output& output) {
  const auto directory = home_of(invocation);
  if (!directory.has_value()) return output.error(directory.error());
  auto arrived = open_file(invocation);
  if (!arrived.has_value()) return output.error(arrived.error());
  if (invocation.dry_run) {
    arrived->manifest.erase("settings");
    output.print({{"dry_run", true}, {"home", *directory}, {"file", arrived->manifest}});
    return 0;
  }
  Wishes wishes;
  auto runtime = home_for(invocation, arrived->manifest, wishes);
  if (!runtime.has_value()) return output.error(runtime.error());
  Session session(invocation, std::move(*runtime));
  JsonObject summary{{"state", "finishing"}};
  if (!is_imported(session, arrived->manifest)) {
    if (const auto error = hand_in(session, *arrived, summary)) return output.error(*error);
  }
  if (arrived->manifest.contains("settings")) {
    const auto kept =
        Home::keep_imported_settings(*directory, json_text_of(arrived->manifest, "settings"));
    if (kept.has_error()) return output.error(kept.error());
    summary["settings"] = *directory + "/kith.toml.imported";
  }
  const auto settled = session.settle();
  if (!settled.has_value()) return output.error(settled.error());
  const auto finished = session.runtime()->finish_first_steps();
  if (!finished.has_value()) return output.error(finished.error());
  summary["home"] = *directory;
  output.print(summary);
  say_imported(summary, arrived->manifest, output);
  return 0;
}

}  // namespace kith::node
