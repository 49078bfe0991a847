// Optional headers round texts (DIDComm v2.1 and its extensions): numbers of messages and what is
// missing of them, a way on in the browser, and languages that nobody reads.

#include <gtest/gtest.h>

#include <set>

#include "ledger/connection.hpp"
#include "protocol/acks.hpp"
#include "protocol/basic_message.hpp"
#include "protocol/messenger.hpp"
#include "protocol/sequence.hpp"
#include "protocol/web_redirect.hpp"
#include "tests/support/agents.hpp"

namespace kith {
namespace {

using protocol::ProblemReport;
using protocol::web_redirect_of;
using test::AgentBox;
using test::Network;
using Texts = std::vector<std::string>;
using Touch = std::function<void(Message&)>;
using namespace std::chrono_literals;

struct Kept {
  JsonObject headers;
  template <class V>
  void visit(V& v) {
    v("headers", headers);
  }
};

/// Keeps the further headers of what acknowledges something, and of texts.
class Witness final : public Module {
 public:
  std::string_view name() const override { return "witness"; }
  void on_acks(Host& host, const Inbound& inbound) override {
    save(host, "seen", protocol::numbered_id(host.list("seen").size()),
         Kept{inbound.message.others});
  }
};

class TextHeaders : public ::testing::Test {
 protected:
  TextHeaders() {
    const auto made = alice_.command("invite", {{"name", "bob"}});
    EXPECT_TRUE(made.has_value());
    EXPECT_TRUE(bob_.command("accept", {{"url", made->at("url")}, {"name", "alice"}}).has_value());
    net_.run_for(1min);
  }
  static Contact peer_of(AgentBox& box) {
    return box.look([](Host& host) { return protocol::list_contacts(host).front(); });
  }
  /// What `from` writes by hand.
  void write(AgentBox& from, std::string_view type, const Touch& touch) {
    const Contact contact = peer_of(from);
    const bool sent = from.edit([&](Host& host) {
      Message message =
          protocol::new_message(type, host.random(), protocol::epoch_seconds(host.now()));
      message.from = Did::parse(contact.my_did).value();
      message.to = {Did::parse(contact.their_did).value()};
      touch(message);
      return protocol::send(host, std::move(message), {}).has_value();
    });
    EXPECT_TRUE(sent);
    net_.settle();
  }
  void text(const std::string& thread, const Json& order, bool wants_ack = true) {
    write(alice_, protocol::kBasicMessageType, [&](Message& message) {
      message.thid = thread;
      message.body = {{"content", "hello"}};
      message.others[protocol::kSenderOrder] = order;
      if (wants_ack) message.please_ack = {""};
    });
  }
  /// What Bob's last acknowledgement tells, as text; "" without.
  std::string told() {
    const auto seen = alice_.all<Kept>("seen");
    if (seen.empty() || !seen.back().headers.contains(protocol::kReceivedOrders)) return "";
    const JsonArray& orders = seen.back().headers.at(protocol::kReceivedOrders).as_array();
    EXPECT_EQ(orders.size(), 1U);
    EXPECT_EQ(orders[0].at("id"), Json(peer_of(alice_).my_did));
    return crypto::json_text(orders[0].at("last")) + " " + crypto::json_text(orders[0].at("gaps"));
  }

  Network net_{17};
  AgentBox& alice_ =
      net_.add("alice", test::modules<ledger::Connection, protocol::BasicMessage, Witness>());
  AgentBox& bob_ = net_.add("bob", test::modules<ledger::Connection, protocol::BasicMessage>());
};

// --- Advanced sequencing

TEST_F(TextHeaders, AnAcknowledgementTellsWhatIsMissingInItsThread) {
  text("auction", 1);
  EXPECT_EQ(told(), "1 []");
  text("auction", 4);
  EXPECT_EQ(told(), "4 [2,3]");
  text("talk", 2);
  EXPECT_EQ(told(), "2 [1]") << "another thread counts for itself";
  bob_.restart();
  text("auction", 2);
  EXPECT_EQ(told(), "4 [3]");
  text("auction", 3);
  EXPECT_EQ(told(), "4 []");
  text("auction", 3);
  EXPECT_EQ(told(), "4 []") << "a number that comes twice";
}

TEST_F(TextHeaders, WithoutANumberNothingIsTold) {
  for (const Json& order :
       {Json(0), Json(-1), Json("1"), Json(1.5), Json(nullptr), Json(std::uint64_t{1} << 60)}) {
    text("thread", order);
    EXPECT_EQ(told(), "") << crypto::json_text(order);
  }
  EXPECT_TRUE(bob_.look([](Host& host) { return host.list("sequence").empty(); }));
  text("thread", 1);
  EXPECT_EQ(told(), "1 []");
  const std::size_t heard = alice_.all<Kept>("seen").size();
  text("thread", 3, false);
  EXPECT_EQ(alice_.all<Kept>("seen").size(), heard) << "nobody asked";
}

TEST_F(TextHeaders, WhoLeavesOutMuchIsToldOfTheLatestAlone) {
  text("thread", std::int64_t{1} << 50);
  const auto gaps = [&] {
    const auto seen = alice_.all<Kept>("seen");
    return seen.back().headers.at(protocol::kReceivedOrders).at(0).at("gaps").as_array();
  };
  ASSERT_EQ(gaps().size(), protocol::kGapsMax);
  EXPECT_EQ(gaps().back(), Json((std::int64_t{1} << 50) - 1));
  text("thread", (std::int64_t{1} << 50) + 3);
  ASSERT_EQ(gaps().size(), protocol::kGapsMax);
  EXPECT_EQ(gaps().back(), Json((std::int64_t{1} << 50) + 2));
}

TEST_F(TextHeaders, SoManyThreadsAreRemembered) {
  const Contact contact = peer_of(bob_);
  bob_.edit([&](Host& host) {
    for (std::size_t i = 0; i <= protocol::kSequencesMax; ++i) {
      Message message = protocol::new_message(protocol::kBasicMessageType, host.random(), 0);
      message.others[protocol::kSenderOrder] = 1;
      protocol::note_order(host, contact, message);
    }
    return true;
  });
  EXPECT_EQ(bob_.look([](Host& host) { return host.list("sequence").size(); }),
            protocol::kSequencesMax);
}

TEST_F(TextHeaders, ATextThatIsSentAgainSaysSo) {
  std::vector<Json> counts;
  std::set<std::string> ids;
  net_.fate = [&](const test::Packet& packet) {
    bob_.look([&](Host& host) {
      protocol::KnownDids known(host);
      protocol::OwnSecrets secrets(host);
      const auto opened = protocol::unpack(
          crypto::as_text(packet.payload.packed),
          {secrets, known, bob_.keys(), protocol::epoch_seconds(host.now()), {}, {}});
      EXPECT_TRUE(opened.has_value());
      if (!opened.has_value()) return false;
      const Json* count = opened->message.others.if_contains(protocol::kSentCount);
      counts.push_back(count == nullptr ? Json() : *count);
      ids.insert(opened->message.id);
      return true;
    });
    return test::Fate::lost;
  };
  ASSERT_TRUE(alice_.command("send", {{"contact", "bob"}, {"text", "hello"}}).has_value());
  for (int i = 0; i < 2; ++i) {
    net_.settle();
    alice_.edit([&](Host& host) {
      protocol::resend_texts(host, protocol::list_contacts(host).front());
      return true;
    });
  }
  net_.settle();
  EXPECT_EQ(counts, (std::vector<Json>{Json(), Json(2), Json(3)}));
  EXPECT_EQ(ids.size(), 1U);
}

// --- web_redirect

TEST_F(TextHeaders, OnlyAddressesThatAPersonCanReadAreShown) {
  const auto url_of = [](const std::string& status, const std::string& url) -> std::string {
    Message message;
    message.others["web_redirect"] = JsonObject{{"status", status}, {"redirectUrl", url}};
    const auto redirect = web_redirect_of(message);
    return redirect ? redirect->url : "nothing";
  };
  for (const char* good : {"https://example.com/handle-success/51e63a5f?a=b&c=d#e",
                           "https://example.com:8443", "https://[2001:db8::1]/x"}) {
    for (const char* status : {"OK", "FAIL", "PENDING"}) EXPECT_EQ(url_of(status, good), good);
  }
  for (const char* bad :
       {"http://example.com/", "HTTP://example.com/", "javascript:alert(1)", "https:/example.com",
        "https://", "https:///path", "https://?x", "https://:443/", "kith://example.com/",
        "https://bank.example@evil.example/", "https://example.com/ with space",
        "https://example.com/\x1b[2J", "https://example.com/\nkith accept", "https://exämple.com/",
        "https://example.com/\"quoted\"", "https://example.com/<b>", "https://example.com\\@x"}) {
    EXPECT_EQ(url_of("OK", bad), "nothing") << bad;
  }
  EXPECT_EQ(url_of("ok", "https://example.com/"), "nothing");
  EXPECT_EQ(url_of("", "https://example.com/"), "nothing");
  const std::string longest(protocol::kRedirectCharsMax - 20, 'x');
  EXPECT_NE(url_of("OK", "https://example.com/" + longest), "nothing");
  EXPECT_EQ(url_of("OK", "https://example.com/x" + longest), "nothing");
}

TEST_F(TextHeaders, AContactsRedirectAtTheEndIsShownOnce) {
  const JsonObject redirect{{"status", "OK"}, {"redirectUrl", "https://example.com/done"}};
  const auto shown = [&] { return bob_.notices("web-redirect"); };
  const auto add = [&](Message& message) { message.others["web_redirect"] = redirect; };
  write(alice_, protocol::kBasicMessageType, [&](Message& message) {
    message.body = {{"content", "hello"}};
    add(message);
  });
  EXPECT_TRUE(shown().empty()) << "it ends nothing";
  write(alice_, protocol::kEmptyType, [&](Message& message) {
    message.ack = {"some-message"};
    add(message);
  });
  ASSERT_EQ(shown().size(), 1U);
  EXPECT_NE(shown()[0].find("alice asks you"), std::string::npos) << shown()[0];
  EXPECT_NE(shown()[0].find("(OK): https://example.com/done "), std::string::npos) << shown()[0];
  write(alice_, protocol::kProblemReportType, [&](Message& message) {
    message.pthid = "some-thread";
    message.body = {{"code", "e.p.xfer.cant-use-endpoint"}};
    add(message);
  });
  EXPECT_EQ(shown().size(), 2U);
}

// --- "Asking for a different lang"

TEST_F(TextHeaders, WhoCannotReadALanguageSaysWhichItReads) {
  const auto sent = bob_.command("send", {{"contact", "alice"}, {"text", "salut"}, {"lang", "fr"}});
  ASSERT_TRUE(sent.has_value());
  net_.settle();
  const auto complain = [&](const std::string& code, const std::string& about) {
    write(alice_, protocol::kProblemReportType, [&](Message& message) {
      message.pthid = about;
      message.body = {{"code", code}, {"comment", "I do not read {1}."}, {"args", JsonArray{"fr"}}};
      message.accept_lang = {"de", "en"};
    });
  };
  const std::string id(sent->at("id").get_string());
  complain("w.msg.bad-lang", "another-text");
  complain("w.msg.other", id);
  EXPECT_TRUE(bob_.notices("language").empty());
  complain("w.msg.bad-lang", id);
  const auto notices = bob_.notices("language");
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_NE(notices[0].find("(fr)"), std::string::npos) << notices[0];
  EXPECT_NE(notices[0].find("de, en"), std::string::npos) << notices[0];
}

}  // namespace
}  // namespace kith
