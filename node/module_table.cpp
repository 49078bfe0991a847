#include "node/module_table.hpp"

#include "crypto/assert.hpp"
#include "protocol/message_type.hpp"

namespace kith::node {
namespace {

template <class Index>
protocol::Module* in(const Index& index, std::string_view key) {
  const auto found = index.find(key);
  return found == index.end() ? nullptr : found->second;
}

}  // namespace

ModuleTable::ModuleTable(std::vector<std::unique_ptr<protocol::Module>> modules)
    : modules_(std::move(modules)) {
  for (const auto& module : modules_) add(*module);
}

ModuleTable::~ModuleTable() = default;

void ModuleTable::add(protocol::Module& module) {
  const bool name_is_new = by_name_.emplace(module.name(), &module).second;
  ASSERT(name_is_new);
  for (const std::string& type : module.message_types()) {
    const bool type_is_new = by_type_.emplace(type, &module).second;
    ASSERT(type_is_new);
  }
  for (const std::string& command : module.commands()) {
    const bool command_is_new = by_command_.emplace(command, &module).second;
    ASSERT(command_is_new);
  }
}

protocol::Module* ModuleTable::named(std::string_view name) const {
  return in(by_name_, name);
}

protocol::Module* ModuleTable::for_type(std::string_view message_type) const {
  return in(by_type_, message_type);
}

const std::string* ModuleTable::known_type(std::string_view message_type) const {
  if (const auto found = by_type_.find(message_type); found != by_type_.end()) {
    return &found->first;
  }
  const auto asked = protocol::MessageType::parse(message_type);
  if (!asked.has_value()) return nullptr;
  for (const auto& [type, module] : by_type_) {
    const auto known = protocol::MessageType::parse(type);
    if (known.has_value() && protocol::same_message(*asked, *known)) return &type;
  }
  return nullptr;
}

protocol::Module* ModuleTable::for_command(std::string_view command) const {
  return in(by_command_, command);
}

}  // namespace kith::node
