#include "node/cli/key_tables.hpp"

#include "crypto/algorithms.hpp"
#include "crypto/key_types.hpp"

namespace kith::node {
namespace {

JsonObject algorithm_table() {
  JsonArray rows;
  for (const crypto::AlgorithmInfo& one : crypto::algorithms()) {
    JsonObject row{{"name", one.name},
                   {"use", crypto::use_name(one.use)},
                   {"purpose", one.purpose},
                   {"parameters", one.parameters},
                   {"strength_bits", one.strength_bits},
                   {"quantum_safe", !crypto::falls_to_quantum(one)},
                   {"source", one.source}};
    if (one.last_year != 0) row["last_year"] = one.last_year;
    rows.push_back(std::move(row));
  }
  return {{"algorithms", std::move(rows)}};
}

JsonObject key_type_table() {
  JsonArray rows;
  for (const crypto::KeyTypeInfo& one : crypto::key_types()) {
    JsonArray types;
    for (const KeyType type : one.types) types.emplace_back(crypto::key_type_name(type));
    rows.push_back(JsonObject{{"name", one.name},
                              {"use", one.use},
                              {"types", std::move(types)},
                              {"kept", crypto::keeping_text(one.keeping)},
                              {"life", one.life},
                              {"period_days", one.period_days},
                              {"uses_max", one.uses_max},
                              {"derived", false}});
  }
  return {{"key_types", std::move(rows)}};
}

}  // namespace

void print_algorithms(const Output& output) {
  if (output.json) return output.print(algorithm_table());
  for (const crypto::AlgorithmInfo& one : crypto::algorithms()) {
    std::string line = std::string(one.name) + ": " + std::string(crypto::use_name(one.use)) +
                       ", " + std::to_string(one.strength_bits) + " bits";
    if (one.last_year != 0) line += ", until " + std::to_string(one.last_year);
    output.say(line + "\n  for " + std::string(one.purpose) + " (" + std::string(one.source) + ")");
  }
  output.say(
      "\n\"until\": falls to a large quantum computer; NIST plans to disallow it after that year. "
      "Nothing weaker than 128 bits is in use.");
}

void print_key_types(const Output& output) {
  if (output.json) return output.print(key_type_table());
  for (const crypto::KeyTypeInfo& one : crypto::key_types()) {
    output.say(std::string(one.name) + " (" + crypto::types_text(one) +
               "): " + std::string(one.use) +
               "\n  kept in: " + std::string(crypto::keeping_text(one.keeping)) + "; used " +
               std::string(one.life) + "\n  due after: " + crypto::period_text(one));
  }
  output.say(
      "\nEach key has one purpose and is drawn by itself: none is derived from a tree or from your "
      "passphrase.");
}

void print_key_list(const JsonObject& reply, const Output& output) {
  if (output.json) return output.print(reply);
  const JsonArray& keys = reply.at("keys").get_array();
  for (const Json& item : keys) {
    const JsonObject& key = item.get_object();
    const std::string due = crypto::json_text_of(key, "due");
    output.say(crypto::json_text_of(key, "id") + "\n  " + crypto::json_text_of(key, "kind") +
               " of " + printable(crypto::json_text_of(key, "of")) + ", " +
               crypto::json_text_of(key, "state") +
               (due.empty() ? "" : ", due " + local_time_text(due)));
  }
  if (keys.empty()) output.say("There is none.");
}

}  // namespace kith::node
