#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/ledger/history_scenarios.hpp"

// KITH_WRITE_HISTORIES=1 writes the files anew; else they must be what the scenarios tell.

namespace kith::test {
namespace {

const std::filesystem::path kFolder =
    std::filesystem::path(KITH_SOURCE_DIR) / "tests/ledger/histories";

std::vector<Scenario> all_scenarios() {
  std::vector<Scenario> all = ordinary_scenarios();
  for (auto* more : {&form_scenarios, &recovery_scenarios, &move_scenarios, &witnessed_scenarios,
                     &agent_scenarios, &policy_scenarios}) {
    for (Scenario& scenario : more()) all.push_back(std::move(scenario));
  }
  return all;
}

JsonArray numbers(const std::vector<std::size_t>& values) {
  JsonArray array;
  for (const std::size_t value : values) array.emplace_back(static_cast<std::int64_t>(value));
  return array;
}

JsonObject expected_json(const Expected& expected) {
  return {{"status", expected.status},          {"n", static_cast<std::int64_t>(expected.n)},
          {"junk", numbers(expected.junk)},     {"replaced", numbers(expected.replaced)},
          {"vetoed", numbers(expected.vetoed)}, {"evidence", numbers(expected.evidence)}};
}

std::string file_text(const Scenario& scenario, const LogLab& lab) {
  JsonArray blobs;
  for (const auto& blob : lab.blobs) {
    JsonObject one{{blob.anchored ? "time_ms" : "seen_ms", ledger::to_ms(blob.time)},
                   {"blob", std::string(crypto::as_text(blob.blob))}};
    if (!blob.ledger.empty()) one["ledger"] = blob.ledger;
    JsonArray witnessed;
    for (const auto& time : blob.witnessed) witnessed.push_back(ledger::witness_time_json(time));
    if (!witnessed.empty()) one["witnessed"] = std::move(witnessed);
    blobs.push_back(std::move(one));
  }
  JsonObject file{{"says", scenario.says},
                  {"subject", lab.subject},
                  {"now_ms", ledger::to_ms(lab.time)},
                  {"test_mode", scenario.test_mode},
                  {"blobs", blobs},
                  {"expected", expected_json(scenario.expected)}};
  JsonArray ledgers;
  for (const auto& ledger : lab.descriptors) {
    ledgers.push_back(must(crypto::parse_json(ledger::descriptor_json(ledger))));
  }
  if (!ledgers.empty()) file["ledgers"] = std::move(ledgers);
  return crypto::canonical_json(Json(file)) + "\n";
}

std::vector<std::size_t> positions(const std::vector<ledger::LogRecord>& records) {
  std::vector<std::size_t> all;
  for (const auto& record : records) all.push_back(record.position);
  return all;
}

/// What our reader makes of it, in the form of an expectation.
Expected read(const LogLab& lab, bool test_mode) {
  const auto view = lab.try_view(test_mode);
  if (!view.has_value()) {
    return {view.error().code == Errc::refused ? "refused" : "not_found", 0};
  }
  Expected seen{std::string(ledger::status_name(view->status)), view->n()};
  for (const auto& junk : view->junk) seen.junk.push_back(junk.position);
  seen.replaced = positions(view->replaced);
  seen.vetoed = positions(view->vetoed);
  for (const auto& pair : view->duplicity) seen.evidence.push_back(pair.second);
  return seen;
}

/// Reads a data file as a foreign reader would, and nothing else.
void expect_as_told(const std::string& name, const std::string& text) {
  const auto file = crypto::parse_json(text);
  ASSERT_TRUE(file.has_value()) << name << ": " << file.error().detail;
  const JsonObject& object = file->as_object();
  LogLab lab;
  lab.subject = std::string(object.at("subject").as_string());
  lab.time = ledger::anchor_time_ms(object.at("now_ms").as_int64());
  for (const Json& item : object.at("blobs").as_array()) {
    const JsonObject& blob = item.as_object();
    const bool anchored = blob.contains("time_ms");
    const std::int64_t time = blob.at(anchored ? "time_ms" : "seen_ms").as_int64();
    lab.blobs.push_back({crypto::to_bytes(std::string_view(blob.at("blob").as_string())),
                         ledger::anchor_time_ms(time)});
    lab.blobs.back().anchored = anchored;
    if (blob.contains("ledger")) lab.blobs.back().ledger = blob.at("ledger").as_string();
    if (!blob.contains("witnessed")) continue;
    for (const Json& one : blob.at("witnessed").as_array()) {
      lab.blobs.back().witnessed.push_back(must(ledger::parse_witness_time(one)));
    }
  }
  if (object.contains("ledgers")) {
    for (const Json& ledger : object.at("ledgers").as_array()) {
      lab.descriptors.push_back(must(ledger::parse_descriptor(crypto::json_text(ledger))));
    }
  }
  const Expected seen = read(lab, object.at("test_mode").as_bool());
  EXPECT_EQ(crypto::canonical_json(Json(expected_json(seen))),
            crypto::canonical_json(object.at("expected")))
      << name << ": " << object.at("says").as_string();
}

std::string text_of_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(History, EveryOneIsJudgedAsItIsTold) {
  const bool write = std::getenv("KITH_WRITE_HISTORIES") != nullptr;
  std::set<std::string> names;
  for (const Scenario& scenario : all_scenarios()) {
    LogLab lab(scenario.kind, scenario.shape);
    scenario.tell(lab);
    const std::string text = file_text(scenario, lab);
    const auto path = kFolder / (scenario.name + ".json");
    EXPECT_TRUE(names.insert(path.filename()).second) << scenario.name << " is there twice";
    if (write) std::ofstream(path, std::ios::binary) << text;
    const std::string stored = text_of_file(path);
    EXPECT_EQ(stored, text) << scenario.name << ": its file tells another story";
    expect_as_told(scenario.name, stored);
  }
  EXPECT_GE(names.size(), 80U);
  for (const auto& file : std::filesystem::directory_iterator(kFolder)) {
    if (file.path().extension() != ".json") continue;
    EXPECT_TRUE(names.contains(file.path().filename())) << file.path() << " is told nowhere";
  }
}

// The counter-example: a reader that takes one entry too many, or one too few, is noticed.
TEST(History, AnotherJudgementIsNoticed) {
  LogLab lab;
  lab.start();
  lab.post(lab.update(1));
  Scenario scenario{"changed", "One entry after the first.", {"normal", 1}, {}};
  for (const std::uint64_t n : {0U, 2U}) {
    scenario.expected.n = n;
    EXPECT_NONFATAL_FAILURE(expect_as_told(scenario.name, file_text(scenario, lab)), "One entry");
  }
  scenario.expected = {"normal", 1};
  expect_as_told(scenario.name, file_text(scenario, lab));
}

}  // namespace
}  // namespace kith::test
