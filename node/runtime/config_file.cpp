#include "node/runtime/config_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <numeric>

#include "node/runtime/toml_reader.hpp"

namespace kith::node {
namespace {

constexpr std::size_t kFileBytesMax = 256 * 1024;
/// Tables in tables: one deeper than any option.
constexpr std::size_t kDepthMax = 4;

/// Insertions, deletions and exchanges from `a` to `b`.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t exchanged = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({exchanged, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

class Reader : public TomlReader {
 public:
  Reader(const std::string& file, RuntimeOptions& options) : TomlReader(file), options_(options) {}

  Result<void> read(const toml::table& table, const std::string& prefix = {},
                    std::size_t depth = 0) {
    for (const auto& [key, node] : table) {
      const std::string name = prefix + std::string(key.str());
      if (const ConfigOption* option = find(name)) {
        TRY(const ConfigValue value, value_of(*option, node));
        option->set(options_, value);
      } else if (node.is_table() && depth < kDepthMax && is_table(name)) {
        CHECK(read(*node.as_table(), name + ".", depth + 1));
      } else {
        return error(key.source().begin.line, "there is no option `" + name.substr(0, 100) +
                                                  "`; did you mean `" + nearest(name) + "`?");
      }
    }
    return {};
  }

 private:
  static const ConfigOption* find(std::string_view name) {
    const auto& all = config_options();
    const auto found = std::ranges::find(all, name, &ConfigOption::name);
    return found == all.end() ? nullptr : &*found;
  }
  static bool is_table(const std::string& name) {
    return std::ranges::any_of(config_options(), [&](const ConfigOption& option) {
      return option.name.starts_with(name + ".");
    });
  }
  static std::string nearest(std::string_view name) {
    const std::string_view compared = name.substr(0, 100);
    return std::string(
        std::ranges::min_element(config_options(), {}, [&](const ConfigOption& option) {
          return distance(compared, option.name);
        })->name);
  }

  [[nodiscard]] Error wrong(const ConfigOption& option, const toml::node& node,
                            const std::string& wanted) const {
    return error(node, "`" + std::string(option.name) + "` must be " + wanted);
  }

  Result<ConfigValue> value_of(const ConfigOption& option, const toml::node& node) const {
    const ConfigValue standard = option.get(RuntimeOptions{});
    if (std::holds_alternative<bool>(standard)) {
      if (!node.is_boolean()) return wrong(option, node, "true or false");
      return ConfigValue(node.as_boolean()->get());
    }
    if (std::holds_alternative<std::int64_t>(standard)) {
      const auto* whole = node.as_integer();
      if (whole == nullptr || whole->get() < option.least || whole->get() > option.most) {
        return wrong(option, node,
                     "a whole number from " + std::to_string(option.least) + " to " +
                         std::to_string(option.most));
      }
      return ConfigValue(whole->get());
    }
    if (std::holds_alternative<std::string>(standard)) return text_of(option, node);
    return list_of(option, node);
  }

  Result<ConfigValue> text_of(const ConfigOption& option, const toml::node& node) const {
    const auto* text = node.as_string();
    if (text == nullptr) return wrong(option, node, "a text in quotes");
    if (!option.choices.empty() &&
        std::ranges::find(option.choices, text->get()) == option.choices.end()) {
      std::string choices;
      for (const std::string_view choice : option.choices) {
        choices += (choices.empty() ? "" : ", ") + std::string(choice);
      }
      return wrong(option, node, "one of: " + choices);
    }
    return ConfigValue(text->get());
  }

  Result<ConfigValue> list_of(const ConfigOption& option, const toml::node& node) const {
    const auto* array = node.as_array();
    if (array == nullptr) return wrong(option, node, "a list of texts");
    std::vector<std::string> texts;
    for (const toml::node& item : *array) {
      const auto* text = item.as_string();
      if (text == nullptr) return wrong(option, item, "a list of texts");
      texts.push_back(text->get());
    }
    return ConfigValue(std::move(texts));
  }

  RuntimeOptions& options_;
};

}  // namespace

Result<void> apply_config(std::string_view text, const std::string& file, RuntimeOptions& options) {
  Reader reader(file, options);
  return read_toml(reader, text, [&](const toml::table& table) { return reader.read(table); });
}

Result<void> apply_config_file(const std::string& path, bool may_be_absent,
                               RuntimeOptions& options) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    if (errno == ENOENT && may_be_absent) return {};
    return fail(Errc::io, path + ": " + std::strerror(errno));
  }
  std::string text(kFileBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return fail(Errc::io, path + ": " + std::strerror(errno));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kFileBytesMax) return fail(Errc::usage, path + " is larger than 256 KiB");
  return apply_config(text, path, options);
}

}  // namespace kith::node
