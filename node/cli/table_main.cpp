/// A program of the build: prints the table of commands as JSON. packaging/papers.py makes the
/// manual pages and the shells' completion of it. It has the table alone, so that it is built in
/// seconds.

#include <iostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "node/cli/specs.hpp"
#include "node/version.hpp"

namespace kith::node {
namespace {

/// Of texts without control characters, as those of the table are.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string member(std::string_view name, std::string_view text) {
  return quoted(name) + ": " + quoted(text);
}

std::string joined(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "\n  " : ",\n  ") + item;
  return out;
}

std::string args_json(const std::vector<ArgSpec>& args) {
  std::vector<std::string> items;
  for (const ArgSpec& arg : args) {
    items.push_back("{" + member("name", arg.name) + ", " + member("help", arg.help) + ", " +
                    member("value", value_name(arg.kind)) +
                    ", \"required\": " + (arg.required ? "true" : "false") + "}");
  }
  return "[" + joined(items) + "]";
}

std::string table_json() {
  std::vector<std::string> commands;
  std::vector<std::string> groups;
  std::set<std::string_view> seen;
  for (const CommandSpec& spec : command_specs()) {
    commands.push_back("{" + member("path", spec.path) + ", " + member("help", spec.help) + ", " +
                       member("question", spec.question) + ", \"args\": " + args_json(spec.args) +
                       "}");
    const std::string_view first = spec.path.substr(0, spec.path.find(' '));
    if (first != spec.path && seen.insert(first).second) {
      groups.push_back(member(first, group_help(first)));
    }
  }
  return "{" + member("version", kVersion) + ",\n" + member("about", kAbout) +
         ",\n\"globals\": " + args_json(global_args()) + ",\n\"groups\": {" + joined(groups) +
         "},\n\"commands\": [" + joined(commands) + "]}\n";
}

}  // namespace
}  // namespace kith::node

int main() {
  std::cout << kith::node::table_json();
  return std::cout.flush() ? 0 : 1;
}
