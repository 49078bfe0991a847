#include "protocol/invitation.hpp"

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "tests/support/parties.hpp"

namespace kith {
namespace {

using protocol::invitation_url;
using protocol::parse_invitation;
using protocol::parse_invitation_url;

Invitation sample_invitation() {
  test::World world;
  Invitation invitation{
      "inv-1", world.make_party().did, "kith.connect", "to be friends", {}, {}, {}, {}};
  invitation.accept = {"didcomm/v2"};
  invitation.expires_time = test::kNow + 60;
  invitation.attachments.push_back(protocol::json_attachment(JsonObject{{"a", 1}}, "one"));
  invitation.body_others["later"] = true;
  return invitation;
}

std::string url_of(std::string_view message) {
  return "https://a.org/?_oob=" + crypto::base64url(crypto::as_bytes(message));
}

TEST(Invitation, SurvivesTheAddress) {
  const Invitation invitation = sample_invitation();
  for (const char* base : {"https://a.org", "https://a.org/i", "http://[::1]:80/?x=1&y"}) {
    const auto url = invitation_url(invitation, base);
    ASSERT_TRUE(url.has_value()) << url.error().detail;
    const auto read = parse_invitation_url("  " + *url + "#top\n");
    ASSERT_TRUE(read.has_value()) << read.error().detail;
    ASSERT_TRUE(read->invitation.has_value());
    EXPECT_FALSE(read->short_id.has_value());
    EXPECT_EQ(to_json(to_message(*read->invitation)), to_json(to_message(invitation)));
    EXPECT_EQ(read->invitation->goal, "to be friends");
    EXPECT_EQ(read->invitation->accept, invitation.accept);
    EXPECT_EQ(read->invitation->body_others.size(), 1U);
  }
}

TEST(Invitation, ReadsForeignPadding) {
  const std::string url = invitation_url(sample_invitation(), "https://a.org").value();
  for (const char* padding : {"=", "==", "%3D", "%3d%3D"}) {
    EXPECT_TRUE(parse_invitation_url(url + padding).has_value()) << padding;
    EXPECT_TRUE(parse_invitation_url(url + padding + "&x=1").has_value()) << padding;
  }
}

TEST(Invitation, TellsShortAddressesApart) {
  const auto read = parse_invitation_url("https://a.org/s?_oobid=5f0e3ffb-3f92");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->short_id, "5f0e3ffb-3f92");
  EXPECT_FALSE(read->invitation.has_value());
}

TEST(Invitation, SaysWhatIsWrongWithAnAddress) {
  const std::string good = invitation_url(sample_invitation(), "https://a.org").value();
  struct Row {
    std::string url;
    Errc code;
    std::string detail;
  };
  const std::vector<Row> table = {
      {"", Errc::bad_url, "https://"},
      {"hello", Errc::bad_url, "https://"},
      {"ftp://a.org/?_oob=e30", Errc::bad_url, "https://"},
      {"https:///?_oob=e30", Errc::bad_url, "https://"},
      {"https://a.org/a b?_oob=e30", Errc::bad_url, "https://"},
      {"https://a.org/", Errc::bad_url, "_oob="},
      {"https://a.org/#?_oobx=e30", Errc::bad_url, "_oob="},
      {"https://a.org/?_oob=", Errc::bad_url, "ends before"},
      {"https://a.org/?_oob", Errc::bad_url, "ends before"},
      {good + "&_oob=e30", Errc::bad_url, "two"},
      {good + "&_oobid=1", Errc::bad_url, "two"},
      {"https://a.org/?oob=e30", Errc::bad_url, "older"},
      {"https://a.org/?c_i=e30", Errc::bad_url, "older"},
      {"https://a.org/?_oob=e3$", Errc::malformed, "damaged"},
      {good.substr(0, good.size() - 3), Errc::malformed, ""},
      {"https://a.org/?_oob=" + std::string(limits::kInvitationUrlCharsMax, 'a'),
       Errc::limit_exceeded, "too long"},
      {url_of("{}"), Errc::malformed, ""},
      {url_of(R"({"id":"1","type":"https://didcomm.org/out-of-band/2.0/invitation"})"),
       Errc::malformed, "who invites"},
      {url_of(R"({"id":"1","type":"https://didcomm.org/out-of-band/1.0/invitation"})"),
       Errc::unknown_type, ""},
      {url_of(R"({"id":"1","type":"https://didcomm.org/out-of-band/2.0/invitation",)"
              R"("from":"did:a:b","body":{"accept":[1]}})"),
       Errc::malformed, "profile"},
      {url_of(R"({"id":"1","type":"https://didcomm.org/out-of-band/2.0/invitation",)"
              R"("from":"did:a:b","body":{"goal":1}})"),
       Errc::malformed, "goal"},
  };
  for (const Row& row : table) {
    const auto read = parse_invitation_url(row.url);
    ASSERT_TRUE(read.has_error()) << row.url;
    EXPECT_EQ(read.error().code, row.code) << row.url << ": " << read.error().detail;
    EXPECT_NE(read.error().detail.find(row.detail), std::string::npos) << read.error().detail;
  }
}

TEST(Invitation, HoldsItsLimits) {
  Invitation invitation = sample_invitation();
  EXPECT_EQ(invitation_url(invitation, "a.org").error().code, Errc::bad_url);
  EXPECT_EQ(invitation_url(invitation, "https://a.org/#x").error().code, Errc::bad_url);
  invitation.goal = std::string(limits::kInvitationUrlCharsMax, 'x');
  EXPECT_EQ(invitation_url(invitation, "https://a.org").error().code, Errc::limit_exceeded);
  invitation.goal = std::string(limits::kTextBytesMax + 1, 'x');
  EXPECT_EQ(parse_invitation(to_message(invitation)).error().code, Errc::limit_exceeded);
}

}  // namespace
}  // namespace kith
