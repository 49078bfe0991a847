// `kith run --mediate --relay-delay-ms N`: from the command line to the moment at which a recipient
// on a lasting connection gets its mail, under a virtual clock.

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "node/cli/run_options.hpp"
#include "node/wiring.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/temp_directory.hpp"

namespace kith {
namespace {

using node::Invocation;
using node::parse_command_line;
using std::chrono::milliseconds;
using test::AgentBox;
using test::Network;
using test::RawClient;
using test::sealed;
using test::Touch;
using Words = std::vector<std::string>;

constexpr std::size_t kMails = 60;
constexpr Duration kGrain{20};  // What is due at about the same time leaves together.
const char* const kLive = "https://didcomm.org/messagepickup/3.0/live-delivery-change";

/// What is wrong with the waits of mail that was to wait a random time up to `longest`; else "".
std::string fault_in(const std::vector<Duration>& waits, Duration longest) {
  if (waits.size() != kMails) return "mail was lost";
  const auto [least, most] = std::ranges::minmax(waits);
  if (most == Duration{0}) return "nothing was held";
  if (most > longest + kGrain) return "something was held too long";
  if (std::set<Duration>(waits.begin(), waits.end()).size() < kMails / 2) return "not by chance";
  // By chance, one in 10^10 of such tests has no mail in the first or the last third.
  if (least > longest / 3) return "nothing left early";
  if (most < longest - longest / 3) return "nothing left late";
  return "";
}

Result<node::RuntimeOptions> options_of(const Words& flags, const std::string& directory) {
  Words words{"run", "--mediate"};
  words.insert(words.end(), flags.begin(), flags.end());
  TRY(const auto parsed, parse_command_line(words));
  return node::run_options(std::get<Invocation>(parsed), directory);
}

/// Runs a mediator with these flags; anonymous mail comes, all at one moment.
std::vector<Duration> waits_with(const Words& flags, const Touch& touch = nullptr) {
  const test::TempDirectory home;
  const auto options = options_of(flags, home.path());
  if (!options.has_value()) return {};
  Network net;
  node::NodeConfig config;
  config.mediate = true;
  config.mediation = options->mediation;
  config.public_url = "https://relay.test/";
  AgentBox& relay = net.add("relay", [&] { return node::make_modules(config); });
  RawClient reader(net, relay, 5);
  reader.join({"did:example:reader"});
  reader.say(kLive, {{"live_delivery", true}}, {.channel = "socket", .lasting = true});

  std::vector<Duration> waits;
  const Time sent = net.now();
  net.fate = [&](const test::Packet& packet) {
    if (packet.payload.channel == "socket") waits.push_back(net.now() - sent);
    return test::Fate::lost;
  };
  RawClient writer(net, relay, 6);
  for (std::size_t i = 0; i < kMails; ++i) {
    writer.forward("did:example:reader", {sealed(std::to_string(i))}, touch);
  }
  net.run_for(std::chrono::hours{1});
  return waits;
}

TEST(RelayDelay, MailWaitsARandomTimeOfTheRangeThatTheFlagGives) {
  EXPECT_EQ(fault_in(waits_with({"--relay-delay-ms", "5000"}), milliseconds{5000}), "");
  EXPECT_EQ(fault_in(waits_with({"--relay-delay-ms", "600000"}), milliseconds{600'000}), "");
}

TEST(RelayDelay, ARelayThatDoesNotDoSoIsNoticed) {
  const milliseconds wanted{5000};
  EXPECT_EQ(fault_in(waits_with({}), wanted), "nothing was held");
  EXPECT_EQ(fault_in(waits_with({"--relay-delay-ms", "0"}), wanted), "nothing was held");
  EXPECT_EQ(fault_in(waits_with({"--relay-delay-ms", "10000"}), wanted),
            "something was held too long");
  EXPECT_EQ(fault_in(waits_with({"--relay-delay-ms", "2500"}), wanted), "nothing left late");
  const auto steady =
      waits_with({}, [](Message& message) { message.others["delay_milli"] = 4000; });
  EXPECT_EQ(fault_in(steady, wanted), "not by chance");
  std::vector<Duration> late;
  for (std::size_t i = 0; i < kMails; ++i) late.emplace_back(4000 + 10 * i);
  EXPECT_EQ(fault_in(late, wanted), "nothing left early");
  late.pop_back();
  EXPECT_EQ(fault_in(late, wanted), "mail was lost");
}

TEST(RelayDelay, TheFlagGoesBeforeTheFileAndHasItsRange) {
  const test::TempDirectory home;
  const auto delay_of = [&](const Words& flags) {
    const auto options = options_of(flags, home.path());
    return options.has_value() ? options->mediation.relay_delay_ms : -1;
  };
  std::ofstream(home.path("kith.toml")) << "mediator.relay_delay_ms = 700\n";
  EXPECT_EQ(delay_of({}), 700);
  EXPECT_EQ(delay_of({"--relay-delay-ms", "5000"}), 5000);
  EXPECT_EQ(delay_of({"--relay-delay-ms", "600001"}), -1);
  EXPECT_EQ(delay_of({"--relay-delay-ms", "-1"}), -1);
  EXPECT_EQ(delay_of({"--relay-delay-ms", "soon"}), -1);
}

}  // namespace
}  // namespace kith
