// Store and forward: a mediator takes letters of 4 KiB, syncs them to its disk before it says so,
// and hands them to the clients that fetch them. The real Agent on the real database, in groups as
// the node makes them; no sockets.
//
// The floor does what cannot be left out, with the calls of libsodium, OpenSSL and LevelDB: it
// opens each forward, puts the letter into a database (one synced write for a group), opens the
// clients' requests, reads the letters, packs the delivery, deletes what was confirmed. Both take
// turns in one process; processor time counts, the least of many rounds.
//
// A second floor also seals each letter for the disk and opens it again, as the node does with all
// that it stores: what is between the two floors is the price of that promise, not of slow code.

#include <leveldb/db.h>
#include <leveldb/write_batch.h>
#include <time.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "bench/mail_client.hpp"
#include "crypto/record_keys.hpp"
#include "node/agent.hpp"
#include "node/storage/group_store.hpp"
#include "node/storage/leveldb_store.hpp"
#include "node/wiring.hpp"
#include "protocol/messenger.hpp"
#include "tests/support/temp_directory.hpp"

namespace {

using namespace kith;
using bench::Floor;
using bench::give_up;
using bench::MailClient;
using bench::need;
using bench::Work;

constexpr std::size_t kClients = 16;
constexpr std::size_t kLetters = 10;  ///< For each client in a round: one delivery.
constexpr std::size_t kGroup = 64;
constexpr std::size_t kLetterBytes = 4096;

double processor_us() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

/// Processor time of a round.
struct Spent {
  double taken_us = 0;      ///< Forwards, until they are durable.
  double delivered_us = 0;  ///< Requests and the deliveries that answer them.
  double confirmed_us = 0;  ///< Confirmations, deletion, and the answers.
  [[nodiscard]] double all_us() const { return taken_us + delivered_us + confirmed_us; }
  void least(const Spent& other) {
    taken_us = std::min(taken_us, other.taken_us);
    delivered_us = std::min(delivered_us, other.delivered_us);
    confirmed_us = std::min(confirmed_us, other.confirmed_us);
  }
};
constexpr Spent kForever{1e18, 1e18, 1e18};

/// A mediator without its sockets. `grouped` false: each event is synced alone, nothing is kept.
class Mediator {
 public:
  explicit Mediator(bool grouped)
      : random_(1, "mediator"), keys_(random_.secret(32), random_), grouped_(grouped) {
    disk_ = need(node::LeveldbStore::open(directory_.path("db"), keys_), "the database");
    node::GroupStoreLimits limits;
    if (!grouped) limits = {0, 0, 0};
    store_ = std::make_unique<node::GroupStore>(*disk_, limits);
    node::NodeConfig config;
    config.mediate = true;
    config.public_url = "https://mediator.example/";
    agent_ = std::make_unique<node::Agent>(node::AgentSeams{*store_, keys_, random_},
                                           node::make_modules(config));
    need(agent_->start(clock()), "the agent");
    flush();
  }

  [[nodiscard]] Did routing_did() {
    const auto outcome =
        need(agent_->handle(node::CommandGiven{{"1", "mediator-invitation", {}, {}}}, clock()),
             "the invitation");
    const JsonObject& reply = **outcome.reply;
    return need(
        Did::parse(std::string_view(reply.at("invitation").as_object().at("from").get_string())),
        "the routing DID");
  }

  /// The answers, one for each envelope that has one. Transports hand over what they read, and
  /// write what they get, without copies.
  std::vector<std::string> take(const std::vector<std::string>& envelopes,
                                double* spent_us = nullptr) {
    std::vector<node::Event> events;
    for (const std::string& envelope : envelopes) {
      events.emplace_back(node::EnvelopeArrived{crypto::to_bytes(envelope), "c"});
    }
    std::vector<Bytes> answers;
    const double begin = processor_us();
    for (std::size_t at = 0; at < events.size(); at += kGroup) {
      std::vector<node::Outcome> group;
      const std::size_t end = std::min(at + kGroup, events.size());
      for (std::size_t i = at; i < end; ++i) {
        group.push_back(handle(events[i]));
        if (group.back().refused) give_up(group.back().refused->detail.c_str());
      }
      if (grouped_) flush();
      for (const node::Outcome& outcome : group) {
        for (const protocol::Effect& effect : outcome.effects) {
          auto payload =
              need(protocol::decode_record<protocol::SendPayload>(effect.payload), "an answer");
          answers.push_back(std::move(payload.packed));
          handle(protocol::EffectResult{effect.id, Bytes{}, false});
        }
      }
      if (grouped_) flush();
    }
    if (spent_us != nullptr) *spent_us = processor_us() - begin;
    std::vector<std::string> texts;
    for (const Bytes& answer : answers) texts.emplace_back(crypto::as_text(answer));
    return texts;
  }

 private:
  [[nodiscard]] node::ClockReading clock() const {
    return {protocol::from_epoch_ms(bench::now_seconds() * 1000), {}};
  }
  node::Outcome handle(const node::Event& event) {
    auto outcome = need(agent_->handle(event, clock()), "an event");
    if (!grouped_) flush();
    return outcome;
  }
  void flush() {
    if (!store_->flush().has_value()) give_up("the disk");
  }

  test::TempDirectory directory_;
  crypto::SeededRandom random_;
  crypto::SoftwareKeys keys_;
  bool grouped_;
  std::unique_ptr<node::LeveldbStore> disk_;
  std::unique_ptr<node::GroupStore> store_;
  std::unique_ptr<node::Agent> agent_;
};

/// Envelopes of each kind that a round has, with what was in them.
struct Sample {
  std::string envelope;
  std::string plaintext;
};
struct Samples {
  Sample forward, letter, request, delivery, received, status;
};

class FloorMediator {
 public:
  /// `seal`: for letters on the disk; null: they lie there as they are. Outlives this, as `random`.
  FloorMediator(const Samples& samples, Random& random, const crypto::RecordKeys* seal)
      : mine_(crypto::x25519_generate(random)),
        theirs_(crypto::x25519_generate(random)),
        letter_(samples.letter.envelope),
        random_(random),
        seal_(seal) {
    open_forward_ = floor(samples.forward, random).unpack();
    open_request_ = floor(samples.request, random).unpack();
    open_received_ = floor(samples.received, random).unpack();
    pack_delivery_ = floor(samples.delivery, random).pack();
    pack_status_ = floor(samples.status, random).pack();
    leveldb::Options options;
    options.create_if_missing = true;
    options.compression = leveldb::kNoCompression;
    leveldb::DB* db = nullptr;
    if (!leveldb::DB::Open(options, directory_.path("db"), &db).ok()) give_up("LevelDB");
    db_.reset(db);
  }

  Spent round() {
    Spent spent;
    const std::size_t letters = kClients * kLetters;
    double begin = processor_us();
    for (std::size_t at = 0; at < letters; at += kGroup) {
      leveldb::WriteBatch batch;
      for (std::size_t i = at; i < std::min(at + kGroup, letters); ++i) {
        open_forward_();
        put(batch, key(i));
      }
      write(batch);
    }
    spent.taken_us = processor_us() - begin;
    begin = processor_us();
    for (std::size_t i = 0; i < letters; ++i) {
      if (i % kLetters == 0) open_request_();
      get(key(i));
      if (i % kLetters == 0) pack_delivery_();
    }
    spent.delivered_us = processor_us() - begin;
    begin = processor_us();
    leveldb::WriteBatch confirmed;
    for (std::size_t i = 0; i < letters; ++i) {
      if (i % kLetters == 0) open_received_();
      confirmed.Delete(key(i));
    }
    write(confirmed);
    for (std::size_t i = 0; i < kClients; ++i) pack_status_();
    spent.confirmed_us = processor_us() - begin;
    next_ += letters;
    return spent;
  }

 private:
  const Floor& floor(const Sample& sample, Random& random) {
    floors_.push_back(std::make_unique<Floor>(Floor::Wraps::openssl, sample.envelope,
                                              sample.plaintext, 0, random, mine_, theirs_));
    return *floors_.back();
  }
  [[nodiscard]] std::string key(std::size_t i) const {
    std::string text(32, '\0');
    const std::size_t number = next_ + i;
    std::memcpy(text.data(), &number, sizeof(number));
    return text;
  }
  void put(leveldb::WriteBatch& batch, const std::string& name) {
    if (seal_ == nullptr) return batch.Put(name, letter_);
    const Bytes sealed = seal_->seal(name, crypto::as_bytes(letter_), random_);
    batch.Put(name, {reinterpret_cast<const char*>(sealed.data()), sealed.size()});
  }
  void get(const std::string& name) {
    std::string stored;
    if (!db_->Get({}, name, &stored).ok()) give_up("LevelDB");
    if (seal_ == nullptr) return;
    if (!seal_->open(name, crypto::as_bytes(stored)).has_value()) give_up("a letter's seal");
  }
  void write(leveldb::WriteBatch& batch) {
    leveldb::WriteOptions options;
    options.sync = true;
    if (!db_->Write(options, &batch).ok()) give_up("LevelDB");
  }

  test::TempDirectory directory_;
  crypto::RawKeyPair mine_;
  crypto::RawKeyPair theirs_;
  std::string letter_;
  Random& random_;
  const crypto::RecordKeys* seal_;
  std::vector<std::unique_ptr<Floor>> floors_;
  Work open_forward_, open_request_, open_received_, pack_delivery_, pack_status_;
  std::unique_ptr<leveldb::DB> db_;
  std::size_t next_ = 0;
};

/// Strangers write to all clients, who then fetch their mail.
class Town {
 public:
  explicit Town(Mediator& mediator) : mediator_(mediator), sender_(world_.make_party()) {
    const Did routing = mediator.routing_did();
    for (std::size_t i = 0; i < kClients; ++i) {
      clients_.emplace_back(world_, routing);
      MailClient& client = clients_.back();
      mediator.take({client.ask(bench::kMediation, "mediate-request")});
      mediator.take({client.ask(
          bench::kMediation, "recipient-update",
          {{"updates",
            JsonArray{JsonObject{{"recipient_did", client.did().text()}, {"action", "add"}}}}})});
    }
  }

  Spent round() {
    Spent spent;
    std::vector<std::string> forwards, requests, confirmations;
    for (MailClient& client : clients_) {
      for (std::size_t i = 0; i < kLetters; ++i) {
        forwards.push_back(client.letter_by_mediator(sender_, kLetterBytes));
      }
      requests.push_back(client.ask(bench::kPickup, "delivery-request", {{"limit", kLetters}}));
    }
    mediator_.take(forwards, &spent.taken_us);
    const auto deliveries = mediator_.take(requests, &spent.delivered_us);
    if (deliveries.size() != kClients) give_up("somebody got no delivery");
    Unpacked opened;
    for (std::size_t i = 0; i < kClients; ++i) {
      opened = clients_[i].open(deliveries[i]);
      if (opened.message.attachments.size() != kLetters) give_up("a letter is missing");
      JsonArray ids;
      for (const Attachment& mail : opened.message.attachments) ids.push_back(Json(*mail.id));
      confirmations.push_back(
          clients_[i].ask(bench::kPickup, "messages-received", {{"message_id_list", ids}}));
    }
    const auto statuses = mediator_.take(confirmations, &spent.confirmed_us);
    if (statuses.size() != kClients) give_up("somebody got no status");
    samples_ = {{forwards.back(), {}},
                {std::string(crypto::as_text(*opened.message.attachments.front().base64)), {}},
                {requests.back(), {}},
                {deliveries.back(), opened.plaintext},
                {confirmations.back(), {}},
                {statuses.back(), clients_.back().open(statuses.back()).plaintext}};
    return spent;
  }

  /// Of the last round. What only the mediator can open is taken to be as long as it looks.
  [[nodiscard]] Samples samples() const {
    Samples samples = samples_;
    for (Sample* sample : {&samples.forward, &samples.request, &samples.received}) {
      const auto jwe = need(crypto::parse_jwe(sample->envelope), "an envelope");
      sample->plaintext.assign(jwe.ciphertext.size() - 1, 'x');
    }
    return samples;
  }
  [[nodiscard]] Random& random() { return world_.random; }

 private:
  Mediator& mediator_;
  test::World world_{2};
  test::Party sender_;
  std::vector<MailClient> clients_;
  Samples samples_;
};

}  // namespace

int main(int argc, char** argv) {
  const kith::crypto::OsRandom system_random;  // Lets libsodium choose its code for this processor.
  const bool brief = argc > 1 && std::string_view(argv[1]) == "--short";
  const std::size_t rounds = brief ? 2 : 40;
  Mediator mediator(true);
  Mediator alone(false);
  Town town(mediator);
  Town other_town(alone);
  town.round();
  FloorMediator floor(town.samples(), town.random(), nullptr);
  const auto seal = kith::crypto::RecordKeys::of_root(town.random().secret(32));
  FloorMediator sealing_floor(town.samples(), town.random(), &seal);
  Spent ours = kForever, alone_spent = kForever, least = kForever, sealed = kForever;
  for (std::size_t i = 0; i < rounds; ++i) {
    ours.least(town.round());
    if (i % 4 == 0) alone_spent.least(other_town.round());
    least.least(floor.round());
    sealed.least(sealing_floor.round());
  }
  std::printf("Letters of 4 KiB through a mediator, us of processor time for each\n\n");
  std::printf(
      "| what                              | taken | delivered | confirmed |    all | floor / it "
      "|\n");
  std::printf(
      "|-----------------------------------|-------|-----------|-----------|--------|------------|"
      "\n");
  const auto row = [&](const char* name, const Spent& spent) {
    constexpr double kMessages = kClients * kLetters;
    std::printf("| %-33s | %5.1f | %9.1f | %9.1f | %6.1f | %10.2f |\n", name,
                spent.taken_us / kMessages, spent.delivered_us / kMessages,
                spent.confirmed_us / kMessages, spent.all_us() / kMessages,
                least.all_us() / spent.all_us());
  };
  row("floor: the libraries' calls alone", least);
  row("floor that seals what it stores", sealed);
  row("mediator, groups of 64", ours);
  row("mediator, one by one", alone_spent);
  std::printf("\nThe floor that seals / the mediator in groups: %.2f\n",
              sealed.all_us() / ours.all_us());
  return 0;
}
