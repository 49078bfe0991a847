// Looking up logs that move from ledger to ledger.

#include "ledger/log_trail.hpp"

#include <gtest/gtest.h>

#include "ledger/ledger_effects.hpp"
#include "ledger/log_limits.hpp"
#include "ledger/memory_ledger.hpp"
#include "ledger/remote/service.hpp"
#include "ledger/resolution.hpp"
#include "protocol/kept_document.hpp"
#include "protocol/unit_of_work.hpp"
#include "tests/support/ledger_kit.hpp"
#include "tests/support/log_lab.hpp"
#include "tests/support/memory_store.hpp"

namespace kith::test {
namespace {

using protocol::Effect;
using protocol::EffectKind;
using protocol::FetchPayload;
using protocol::UnitOfWork;

/// A ledger that answers over HTTP, or is down.
struct LedgerHost {
  LedgerHost(std::string base, std::uint64_t seed)
      : url(std::move(base)),
        ledger(ledger_descriptor(seed), true),
        service(ledger, ledger_signer(seed)),
        id(ledger::ledger_id(ledger_descriptor(seed))) {}
  std::string url;
  ledger::MemoryLedger ledger;
  ledger::LedgerService service;
  std::string id;
  bool up = true;
  int asked = 0;
};

/// A log on `old`, and somebody who looks it up.
class LogTrailTest : public ::testing::Test {
 protected:
  LogTrailTest() {
    LogContent content = lab_.first_content();
    content.ledgers = {old_.id};
    lab_.ledger = old_.id;
    lab_.start_with(content);
    append(old_, lab_.blobs.back().blob);
  }
  static void append_to(LedgerHost& host, const std::string& subject, const Bytes& blob,
                        AnchorTime time) {
    const Entry entry = must(ledger::parse_entry(blob));
    const auto outcome = must(host.ledger.append({subject, blob, entry.prev}, time));
    ASSERT_TRUE(std::holds_alternative<ledger::Appended>(outcome));
  }
  void append(LedgerHost& host, const Bytes& blob) {
    append_to(host, lab_.subject, blob, lab_.time);
  }
  void post(LedgerHost& host, const Entry& entry) {
    lab_.ledger = host.id;
    lab_.post(entry);
    append(host, lab_.blobs.back().blob);
  }
  void copy_to(LedgerHost& host) {
    for (const auto& record : lab_.view().history) append(host, ledger::entry_blob(*record.entry));
  }
  Entry with_addresses(const std::vector<std::pair<std::string, std::string>>& where) {
    const LogView view = lab_.view();
    JsonObject document = view.current.state.get_object();
    JsonArray services;
    for (const auto& [id, uri] : where) {
      services.push_back(
          JsonObject{{"id", lab_.subject + "#ledger-" + std::to_string(services.size())},
                     {"type", "KithLedger"},
                     {"serviceEndpoint", JsonObject{{"ledger", id}, {"uri", uri}}}});
    }
    document["@context"] = JsonArray{"https://www.w3.org/ns/did/v1"};
    document["service"] = std::move(services);
    Entry entry = must(ledger::make_update(view, Json(document), lab_.time));
    return lab_.sign(entry, view.current.keys.k);
  }
  /// The log moves as its owner moves it.
  void move() {
    post(old_, with_addresses({{old_.id, old_.url}, {new_.id, new_.url}}));
    post(old_, lab_.move(old_.id, new_.id));
    copy_to(new_);
  }

  LedgerHost& host_of(std::string_view url) {
    for (LedgerHost* host : {&old_, &new_}) {
      if (url.starts_with(host->url)) return *host;
    }
    throw std::runtime_error("nobody is at " + std::string(url));
  }
  Result<Bytes> perform(const Effect& effect) {
    if (effect.kind == EffectKind::ledger_read) {
      const auto asked = must(protocol::decode_record<protocol::LedgerReadPayload>(effect.payload));
      LedgerHost& host = host_of(asked.ledger);
      ++host.asked;
      if (!host.up) return fail(Errc::unreachable);
      const auto question = must(ledger::question_of(effect));
      const auto reply =
          host.service.handle({"GET", question.target.substr(host.url.size()), {}}, lab_.time);
      return ledger::result_of(effect, reply).outcome;
    }
    const auto asked = must(protocol::decode_record<FetchPayload>(effect.payload));
    fetched_.push_back(asked);
    LedgerHost& host = host_of(asked.url);
    ++host.asked;
    if (!host.up) return fail(Errc::unreachable);
    const auto reply =
        host.service.handle({"GET", asked.url.substr(host.url.size()), {}}, lab_.time);
    return protocol::encode_record(
        protocol::FetchedPage{static_cast<std::uint32_t>(reply.status),
                              {},
                              reply.content_type,
                              crypto::to_bytes(std::string_view(reply.body))});
  }
  /// Of a new unit of work on the same store.
  JsonObject look_up(const std::string& url) {
    UnitOfWork unit({store_,
                     keys_,
                     random_,
                     protocol::from_epoch_ms(ledger::to_ms(lab_.time)),
                     {},
                     test_mode_});
    const auto started =
        must(ledger::start_resolution(unit, {{"did", lab_.subject}, {"ledger", url}}));
    const std::string id = must(crypto::json_string(started, "id"));
    for (std::size_t i = 0; i < unit.started().size(); ++i) {
      const Effect effect = unit.started()[i];
      ledger::take_resolution_answer(unit, id, effect, perform(effect));
    }
    const JsonObject reply = must(ledger::resolution_status(unit, {{"id", id}}));
    kept_ = protocol::kept_document(unit, *Did::parse(lab_.subject)).has_value();
    must(unit.commit());
    return reply;
  }
  static JsonObject kith_of(const JsonObject& reply) {
    EXPECT_EQ(reply.at("state"), "done") << crypto::canonical_json(Json(reply));
    if (reply.at("state") != "done") return {};
    return reply.at("didDocumentMetadata").get_object().at("kith").get_object();
  }
  static std::string head_of(const JsonObject& reply) {
    const JsonObject kith = kith_of(reply);
    return kith.empty() ? "" : must(crypto::json_string(kith, "headVersionId"));
  }
  std::string head() {
    const auto view = lab_.view();
    return std::to_string(view.n()) + "-" + view.head().hash;
  }
  static std::string why(const JsonObject& reply) {
    EXPECT_EQ(reply.at("state"), "failed");
    return must(crypto::json_string(reply.at("didResolutionMetadata").get_object(), "message"));
  }
  void forget() { store_ = MemoryStore(); }

  LogLab lab_;
  LedgerHost old_{"https://old.example", 1};
  LedgerHost new_{"https://new.example", 2};
  MemoryStore store_;
  crypto::SeededRandom random_{1, "trail"};
  SoftwareKeys keys_{random_.secret(32), random_};
  std::vector<FetchPayload> fetched_;
  bool test_mode_ = true;
  bool kept_ = false;
};

TEST_F(LogTrailTest, IsFollowedByTheAddressInTheDocument) {
  EXPECT_EQ(head_of(look_up(old_.url)), head());
  move();
  post(new_, with_addresses({{new_.id, new_.url}}));
  const JsonObject reply = look_up(old_.url);
  EXPECT_EQ(head_of(reply), head());
  EXPECT_TRUE(kept_);
  const JsonObject moved = kith_of(reply).at("moved").get_object();
  EXPECT_EQ(moved.at("from"), Json(old_.id));
  EXPECT_EQ(moved.at("to"), Json(new_.id));
  ASSERT_EQ(fetched_.size(), 1U);
  EXPECT_FALSE(fetched_.front().public_only) << "in test mode";
}

TEST_F(LogTrailTest, AsksStrangersAddressesWithCare) {
  test_mode_ = false;
  move();
  EXPECT_EQ(head_of(look_up(old_.url)), head());
  ASSERT_EQ(fetched_.size(), 1U);
  EXPECT_TRUE(fetched_.front().public_only);
}

TEST_F(LogTrailTest, AsksTheOldLedgerFromTheNewOne) {
  move();
  post(new_, lab_.update(1));
  const JsonObject reply = look_up(new_.url);
  EXPECT_EQ(head_of(reply), head());
  EXPECT_FALSE(kith_of(reply).contains("unconfirmedMove"));
  EXPECT_EQ(old_.asked, 1);
}

TEST_F(LogTrailTest, ARecoverOnTheOldLedgerUndoesIt) {
  move();
  post(new_, lab_.update(1));
  post(old_, lab_.recover(0));
  EXPECT_EQ(kith_of(look_up(new_.url)).at("status"), "contested");
  lab_.time += 72h;
  for (const auto& url : {old_.url, new_.url}) {
    EXPECT_EQ(head_of(look_up(url)), head()) << url;
    EXPECT_TRUE(head().starts_with("1-"));
  }
}

TEST_F(LogTrailTest, IsRememberedWhenTheOldLedgerIsGone) {
  move();
  const std::string moved = head_of(look_up(old_.url));
  post(new_, lab_.update(1));
  old_.up = false;
  const std::string later = head_of(look_up(old_.url));
  EXPECT_EQ(later, head());
  EXPECT_NE(later, moved);
  // The counter-example: somebody who never saw the old one.
  forget();
  EXPECT_EQ(look_up(old_.url).at("state"), "failed");
}

TEST_F(LogTrailTest, WhenCIsOverTheOldLedgerIsNotAskedAgain) {
  move();
  look_up(old_.url);
  lab_.time += 49 * kDay;
  old_.asked = 0;
  look_up(old_.url);
  EXPECT_EQ(old_.asked, 1) << "to the last moment";
  lab_.time += std::chrono::milliseconds{1};
  post(new_, lab_.update(1));
  const JsonObject reply = look_up(old_.url);
  EXPECT_EQ(head_of(reply), head());
  EXPECT_FALSE(kith_of(reply).contains("moved"));
  EXPECT_EQ(old_.asked, 1);
}

TEST_F(LogTrailTest, SaysWhatItCannotFollow) {
  post(old_, lab_.move(old_.id, new_.id));
  EXPECT_NE(why(look_up(old_.url)).find("address is not known"), std::string::npos);
  copy_to(new_);
  look_up(new_.url);
  EXPECT_EQ(head_of(look_up(old_.url)), head()) << "asked before, so it is known";
}

TEST_F(LogTrailTest, SaysThatTheNewLedgerIsAway) {
  move();
  new_.up = false;
  EXPECT_NE(why(look_up(old_.url)).find("https://new.example, which does not answer"),
            std::string::npos);
}

TEST_F(LogTrailTest, TakesNoOtherLedgerForTheNewOne) {
  post(old_, with_addresses({{"ledger:zQmOther", new_.url}, {new_.id, old_.url + "/"}}));
  post(old_, lab_.move(old_.id, new_.id));
  EXPECT_NE(why(look_up(old_.url)).find("does not answer"), std::string::npos);
}

TEST_F(LogTrailTest, CopiesAloneAreFlaggedAndNotReliedOn) {
  post(old_, with_addresses({{new_.id, new_.url}}));
  post(old_, lab_.move(old_.id, new_.id));
  copy_to(new_);
  const JsonObject reply = look_up(new_.url);
  EXPECT_EQ(head_of(reply), head());
  EXPECT_EQ(kith_of(reply).at("unconfirmedMove"), true);
  EXPECT_FALSE(kept_);
}

TEST_F(LogTrailTest, ARecoverThatLeavesItsLedgerCountsFromItsFirstSight) {
  copy_to(new_);
  post(new_, lab_.recover_to(0, new_.id));
  old_.up = false;
  lab_.time += 400 * kDay;
  EXPECT_EQ(kith_of(look_up(new_.url)).at("status"), "pending") << "the host may say any time";
  lab_.time += 72h - std::chrono::milliseconds{1};
  EXPECT_EQ(kith_of(look_up(new_.url)).at("status"), "pending");
  lab_.time += std::chrono::milliseconds{1};
  const JsonObject reply = look_up(new_.url);
  EXPECT_EQ(kith_of(reply).at("status"), "normal");
  EXPECT_TRUE(head_of(reply).starts_with("1-"));
}

TEST_F(LogTrailTest, OnlySoManyLogsAreRemembered) {
  move();
  const auto edit = [&](auto change) {
    UnitOfWork unit(
        {store_, keys_, random_, protocol::from_epoch_ms(ledger::to_ms(lab_.time)), {}, true});
    change(unit);
    must(unit.commit());
  };
  edit([](UnitOfWork& unit) {
    ledger::LogTrail other;
    for (std::size_t i = 0; i < ledger::log_limits::kTrailsKept; ++i) {
      other.used = unit.now() + std::chrono::seconds{i};
      protocol::save(unit, "log-trail", "did:" + std::to_string(i), other);
    }
  });
  look_up(old_.url);
  edit([&](UnitOfWork& unit) {
    const auto kept = unit.list("log-trail");
    EXPECT_EQ(kept.size(), ledger::log_limits::kTrailsKept);
    EXPECT_TRUE(std::ranges::count(kept, lab_.subject) == 1);
    EXPECT_TRUE(std::ranges::count(kept, "did:0") == 0) << "looked up longest ago";
  });
}

}  // namespace
}  // namespace kith::test
