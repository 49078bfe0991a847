#pragma once

/// Who is responsible for what: modules by name, message type and command.
///
/// Modules keep no state (it is in records), so agents with the same wiring share one table; a
/// simulator of thousands makes it once. Never changed after its making. Single-threaded, as the
/// agents that share it.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/module.hpp"

namespace kith::node {

class ModuleTable {
 public:
  /// Each name, message type and command has one owner (asserted). The order of the modules is the
  /// order in which they are started.
  explicit ModuleTable(std::vector<std::unique_ptr<protocol::Module>> modules);
  ~ModuleTable();
  ModuleTable(const ModuleTable&) = delete;
  ModuleTable& operator=(const ModuleTable&) = delete;

  /// nullptr: nobody.
  [[nodiscard]] protocol::Module* named(std::string_view name) const;
  [[nodiscard]] protocol::Module* for_type(std::string_view message_type) const;
  /// The type under which a module knows this one: messages of another minor version, or written
  /// with other case and punctuation, are the same (protocol/message_type.hpp). nullptr: none.
  [[nodiscard]] const std::string* known_type(std::string_view message_type) const;
  [[nodiscard]] protocol::Module* for_command(std::string_view command) const;
  [[nodiscard]] const std::vector<std::unique_ptr<protocol::Module>>& all() const {
    return modules_;
  }

 private:
  using Index = std::map<std::string, protocol::Module*, std::less<>>;
  void add(protocol::Module& module);

  std::vector<std::unique_ptr<protocol::Module>> modules_;
  Index by_name_;
  Index by_type_;
  Index by_command_;
};

}  // namespace kith::node
