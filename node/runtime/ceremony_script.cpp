#include "node/runtime/ceremony_script.hpp"

#include "crypto/hash.hpp"
#include "node/ceremony.hpp"
#include "node/rule_limits.hpp"
#include "node/runtime/toml_reader.hpp"

namespace kith::node {
namespace {

class ScriptReader : public TomlReader {
 public:
  using TomlReader::TomlReader;

  Result<CeremonyScript> read(const toml::table& table) const {
    CeremonyScript script;
    for (const auto& [key, node] : table) {
      if (key.str() == "name") {
        TRY(script.name, text(key.str(), node));
      } else if (key.str() == "step") {
        TRY(script.steps, steps(node));
      } else {
        return unknown(key);
      }
    }
    if (script.name.empty()) return error(1, "`name` is missing");
    if (script.steps.empty()) return error(1, "it has no [[step]]");
    return script;
  }

 private:
  Result<std::string> text(std::string_view name, const toml::node& node) const {
    const auto* value = node.as_string();
    if (value == nullptr || value->get().empty() ||
        value->get().size() > rule_limits::kTextBytesMax) {
      return error(node, "`" + std::string(name) + "` is a text of 1 to 400 bytes");
    }
    return value->get();
  }

  Result<std::vector<CeremonyStep>> steps(const toml::node& node) const {
    const auto* array = node.as_array();
    if (array == nullptr || array->size() > rule_limits::kItemsMax) {
      return error(node, "there are at most 200 steps, each after [[step]]");
    }
    std::vector<CeremonyStep> all;
    for (const toml::node& item : *array) {
      if (!item.is_table()) return error(item, "a step begins with [[step]]");
      TRY(CeremonyStep one, step(*item.as_table()));
      all.push_back(std::move(one));
    }
    return all;
  }

  Result<CeremonyStep> step(const toml::table& table) const {
    CeremonyStep step;
    for (const auto& [key, node] : table) {
      if (key.str() == "say") {
        TRY(step.say, text(key.str(), node));
      } else if (key.str() == "command") {
        TRY(step.command, text(key.str(), node));
        if (!ceremony_may(step.command)) {
          return error(node, "`" + step.command +
                                 "` is no command for a ceremony: it could put "
                                 "a secret into the transcript");
        }
      } else if (key.str() == "args" && node.is_table()) {
        TRY(step.args, arguments(*node.as_table()));
      } else {
        return unknown(key);
      }
    }
    const std::size_t line = table.source().begin.line;
    if (step.say.empty() == step.command.empty()) {
      return error(line, "a step has `say` or `command`, and not both");
    }
    if (step.command.empty() && !step.args.empty()) return error(line, "`args` of what?");
    return step;
  }

  Result<crypto::JsonObject> arguments(const toml::table& table) const {
    crypto::JsonObject args;
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      if (const auto* number = node.as_integer()) {
        args[name] = number->get();
      } else if (node.is_boolean()) {
        args[name] = node.as_boolean()->get();
      } else {
        TRY(std::string value, text(name, node));
        args[name] = std::move(value);
      }
    }
    return args;
  }
};

}  // namespace

Result<CeremonyScript> parse_ceremony_script(std::string_view text, const std::string& file) {
  const ScriptReader reader(file);
  TRY(CeremonyScript script,
      read_toml(reader, text, [&](const toml::table& table) { return reader.read(table); }));
  script.digest = crypto::hex(crypto::sha256(crypto::as_bytes(text)));
  return script;
}

}  // namespace kith::node
