#include "node/runtime/rule_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "node/rule_limits.hpp"
#include "node/runtime/toml_reader.hpp"

namespace kith::node {
namespace {

using crypto::Json;
using crypto::JsonArray;
using crypto::JsonObject;

/// Takes one document apart; whatever it does not know is refused.
class RuleFile : public TomlReader {
 public:
  using TomlReader::TomlReader;

  Result<JsonObject> document(const toml::table& table) const {
    JsonObject json{{"file", file()}, {"rules", JsonArray{}}};
    for (const auto& [key, node] : table) {
      const std::string_view name = key.str();
      if (name == "level" || name == "name" || name == "contact") {
        TRY(json[name], text(name, node));
      } else if (name == "frameworks" || name == "keys") {
        TRY(json[name], texts(name, node));
      } else if (name == "rule") {
        TRY(json["rules"], rules(node));
      } else {
        return unknown(key);
      }
    }
    for (const char* name : {"level", "name"}) {
      if (!json.contains(name)) return error(1, "`" + std::string(name) + "` is missing");
    }
    return json;
  }

 private:
  Result<Json> text(std::string_view name, const toml::node& node) const {
    const auto* value = node.as_string();
    if (value != nullptr) return Json(value->get());
    return error(node, "`" + std::string(name) + "` is a text in quotes");
  }

  Result<Json> texts(std::string_view name, const toml::node& node) const {
    const auto* array = node.as_array();
    if (array == nullptr) {
      return error(node, "`" + std::string(name) + "` is a list of texts");
    }
    JsonArray all;
    for (const toml::node& item : *array) {
      TRY(Json one, text(name, item));
      all.push_back(std::move(one));
    }
    return Json(std::move(all));
  }

  Result<Json> rules(const toml::node& node) const {
    const auto* array = node.as_array();
    if (array == nullptr) {
      return error(node, "a rule begins with [[rule]], in two brackets");
    }
    JsonArray all;
    for (const toml::node& item : *array) {
      if (!item.is_table()) {
        return error(item, "a rule begins with [[rule]], in two brackets");
      }
      TRY(Json one, rule(*item.as_table()));
      all.push_back(std::move(one));
    }
    return Json(std::move(all));
  }

  Result<Json> rule(const toml::table& table) const {
    JsonObject json{{"line", table.source().begin.line}};
    for (const auto& [key, node] : table) {
      const std::string_view name = key.str();
      if (name == "operations") {
        TRY(json[name], texts(name, node));
      } else if (name == "effect" || name == "reason") {
        TRY(json[name], text(name, node));
      } else if (name == "final") {
        if (!node.is_boolean()) {
          return error(node, "`final` is true or false");
        }
        json[name] = node.as_boolean()->get();
      } else {
        return unknown(key);
      }
    }
    return Json(std::move(json));
  }
};

Error rule_io_error(const std::string& path) {
  return fail(Errc::io, path + ": " + std::strerror(errno));
}

/// The names of a directory's policy documents, in order. Errors: io, refused, limit_exceeded.
Result<std::vector<std::string>> rule_file_names(const std::string& directory) {
  struct ::stat about {};
  if (::lstat(directory.c_str(), &about) != 0) {
    if (errno == ENOENT) return std::vector<std::string>();
    return rule_io_error(directory);
  }
  if (!S_ISDIR(about.st_mode) || about.st_uid != ::geteuid() ||
      (about.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fail(Errc::refused, directory + " is no directory of yours that you alone may write to");
  }
  DIR* const open = ::opendir(directory.c_str());
  if (open == nullptr) return rule_io_error(directory);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(open)) {
    const std::string name = entry->d_name;
    if (!name.starts_with('.') && name.ends_with(".toml")) names.push_back(name);
    if (names.size() > rule_limits::kFilesMax) break;
  }
  ::closedir(open);
  if (names.size() > rule_limits::kFilesMax) {
    return fail(Errc::limit_exceeded, directory + " holds more than 64 policy documents");
  }
  std::ranges::sort(names);
  return names;
}

/// Errors: io, refused, limit_exceeded.
Result<std::string> rule_file_text(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return rule_io_error(path);
  struct ::stat about {};
  std::string text(rule_limits::kFileBytesMax + 1, '\0');
  std::size_t size = 0;
  ssize_t got = ::fstat(file, &about);
  const bool is_ours = got == 0 && S_ISREG(about.st_mode) && about.st_uid == ::geteuid() &&
                       (about.st_mode & (S_IWGRP | S_IWOTH)) == 0;
  while (got >= 0 && is_ours && size < text.size()) {
    got = ::read(file, text.data() + size, text.size() - size);
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  const Error failed = rule_io_error(path);
  ::close(file);
  if (got < 0) return failed;
  if (!is_ours) return fail(Errc::refused, path + " is no file that you alone may write");
  text.resize(size);
  if (size > rule_limits::kFileBytesMax) {
    return fail(Errc::limit_exceeded, path + " is larger than 64 KiB");
  }
  return text;
}

}  // namespace

Result<JsonObject> parse_rule_file(std::string_view text, const std::string& file) {
  const RuleFile reader(file);
  return read_toml(reader, text, [&](const toml::table& table) { return reader.document(table); });
}

Result<JsonObject> read_rule_files(const std::string& home) {
  const std::string directory = home + "/policy";
  TRY(const std::vector<std::string> names, rule_file_names(directory));
  JsonArray documents;
  for (const std::string& name : names) {
    TRY(const std::string text, rule_file_text(directory + "/" + name));
    TRY(JsonObject document, parse_rule_file(text, name));
    documents.push_back(std::move(document));
  }
  return JsonObject{{"documents", std::move(documents)}};
}

}  // namespace kith::node
