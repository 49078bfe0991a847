#pragma once

/// Witnesses as agents, and a ledger host that asks them: everything between them is strings, and
/// the clock is the network's.

#include <functional>
#include <map>
#include <set>

#include "ledger/log_store.hpp"
#include "ledger/memory_ledger.hpp"
#include "ledger/remote/cosigning.hpp"
#include "ledger/remote/service.hpp"
#include "ledger/witness_module.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/ledger_kit.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {

/// As the shell answers it (node/runtime/reception.cpp).
inline ledger::HttpReply http_of_witness(const Result<JsonObject>& reply) {
  if (!reply.has_value()) {
    switch (reply.error().code) {
      case Errc::not_found:
        return {404, "", ""};
      case Errc::bad_signature:
        return {403, "", ""};
      case Errc::bad_proof:
        return {422, "", ""};
      case Errc::malformed:
      case Errc::limit_exceeded:
        return {400, "", ""};
      default:
        return {503, "", ""};
    }
  }
  if (reply->contains("signatures")) {
    return {200, "", must(crypto::json_string(*reply, "signatures"))};
  }
  return {409, "text/x.tlog.size", must(crypto::json_string(*reply, "size"))};
}

/// A node that is a witness.
class WitnessBox {
 public:
  WitnessBox(Network& net, const std::string& name)
      : box(net.add(name, [name] {
          Modules all;
          all.push_back(
              std::make_unique<ledger::WitnessModule>("https://" + name + ".test/witness"));
          return all;
        })) {
    const std::string text = must(crypto::json_string(show(), "key"));
    key = must(ledger::parse_verifier_key(text)).key;
    address = must(ledger::parse_witness_address(text + " https://" + name + ".test/witness/"));
  }
  JsonObject show() { return must(box.command("witness-show")); }
  void watch(const ledger::LedgerDescriptor& ledger) {
    must(box.command("witness-watch", {{"ledger", ledger::descriptor_json(ledger)}}));
  }
  ledger::HttpReply post(const std::string& request) {
    return http_of_witness(box.command("witness-cosign", {{"request", request}}));
  }

  AgentBox& box;
  PublicKey key;
  ledger::WitnessAddress address;
};

/// A ledger host and its way to the witnesses. Several of one key are one host that lies.
class CosignedHost {
 public:
  explicit CosignedHost(const ledger::LedgerDescriptor& descriptor,
                        const std::vector<WitnessBox*>& its_witnesses)
      : witnesses(its_witnesses), store(descriptor, true), service(store, ledger_signer()) {
    restart();
  }
  /// What is not stored is lost.
  void restart() {
    std::vector<ledger::WitnessAddress> addresses;
    for (const WitnessBox* witness : witnesses) addresses.push_back(witness->address);
    cosigning = std::make_unique<ledger::Cosigning>(store, ledger_signer(), std::move(addresses));
  }
  /// Somebody's log; its position.
  std::uint64_t append(std::uint64_t seed, ledger::AnchorTime now) {
    LogLab stranger(Kind::did, {}, seed);
    stranger.start(true);
    const auto done = must(store.append({stranger.subject, stranger.blobs[0].blob, ""}, now));
    return std::get<ledger::Appended>(done).position;
  }
  /// Questions and answers until there are no more; what is down does not answer.
  void cosign(ledger::AnchorTime now, bool urgent = true) {
    for (int i = 0; i < 50; ++i) {
      const auto questions = must(cosigning->ask(now, urgent));
      if (questions.empty()) return;
      for (const auto& question : questions) {
        ++asked;
        must(cosigning->take(question.witness, reply_to(question), now));
      }
    }
    throw std::runtime_error("the host asks for ever");
  }
  Result<ledger::HttpReply> reply_to(const ledger::Cosigning::Question& question) {
    if (down.contains(question.witness)) return fail(Errc::timeout);
    ledger::HttpReply reply = witnesses[question.witness]->post(question.http.body);
    if (spoil) spoil(question.witness, reply);
    return reply;
  }
  std::uint64_t witnessed() { return must(cosigning->witnessed()); }
  std::string error_of(std::size_t witness) {
    const JsonObject report = must(cosigning->report());
    const JsonObject& line = report.at("witnesses").get_array().at(witness).get_object();
    return line.contains("error") ? must(crypto::json_string(line, "error")) : std::string();
  }
  ledger::TrustedCheckpoint newest() {
    const auto kept = must(store.newest_cosigned());
    return must(ledger::open_checkpoint(kept.value().note, store.descriptor()));
  }

  std::vector<WitnessBox*> witnesses;
  ledger::MemoryLedger store;
  ledger::LedgerService service;
  std::unique_ptr<ledger::Cosigning> cosigning;
  std::set<std::size_t> down;
  std::function<void(std::size_t, ledger::HttpReply&)> spoil;
  std::size_t asked = 0;
};

/// Three witnesses, of whom `w` are asked for.
class WitnessLab {
 public:
  explicit WitnessLab(std::uint32_t w = 2, std::size_t count = 3) {
    for (std::size_t i = 0; i < count; ++i) {
      boxes.push_back(std::make_unique<WitnessBox>(net, "witness" + std::to_string(i)));
    }
    descriptor = ledger_descriptor();
    for (const auto& witness : boxes) descriptor.witnesses.push_back(witness->key);
    descriptor.w = w;
    for (const auto& witness : boxes) witness->watch(descriptor);
  }
  std::vector<WitnessBox*> all() const {
    std::vector<WitnessBox*> pointers;
    for (const auto& box : boxes) pointers.push_back(box.get());
    return pointers;
  }
  ledger::AnchorTime now() const { return ledger::anchor_time(net.now()); }

  Network net;
  std::vector<std::unique_ptr<WitnessBox>> boxes;
  ledger::LedgerDescriptor descriptor;
};

}  // namespace kith::test
