#include "node/net/admission.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace kith::node {
namespace {

using boost::asio::ip::make_address;
using Place = std::unique_ptr<Admission::Place>;

ServerLimits few() {
  ServerLimits limits;
  limits.connections = 5;
  limits.http_connections = 3;
  limits.websockets = 3;
  limits.connections_per_address = 2;
  limits.new_connections_per_minute = 4;
  return limits;
}

TEST(Admission, CountsAsLongAsThePlaceLives) {
  const auto admission = std::make_shared<Admission>(few());
  const auto address = make_address("192.0.2.1");
  Place first = admission->admit(address, 1);
  const Place second = admission->admit(address, 2);
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(admission->admit(address, 3)) << "two of an address are enough";
  EXPECT_TRUE(admission->admit(make_address("192.0.2.2"), 3)) << "another has its own count";
  first.reset();
  EXPECT_TRUE(admission->admit(address, 4));
}

TEST(Admission, ReconnectingDoesNotHelp) {
  const auto admission = std::make_shared<Admission>(few());
  const auto address = make_address("192.0.2.1");
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(admission->admit(address, 1000 + i));
  EXPECT_FALSE(admission->admit(address, 1004));
  EXPECT_TRUE(admission->admit(address, 1000 + Arrivals::kWindowMs)) << "a minute later";
}

TEST(Admission, ACustomerOfIpv6HasOneCountForItsNetwork) {
  const auto admission = std::make_shared<Admission>(few());
  const Place first = admission->admit(make_address("2001:db8:0:1::1"), 1);
  const Place second = admission->admit(make_address("2001:db8:0:1:ffff::2"), 1);
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(admission->admit(make_address("2001:db8:0:1::3"), 1));
  EXPECT_TRUE(admission->admit(make_address("2001:db8:0:2::1"), 1));
}

TEST(Admission, WebSocketsLeaveRoomForRequests) {
  ServerLimits limits = few();
  limits.http_connections = 1;
  const auto admission = std::make_shared<Admission>(limits);
  std::vector<Place> places;
  for (int i = 0; i < 3; ++i) {
    places.push_back(admission->admit(make_address("127.0.0.1"), i));
    ASSERT_TRUE(places.back());
    EXPECT_FALSE(admission->admit(make_address("127.0.0.1"), i)) << "one request at a time";
    ASSERT_TRUE(places.back()->become_websocket());
  }
  EXPECT_EQ(admission->websockets(), 3U);
  const Place fourth = admission->admit(make_address("127.0.0.1"), 4);
  ASSERT_TRUE(fourth);
  EXPECT_FALSE(fourth->become_websocket());
  places.pop_back();
  EXPECT_EQ(admission->websockets(), 2U);
  EXPECT_TRUE(fourth->become_websocket()) << "one has gone";
}

TEST(Admission, AllTogetherHaveALimit) {
  ServerLimits limits = few();
  limits.connections = 4;
  const auto admission = std::make_shared<Admission>(limits);
  std::vector<Place> places;
  for (int i = 0; i < 3; ++i) {
    places.push_back(admission->admit(make_address("127.0.0.1"), 1));
    ASSERT_TRUE(places.back() && places.back()->become_websocket());
  }
  places.push_back(admission->admit(make_address("127.0.0.1"), 1));
  ASSERT_TRUE(places.back());
  EXPECT_FALSE(admission->admit(make_address("127.0.0.1"), 1));
}

TEST(Admission, LoopbackIsCountedOnlyWhereAsked) {
  ServerLimits limits = few();
  const auto exempt = std::make_shared<Admission>(limits);
  limits.exempt_loopback = false;
  const auto strict = std::make_shared<Admission>(limits);
  const auto loopback = make_address("127.0.0.1");
  std::vector<Place> places;
  for (int i = 0; i < 2; ++i) {
    places.push_back(exempt->admit(loopback, 1));
    places.push_back(strict->admit(loopback, 1));
  }
  EXPECT_TRUE(exempt->admit(loopback, 1));
  EXPECT_FALSE(strict->admit(loopback, 1));
}

TEST(Admission, APlaceOutlivesTheListener) {
  auto admission = std::make_shared<Admission>(few());
  const Place place = admission->admit(make_address("192.0.2.1"), 1);
  ASSERT_TRUE(place);
  const std::weak_ptr<Admission> watched = admission;
  admission.reset();
  EXPECT_FALSE(watched.expired()) << "it still has to count the place out";
}

}  // namespace
}  // namespace kith::node
