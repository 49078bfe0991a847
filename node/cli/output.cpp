#include "node/cli/output.hpp"

#include <chrono>
#include <ctime>
#include <iostream>

#include "protocol/time.hpp"

namespace kith::node {
namespace {

std::string label_of(std::string_view key) {
  std::string label = printable(key);
  for (char& c : label) c = c == '_' || c == '-' ? ' ' : c;
  return label;
}

std::string scalar_text(const Json& value) {
  if (value.is_string()) return local_time_text(std::string(value.get_string()));
  if (value.is_bool()) return value.get_bool() ? "yes" : "no";
  if (value.is_null()) return "-";
  return crypto::json_text(value);
}

void print_value(std::string_view label, const Json& value, std::size_t depth);

void print_members(const JsonObject& object, std::size_t depth) {
  for (const auto& [key, value] : object) print_value(label_of(key), value, depth);
}

void print_value(std::string_view label, const Json& value, std::size_t depth) {
  const std::string indent(2 * depth, ' ');
  if (value.is_object()) {
    std::cout << indent << label << ":\n";
    print_members(value.get_object(), depth + 1);
  } else if (value.is_array()) {
    const JsonArray& items = value.get_array();
    std::cout << indent << label << ": " << (items.empty() ? "none" : "") << "\n";
    for (const Json& item : items) {
      if (!item.is_object()) {
        std::cout << indent << "  - " << scalar_text(item) << "\n";
        continue;
      }
      std::cout << indent << "  -\n";
      print_members(item.get_object(), depth + 2);
    }
  } else {
    std::cout << indent << label << ": " << scalar_text(value) << "\n";
  }
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  return out;
}

std::string local_time_text(const std::string& text) {
  const auto time = protocol::from_utc_text(text);
  if (!time.has_value()) return printable(text);
  const std::time_t seconds = static_cast<std::time_t>(protocol::epoch_seconds(*time));
  std::tm local{};
  char out[64];
  if (::localtime_r(&seconds, &local) == nullptr) return text;
  const std::size_t size = std::strftime(out, sizeof out, "%Y-%m-%d %H:%M:%S", &local);
  return {out, size};
}

void Output::print(const JsonObject& reply) const {
  if (json) {
    std::cout << crypto::json_text(reply) << std::endl;
    return;
  }
  print_members(reply, 0);
  std::cout << std::flush;
}

void Output::say(const std::string& sentence) const {
  if (!json) std::cout << sentence << std::endl;
}

int Output::error(const ErrorReport& report) const {
  if (json) {
    std::cerr << crypto::json_text(JsonObject{{"error", to_json(report)}}) << std::endl;
  } else {
    std::cerr << printable(report.message) << "\n" << printable(report.hint) << std::endl;
  }
  return report.exit_code;
}

}  // namespace kith::node
