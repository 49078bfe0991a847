#include "node/cli/args.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <memory>
#include <set>

namespace kith::node {
namespace {

constexpr std::size_t kNumberDigitsMax = 15;

bool is_number(const std::string& text) {
  return !text.empty() && text.size() <= kNumberDigitsMax &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::int64_t number_of(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// Between the values of an option that was given several times. One with several lines counts as
/// so many values.
constexpr char kNextPair = '\n';

struct Pair {
  std::string_view name;
  std::string_view text;
};

/// NAME=TEXT lines. A name may not have the sign; whoever has such a contact uses its id.
std::vector<Pair> pairs_of(std::string_view lines) {
  std::vector<Pair> pairs;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find(kNextPair), lines.size());
    const std::string_view line = lines.substr(0, end);
    const std::size_t sign = line.find('=');
    const bool whole = sign != std::string_view::npos;
    pairs.push_back({line.substr(0, sign), whole ? line.substr(sign + 1) : std::string_view()});
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return pairs;
}

/// Of one value.
std::string pair_error(const std::string& text) {
  const std::size_t sign = text.find('=');
  if (sign != std::string::npos && sign > 0 && sign + 1 < text.size()) return {};
  return "'" + text + "' is not NAME=TEXT";
}

/// Nobody is named twice.
Result<void> check_pairs(const Invocation& invocation) {
  for (const ArgSpec& arg : invocation.spec->args) {
    if (arg.kind != ArgSpec::Kind::pairs) continue;
    const std::string lines = invocation.value(arg.name);
    std::set<std::string_view> names;
    for (const Pair& pair : pairs_of(lines)) {
      if (!names.insert(pair.name).second) {
        return fail(Errc::usage,
                    std::string(arg.name) + " is given twice for " + std::string(pair.name));
      }
    }
  }
  return {};
}

/// Where CLI11 writes to; the addresses stay.
struct Given {
  std::map<std::string, std::string, std::less<>> texts;
  std::map<std::string, bool, std::less<>> flags;
};

struct Parsed {
  Invocation invocation;
  Given globals;
  std::map<const CommandSpec*, Given> by_command;
};

void add_args(CLI::App& app, const std::vector<ArgSpec>& args, Given& given) {
  for (const ArgSpec& arg : args) {
    const std::string name(arg.name);
    const std::string help(arg.help);
    if (arg.kind == ArgSpec::Kind::flag) {
      app.add_flag(name, given.flags[name], help);
      continue;
    }
    CLI::Option* option = app.add_option(name, given.texts[name], help);
    option->type_name(std::string(value_name(arg.kind)));
    if (arg.required) option->required();
    if (arg.kind == ArgSpec::Kind::number) {
      option->check([](const std::string& text) {
        return is_number(text) ? std::string() : "'" + text + "' is not a number";
      });
    } else if (arg.kind == ArgSpec::Kind::pairs) {
      option->join(kNextPair)->check(pair_error);
    } else if (arg.kind == ArgSpec::Kind::texts) {
      option->join(kNextPair);
    }
  }
}

/// The subcommand for each path; groups are made on the way.
std::map<std::string, CLI::App*> add_commands(CLI::App& app, Parsed& parsed) {
  std::map<std::string, CLI::App*> made;
  for (const CommandSpec& spec : command_specs()) {
    const std::string path(spec.path);
    const std::size_t space = path.find(' ');
    CLI::App* parent = &app;
    if (space != std::string::npos) {
      const std::string group = path.substr(0, space);
      if (!made.contains(group)) {
        made[group] = app.add_subcommand(group, std::string(group_help(group)));
        made[group]->fallthrough()->require_subcommand(0, 1);
      }
      parent = made[group];
    }
    const std::string name = space == std::string::npos ? path : path.substr(space + 1);
    made[path] = parent->add_subcommand(name, std::string(spec.help));
    made[path]->fallthrough();
    add_args(*made[path], spec.args, parsed.by_command[&spec]);
  }
  return made;
}

const CommandSpec* find_spec(std::string_view path) {
  const auto& specs = command_specs();
  const auto found = std::ranges::find(specs, path, &CommandSpec::path);
  return found == specs.end() ? nullptr : &*found;
}

/// The words that name a command: those before the first option.
std::string path_of(const std::vector<std::string>& words) {
  std::string path;
  for (const std::string& word : words) {
    if (word.starts_with('-')) continue;
    path += (path.empty() ? "" : " ") + word;
  }
  return path;
}

/// A command, or a group of them.
bool names_command(std::string_view word) {
  return std::ranges::any_of(command_specs(), [word](const CommandSpec& spec) {
    return spec.path.substr(0, spec.path.find(' ')) == word;
  });
}

void take_globals(const Given& given, Invocation& invocation) {
  invocation.home = given.texts.at("--home");
  invocation.passphrase_file = given.texts.at("--passphrase-file");
  invocation.reader = given.texts.at("--reader");
  invocation.json = given.flags.at("--json");
  invocation.yes = given.flags.at("--yes");
  invocation.dry_run = given.flags.at("--dry-run");
}

Error usage_error(const std::vector<std::string>& words, const std::string& what) {
  const std::string path = path_of(words);
  const std::size_t first = path.find(' ');
  const std::size_t second = first == std::string::npos ? first : path.find(' ', first + 1);
  for (const std::string& candidate : {path.substr(0, second), path.substr(0, first)}) {
    if (is_planned(candidate)) {
      return fail(Errc::usage, "`kith " + candidate + "` is planned, and not in this version");
    }
  }
  const std::string word = path.substr(0, first);
  if (!word.empty() && !names_command(word)) {
    return fail(Errc::usage, "`" + word + "` is no command; kith --help lists them");
  }
  return fail(Errc::usage, what);
}

Result<const CommandSpec*> chosen_spec(const std::vector<std::string>& words,
                                       const std::map<std::string, CLI::App*>& apps) {
  const CommandSpec* chosen = nullptr;
  std::string group;
  for (const auto& [path, app] : apps) {
    if (!app->parsed()) continue;
    if (const CommandSpec* spec = find_spec(path))
      chosen = spec;
    else
      group = path;
  }
  if (chosen != nullptr) return chosen;
  if (group.empty()) return usage_error(words, "name a command; kith --help lists them");
  if (const CommandSpec* shown = find_spec(group + " show")) return shown;
  return usage_error(words, "kith " + group + " needs a subcommand; --help lists them");
}

}  // namespace

std::string Invocation::value(std::string_view name) const {
  const auto found = values.find(name);
  return found == values.end() ? std::string() : found->second;
}

std::int64_t Invocation::number(std::string_view name) const {
  return number_of(value(name));
}

std::int64_t Invocation::wait_seconds(std::int64_t otherwise) const {
  return has("--wait") ? number("--wait") : otherwise;
}

JsonObject Invocation::args() const {
  JsonObject args;
  for (const ArgSpec& arg : spec->args) {
    if (arg.key.empty() || !has(arg.name)) continue;
    const std::string text = value(arg.name);
    if (arg.kind == ArgSpec::Kind::number) {
      args[arg.key] = number_of(text);
    } else if (arg.kind == ArgSpec::Kind::flag) {
      args[arg.key] = true;
    } else if (arg.kind == ArgSpec::Kind::list) {
      JsonArray items;
      std::size_t begin = 0;
      while (begin <= text.size()) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        if (end > begin) items.push_back(Json(std::string_view(text).substr(begin, end - begin)));
        begin = end + 1;
      }
      args[arg.key] = std::move(items);
    } else if (arg.kind == ArgSpec::Kind::pairs) {
      JsonObject object;
      for (const Pair& pair : pairs_of(text)) object[pair.name] = pair.text;
      args[arg.key] = std::move(object);
    } else {
      args[arg.key] = text;
    }
  }
  return args;
}

Result<std::variant<Invocation, HelpText>> parse_command_line(
    const std::vector<std::string>& words) {
  using Parse = std::variant<Invocation, HelpText>;
  Parsed parsed;
  CLI::App app("Kith: " + std::string(kAbout), "kith");
  app.require_subcommand(0, 1);
  add_args(app, global_args(), parsed.globals);
  const auto apps = add_commands(app, parsed);
  std::vector<std::string> reversed(words.rbegin(), words.rend());  // As CLI11 wants them.
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    const CLI::App* asked = &app;
    std::string before;
    while (!asked->get_subcommands().empty()) {
      before += (before.empty() ? "" : " ") + asked->get_name();
      asked = asked->get_subcommands().front();
    }
    return Parse(HelpText{asked->help(before)});
  } catch (const CLI::ParseError& error) {
    return usage_error(words, error.what());
  }
  if (words.empty()) return Parse(HelpText{app.help()});
  TRY(const CommandSpec* spec, chosen_spec(words, apps));
  parsed.invocation.spec = spec;
  take_globals(parsed.globals, parsed.invocation);
  CLI::App* command = apps.at(std::string(spec->path));
  for (const auto& [name, text] : parsed.by_command[spec].texts) {
    if (command->count(name) > 0) parsed.invocation.values[name] = text;
  }
  for (const auto& [name, given] : parsed.by_command[spec].flags) {
    if (given) parsed.invocation.values[name] = "";
  }
  CHECK(check_pairs(parsed.invocation));
  return Parse(std::move(parsed.invocation));
}

bool wants_json(const std::vector<std::string>& words) {
  return std::ranges::find(words, "--json") != words.end();
}

}  // namespace kith::node
