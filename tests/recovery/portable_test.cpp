// Exported wallets: the file, and the agent that takes one over.

#include <gtest/gtest.h>

#include <algorithm>

#include "recovery/capsule.hpp"
#include "recovery/portable_file.hpp"
#include "recovery/portable_limits.hpp"
#include "recovery/portable_module.hpp"
#include "recovery/wallet_backup.hpp"
#include "tests/recovery/device_world.hpp"

namespace kith::recovery::testing {
namespace {

using crypto::PortableKey;

PortableHeader header_of(PortableLock lock, bool moved = false) {
  PortableHeader header;
  header.lock = lock;
  header.moved = moved;
  for (std::size_t i = 0; i < header.cost.salt.size(); ++i) {
    header.cost.salt[i] = static_cast<std::uint8_t>(i + 1);
  }
  if (lock == PortableLock::key_file) {
    header.cost.ops = 0;
    header.cost.memory_bytes = 0;
  }
  return header;
}

PortableKey key_for(const PortableHeader& header, std::uint8_t secret = 7) {
  SecretBytes stretched(PortableKey::kStretchedBytes);
  stretched.expose_mutable()[0] = secret;
  return PortableKey::derive(encode(header), stretched);
}

template <class T>
Errc code_of(const Result<T>& result) {
  return result.has_value() ? Errc::incident : result.error().code;
}

TEST(PortableHeaderTest, ComesBackFromItsBytes) {
  for (const PortableLock lock : {PortableLock::passphrase, PortableLock::key_file}) {
    for (const bool moved : {false, true}) {
      const PortableHeader header = header_of(lock, moved);
      const Bytes bytes = encode(header);
      ASSERT_EQ(bytes.size(), kPortableHeaderBytes);
      const auto read = parse_portable_header(bytes);
      ASSERT_TRUE(read) << read.error().detail;
      EXPECT_EQ(read->lock, lock);
      EXPECT_EQ(read->moved, moved);
      EXPECT_EQ(read->cost.ops, header.cost.ops);
      EXPECT_EQ(read->cost.memory_bytes, header.cost.memory_bytes);
      EXPECT_EQ(read->cost.salt, header.cost.salt);
    }
  }
}

/// Whatever is altered: refused at once, or another key.
TEST(PortableHeaderTest, HasNoByteThatDoesNotCount) {
  const PortableHeader header = header_of(PortableLock::passphrase);
  const Bytes bytes = encode(header);
  const SecretPoint right = key_for(header).point();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    Bytes altered = bytes;
    altered[at] ^= 1;
    const auto read = parse_portable_header(altered);
    if (read.has_error()) continue;
    EXPECT_EQ(encode(*read), altered) << at;
    EXPECT_FALSE(crypto::equal_constant_time(key_for(*read).point().expose(), right.expose()))
        << at;
  }
}

TEST(PortableHeaderTest, RefusesWhatItDoesNotKnow) {
  const Bytes good = encode(header_of(PortableLock::passphrase));
  EXPECT_EQ(code_of(parse_portable_header({})), Errc::malformed);
  EXPECT_EQ(code_of(parse_portable_header(Bytes(64, 'x'))), Errc::malformed);
  EXPECT_EQ(code_of(parse_portable_header(ByteView(good).first(63))), Errc::malformed);
  const auto with = [&](std::size_t at, std::uint8_t value) {
    Bytes other = good;
    other[at] = value;
    return code_of(parse_portable_header(other));
  };
  EXPECT_EQ(with(15, '2'), Errc::home_newer);
  EXPECT_EQ(with(16, 3), Errc::malformed);
  EXPECT_EQ(with(17, 2), Errc::malformed);
  EXPECT_EQ(with(63, 1), Errc::malformed);
  EXPECT_EQ(with(21, 1), Errc::refused) << "too cheap to guess";
  EXPECT_EQ(with(22, 1), Errc::limit_exceeded) << "more memory than there is";
  Bytes with_cost = encode(header_of(PortableLock::key_file));
  with_cost[21] = 3;
  EXPECT_EQ(code_of(parse_portable_header(with_cost)), Errc::malformed);
}

TEST(PortableKeyFile, ReadsWhatItWrites) {
  const Bytes key(32, 0xa5);
  const auto read = parse_key_file(key_file_text(key));
  ASSERT_TRUE(read);
  EXPECT_TRUE(crypto::equal_constant_time(read->expose(), key));
  EXPECT_EQ(code_of(parse_key_file("a5")), Errc::malformed);
  EXPECT_EQ(code_of(parse_key_file(crypto::hex(Bytes(33)))), Errc::malformed);
  EXPECT_EQ(code_of(parse_key_file("x" + std::string(63, '0'))), Errc::malformed);
}

TEST(PortableContentTest, IsBounded) {
  JsonObject manifest{{"format", 1}, {"name", std::string(1000, 'n')}};
  const auto fits = encode_content(manifest, Bytes(3, 1));
  ASSERT_TRUE(fits);
  const auto read = parse_content(fits->expose());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->manifest, manifest);
  EXPECT_EQ(read->wallet.size(), 3U);
  for (std::size_t size = 0; size < fits->size() - 3; ++size) {
    EXPECT_TRUE(parse_content(fits->expose().first(size)).has_error()) << size;
  }
  manifest["name"] = std::string(portable_limits::kManifestBytesMax, 'n');
  EXPECT_EQ(code_of(encode_content(manifest, {})), Errc::limit_exceeded);
  EXPECT_EQ(code_of(parse_content(encode_content({{"format", 2}}, {})->expose())),
            Errc::home_newer);
  Bytes claims_more = {0xff, 0xff, 0xff, 0xff, '{', '}'};
  EXPECT_EQ(code_of(parse_content(claims_more)), Errc::malformed);
}

/// The command line's part of the work, without its disk.
class PortableWorld : public ::testing::Test {
 protected:
  AgentBox& add(const std::string& name, bool has_mail) {
    test::BoxOptions options;
    options.has_address = false;
    options.test_mode = true;
    AgentBox& box = world.net.add(
        name,
        [] {
          Modules all = personal_modules<>()();
          all.push_back(std::make_unique<Portable>());
          return all;
        },
        options);
    if (has_mail) world.register_with(box, world.mediator);
    return box;
  }
  void meet() {
    world.connect(owner, friend_);
    world.make_identity(owner);
  }
  JsonObject arguments(const PortableHeader& header, const PortableKey& key) {
    return {{"header", crypto::base64url(encode(header))},
            {"key", crypto::base64url(key.point().expose())},
            {"program", "kith test"}};
  }
  Result<JsonObject> begin(const PortableHeader& header, bool anyway = false) {
    JsonObject args = arguments(header, key_for(header));
    args["anyway"] = anyway;
    return owner.command("export-begin", std::move(args), true);
  }
  /// The whole file.
  Bytes exported(const PortableHeader& header) {
    const auto begun = begin(header);
    EXPECT_TRUE(begun.has_value()) << begun.error().detail;
    Bytes file = encode(header);
    const std::int64_t parts = begun.has_value() ? begun->at("parts").to_number<std::int64_t>() : 0;
    for (std::int64_t part = 0; part < parts; ++part) {
      const auto got = owner.command("export-part", {{"part", part}});
      EXPECT_TRUE(got.has_value());
      crypto::append(file, crypto::from_base64url(text_or_empty(*got, "data")).value());
    }
    EXPECT_TRUE(owner.command("export-end", {{"done", true}}).has_value());
    return file;
  }
  static Result<OpenedPortable> opened(ByteView file, const PortableKey& key) {
    TRY(const PortableParts parts, split_portable(file));
    return open_portable(parts, key);
  }
  Result<JsonObject> import(AgentBox& box, const PortableParts& parts, const PortableKey& key) {
    std::vector<Bytes> all = parts.backup;
    all.insert(all.begin(), parts.capsule);
    for (std::size_t i = 0; i < all.size(); ++i) {
      TRY(const JsonObject reply,
          box.command("import-part",
                      {{"part", static_cast<int>(i)}, {"data", crypto::base64url(all[i])}}));
    }
    TRY(const auto capsule, capsule_core(parts.capsule));
    TRY(const auto backup, crypto::parse_container_core(
                               ByteView(parts.backup.front()).first(crypto::kContainerCoreBytes)));
    JsonObject args{{"header", crypto::base64url(parts.header_bytes)},
                    {"key", crypto::base64url(key.point().expose())}};
    args["openings"] = JsonArray{Json(crypto::base64url(key.opening(capsule.ephemeral).expose())),
                                 Json(crypto::base64url(key.opening(backup.ephemeral).expose()))};
    return box.command("import-open", std::move(args), true);
  }

  static std::string last_text(AgentBox& box) {
    const auto reply = box.command("messages");
    const auto& messages = reply->at("messages").get_array();
    return messages.empty() ? "" : text_or_empty(messages.back().get_object(), "text");
  }

  const PortableHeader header_ = header_of(PortableLock::key_file, true);
  Neighbourhood world{1};
  AgentBox& owner = add("owner", true);
  AgentBox& friend_ = world.add_person("friend");
};

TEST_F(PortableWorld, TakesIdentityAndContactsToAnotherHome) {
  meet();
  const auto before = *owner.look([](Host& host) { return ledger::identity(host); });
  const Bytes file = exported(header_);
  owner.set_online(false);
  AgentBox& moved = add("moved", false);
  const PortableParts parts = split_portable(file).value();
  const auto reply = import(moved, parts, key_for(header_));
  ASSERT_TRUE(reply.has_value()) << reply.error().detail;
  EXPECT_EQ(text_or_empty(*reply, "did"), before.did);
  EXPECT_EQ(reply->at("contacts").to_number<int>(), 1);
  EXPECT_TRUE(reply->at("moved").as_bool());
  ASSERT_TRUE(world.net.run_until([&] { return Neighbourhood::state(moved) == "recovered"; }))
      << crypto::json_text(Neighbourhood::status(moved));
  const auto after = *moved.look([](Host& host) { return ledger::identity(host); });
  EXPECT_EQ(after.did, before.did);
  EXPECT_FALSE(after.agent_key == before.agent_key) << "a device keeps its keys";
  ASSERT_TRUE(world.net.run_until([&] {
    const auto contact = moved.look([](Host& host) { return protocol::list_contacts(host); });
    return std::ranges::any_of(contact, [&](const Contact& one) {
      return one.name == "friend" &&
             moved.look([&](Host& host) { return ledger::in_sync(host, one); });
    });
  }));
  ASSERT_TRUE(friend_.command("send", {{"contact", "owner"}, {"text", "still there?"}}));
  ASSERT_TRUE(world.net.run_until([&] { return last_text(moved) == "still there?"; }));
  ASSERT_TRUE(moved.command("send", {{"contact", "friend"}, {"text", "here"}}));
  ASSERT_TRUE(world.net.run_until([&] { return last_text(friend_) == "here"; }));
}

TEST_F(PortableWorld, TheOldHomeIsOut) {
  meet();
  const Bytes file = exported(header_);
  AgentBox& moved = add("moved", false);
  ASSERT_TRUE(import(moved, split_portable(file).value(), key_for(header_)).has_value());
  ASSERT_TRUE(world.net.run_until([&] { return Neighbourhood::state(moved) == "recovered"; }));
  const std::string policy = moved.look([](Host& host) { return *ledger::identity(host); }).policy;
  const auto agents = moved.look([](Host& host) { return policy_agents(host); });
  ASSERT_EQ(agents.size(), 1U);
  EXPECT_EQ(agents.front(), moved.look([](Host& host) { return own_agent_multikey(host); }));
  EXPECT_NE(agents.front(), owner.look([](Host& host) { return own_agent_multikey(host); }));
}

TEST_F(PortableWorld, RefusesEveryAlteredPart) {
  meet();
  const Bytes file = exported(header_);
  const PortableKey key = key_for(header_);
  ASSERT_TRUE(opened(file, key).has_value());
  // Every byte of the header, and then some of each container: its fields, its middle, its end.
  std::vector<std::size_t> places;
  for (std::size_t at = 0; at < kPortableHeaderBytes; ++at) places.push_back(at);
  for (std::size_t at = kPortableHeaderBytes; at < file.size(); at += 97) places.push_back(at);
  places.push_back(file.size() - 1);
  for (const std::size_t at : places) {
    Bytes altered = file;
    altered[at] ^= 0x10;
    // As the command line does: the key is made from the header that is there.
    const auto header = parse_portable_header(altered);
    if (header.has_error()) continue;
    const auto result = opened(altered, key_for(*header));
    EXPECT_TRUE(result.has_error()) << at;
  }
}

TEST_F(PortableWorld, RefusesWhatIsCutOffOrTooLong) {
  meet();
  const Bytes file = exported(header_);
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{4000},
        std::size_t{4160}, std::size_t{4161}, std::size_t{4300}, file.size() - 1}) {
    EXPECT_EQ(code_of(split_portable(ByteView(file).first(size))), Errc::malformed) << size;
  }
  Bytes longer = file;
  longer.push_back(0);
  EXPECT_EQ(code_of(split_portable(longer)), Errc::malformed);
}

TEST_F(PortableWorld, SaysThatThePassphraseIsWrong) {
  meet();
  const Bytes file = exported(header_);
  EXPECT_EQ(code_of(opened(file, key_for(header_, 8))), Errc::wrong_passphrase);
}

TEST_F(PortableWorld, TakesNoPartOfAnotherFile) {
  meet();
  const PortableKey key = key_for(header_);
  PortableParts first = split_portable(exported(header_)).value();
  const PortableParts second = split_portable(exported(header_)).value();
  ASSERT_NE(first.capsule, second.capsule);
  first.capsule = second.capsule;  // The same owner's, under the same key.
  EXPECT_EQ(code_of(open_portable(first, key)), Errc::cannot_decrypt);
  AgentBox& moved = add("moved", false);
  EXPECT_EQ(code_of(import(moved, first, key)), Errc::cannot_decrypt);
  EXPECT_FALSE(moved.look([](Host& host) { return ledger::identity(host); }).has_value());
}

TEST_F(PortableWorld, HoldsNothingThatBelongsToTheDevice) {
  meet();
  const auto content = opened(exported(header_), key_for(header_)).value();
  const ByteView wallet = content.content.wallet.expose();
  owner.look([&](Host& host) {
    for (const char* collection :
         {"own-key", "log-key", "session-key", "share", "trusteeship", "key-info"}) {
      for (const std::string& id : host.list(collection)) {
        const auto value = host.get({collection, id});
        EXPECT_EQ(std::ranges::search(wallet, *value).size(), 0U) << collection;
      }
    }
    const auto lock = host.get({"meta", "vault"});
    EXPECT_TRUE(lock.has_value());
    EXPECT_EQ(std::ranges::search(wallet, *lock).size(), 0U);
    const auto agent = ledger::own_agent_key(host).value();
    EXPECT_EQ(std::ranges::search(wallet, agent.sealed.blob).size(), 0U);
    return true;
  });
  EXPECT_GT(std::ranges::search(wallet, crypto::as_bytes("vault-item")).size(), 0U);
}

TEST_F(PortableWorld, HasTheSameSizeWithAFewMoreContacts) {
  meet();
  const std::size_t before = exported(header_).size();
  owner.edit([](Host& host) {
    for (int i = 0; i < 3; ++i) {
      Contact contact;
      contact.id = "id" + std::to_string(i);
      contact.name = "name" + std::to_string(i);
      contact.state = ContactState::ended;
      protocol::save_contact(host, contact);
    }
    return true;
  });
  EXPECT_EQ(exported(header_).size(), before);
}

TEST_F(PortableWorld, DoesNotMoveWhatOthersCountOn) {
  meet();
  world.make_identity(friend_);
  world.connect(owner, world.add_person("third"));
  AgentBox& second = world.add_person("second");
  world.connect(friend_, second);
  world.set_up(friend_, {&owner, &second}, 2);
  EXPECT_EQ(code_of(begin(header_)), Errc::refused);
  const auto copy = begin(header_of(PortableLock::key_file, false));
  ASSERT_TRUE(copy.has_value()) << copy.error().detail;
  EXPECT_EQ(copy->at("trustee_for").get_array().size(), 1U);
  ASSERT_TRUE(begin(header_, true).has_value());
}

TEST_F(PortableWorld, NeedsPassphraseAndIdentity) {
  EXPECT_EQ(code_of(begin(header_)), Errc::wrong_state);
  meet();
  const auto args = arguments(header_, key_for(header_));
  EXPECT_EQ(code_of(owner.command("export-begin", args)), Errc::step_up_required);
}

TEST_F(PortableWorld, GoesIntoNoHomeThatHasAnIdentity) {
  meet();
  const PortableParts parts = split_portable(exported(header_)).value();
  world.make_identity(friend_);
  AgentBox& other = add("other", true);
  world.make_identity(other);
  EXPECT_EQ(code_of(import(other, parts, key_for(header_))), Errc::wrong_state);
  // Nor where the identity came between the parts and their opening.
  const JsonObject args{{"header", ""}, {"key", ""}, {"openings", JsonArray()}};
  EXPECT_EQ(code_of(other.command("import-open", args, true)), Errc::wrong_state);
}

TEST_F(PortableWorld, TakesNothingFromADeviceThatTheIdentityDoesNotName) {
  meet();
  owner.edit([](Host& host) {
    auto own = *ledger::identity(host);
    own.agent_key = ledger::make_agent_key(host).value().public_key;
    ledger::save_identity(host, own);
    return true;
  });
  const PortableParts parts = split_portable(exported(header_)).value();
  AgentBox& moved = add("moved", false);
  EXPECT_EQ(code_of(import(moved, parts, key_for(header_))), Errc::bad_signature);
  EXPECT_FALSE(moved.look([](Host& host) { return ledger::identity(host); }).has_value());
}

TEST_F(PortableWorld, TakesSettingsOfAPageAlong) {
  meet();
  JsonObject args = arguments(header_, key_for(header_));
  args["settings"] = std::string(portable_limits::kSettingsBytesMax, '#');
  ASSERT_TRUE(owner.command("export-begin", args, true).has_value());
  args["settings"] = std::string(portable_limits::kSettingsBytesMax + 1, '#');
  EXPECT_EQ(code_of(owner.command("export-begin", args, true)), Errc::limit_exceeded);
}

TEST_F(PortableWorld, KeepsNoPartBehind) {
  meet();
  const PortableParts parts = split_portable(exported(header_)).value();
  const auto kept = [](AgentBox& box) {
    return box.look([](Host& host) { return host.list("portable-part").size(); });
  };
  EXPECT_EQ(kept(owner), 0U);
  AgentBox& moved = add("moved", false);
  ASSERT_TRUE(import(moved, parts, key_for(header_)).has_value());
  EXPECT_EQ(kept(moved), 0U);
  EXPECT_EQ(code_of(moved.command("import-part", {{"part", 0}, {"data", ""}})), Errc::wrong_state);
  EXPECT_EQ(code_of(owner.command("export-part",
                                  {{"part", static_cast<int>(portable_limits::kPartsMax)}})),
            Errc::limit_exceeded);
}

}  // namespace
}  // namespace kith::recovery::testing
