// seeds FOLDER: writes what the corpora began with, FOLDER/<target>/<name>. Everything is our own,
// from one seed: the same files each time. Run it again when a format changes.

#include <filesystem>
#include <fstream>
#include <iostream>

#include "crypto/assert.hpp"
#include "crypto/file_shares.hpp"
#include "crypto/remote_keys.hpp"
#include "crypto/slip39.hpp"
#include "crypto/software_keys.hpp"
#include "fuzz/agent_world.hpp"
#include "fuzz/cast.hpp"
#include "fuzz/target.hpp"
#include "ledger/add_checkpoint.hpp"
#include "ledger/memory_ledger.hpp"
#include "protocol/did_key.hpp"
#include "protocol/did_peer.hpp"
#include "protocol/forward.hpp"
#include "protocol/invitation.hpp"
#include "recovery/portable_file.hpp"
#include "tests/support/fake_chain.hpp"
#include "tests/support/ledger_kit.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::fuzz {
namespace {

/// Damage to text: small, and where it hurts.
std::string damaged(std::string text, Random& random) {
  const std::uint64_t times = 1 + random.below(2);
  for (std::uint64_t i = 0; i < times; ++i) {
    const std::size_t place = random.below(text.size());
    const std::uint64_t kind = random.below(4);
    const std::size_t length = 1 + random.below(12);
    if (kind == 0) text[place] = static_cast<char>(text[place] ^ (1 << (length % 7)));
    if (kind == 1) text.erase(place, length);
    if (kind == 2) text.insert(place, text.substr(place, length));
    if (kind == 3) text.resize(std::max<std::size_t>(place, 1));
    if (text.empty()) text = "x";
  }
  return text;
}

class Writer {
 public:
  explicit Writer(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// The text, and a few damaged forms of it.
  void put(const std::string& target, const std::string& name, const std::string& text) {
    write(target, name, text);
    for (const char* number : {"1", "2"}) {
      write(target, name + "-damaged-" + number, damaged(text, random_));
    }
  }

 private:
  void write(const std::string& target, const std::string& name, const std::string& text) {
    std::filesystem::create_directories(folder_ / target);
    std::ofstream(folder_ / target / name, std::ios::binary) << text;
  }

  std::filesystem::path folder_;
  crypto::SeededRandom random_{7, "damage"};
};

std::string text_of(const Message& message) {
  return crypto::json_text(to_json(message));
}

void put_messages(Writer& writer) {
  Cast& people = cast();
  writer.put("message", "word", text_of(people.word));
  Message full = people.word;
  full.thid = "thread-1";
  full.pthid = "thread-0";
  full.ack = {"a", "b"};
  full.lang = "de-AT";
  full.accept_lang = {"en", "fr"};
  full.return_route = "all";
  full.others["float"] = 0.1;
  full.others["deep"] = JsonArray{JsonArray{JsonObject{{"x", nullptr}}}, true, "\u20ac\n"};
  full.attachments.push_back(protocol::base64_attachment(Bytes{0, 1, 255}, "two"));
  Attachment linked;
  linked.links = {"https://a.example/x"};
  linked.hash = "zQmWvQxTqbG2Z9HPJgG57jjwR154cKhbtJenbyYTWkjgF3e";
  full.attachments.push_back(linked);
  writer.put("message", "every-header", text_of(full));
  writer.put("message", "least", R"({"id":"1","type":"https://a.example/b/1.0/c"})");
}

void put_envelopes(Writer& writer) {
  Cast& people = cast();
  KeyOps& keys = people.world.keys;
  Random& random = people.world.random;
  const auto recipients = people.bob.recipients();
  const auto authcrypt = [&](const Message& message, const protocol::PackOptions& options) {
    return test::must(protocol::pack_authcrypt(message, people.alice.agreement, recipients, options,
                                               keys, random));
  };
  protocol::PackOptions signing;
  signing.sign = &people.alice.signing;
  signing.cipher = crypto::ContentEncryption::xc20p;
  protocol::PackOptions hidden;
  hidden.protect_sender = true;
  hidden.cipher = crypto::ContentEncryption::a256gcm;
  const std::string plain = test::must(protocol::pack_plain(people.word));
  writer.put("envelope", "plain", plain);
  writer.put("envelope", "signed",
             test::must(protocol::pack_signed(people.word, people.alice.signing, keys)));
  writer.put("envelope", "anoncrypt",
             test::must(protocol::pack_anoncrypt(people.word, recipients, {}, keys, random)));
  writer.put("envelope", "authcrypt", authcrypt(people.word, {}));
  writer.put("envelope", "authcrypt-signed", authcrypt(people.word, signing));
  writer.put("envelope", "authcrypt-hidden", authcrypt(people.word, hidden));
  writer.put("http_body", "ping", "POST /\n" + authcrypt(people.ping, {}));
  writer.put("http_body", "unknown-type", "POST /\n" + authcrypt(people.word, {}));
  writer.put("http_body", "plain", "POST /\n" + plain);
}

void put_dids(Writer& writer) {
  Cast& people = cast();
  const PublicKey key = people.bob.document.agreement_keys().front().key;
  const PublicKey signing = people.bob.document.authentication_keys().front().key;
  const ServiceEndpoint endpoint{
      {}, "https://a.example/x", {"didcomm/v2"}, {people.alice.did.text()}};
  const test::Party reached = people.world.make_party(KeyType::p256, {endpoint});
  writer.put("did", "peer", people.bob.did.text());
  writer.put("did", "peer-service", reached.did.text());
  writer.put("did", "key-x25519", protocol::did_key(key).text());
  writer.put("did", "key-secp256k1", protocol::did_key(signing).text());
  writer.put("did", "url", "did:example:a:b%20c/path;x?service=y&relative=%2f#key-1");
  writer.put("did_document", "peer", crypto::json_text(Json(reached.document.raw)));
  const Did id = test::must(Did::parse("did:example:alice"));
  const DidDocument built =
      test::must(protocol::build_did_document(id,
                                              {{"s", signing, protocol::KeyUse::authentication},
                                               {"a", key, protocol::KeyUse::key_agreement}},
                                              {endpoint, endpoint}));
  writer.put("did_document", "jwk", crypto::json_text(Json(built.raw)));
  JsonObject odd = built.raw;
  odd["keyAgreement"] =
      JsonArray{JsonObject{{"id", "#e"}, {"type", "Unknown2030"}, {"controller", id.text()}}, "#a",
                "#nobody"};
  odd["service"] = JsonArray{
      JsonObject{{"id", "#m"},
                 {"type", JsonArray{"Other", "DIDCommMessaging"}},
                 {"serviceEndpoint", JsonArray{JsonObject{{"uri", "https://b.example"}}}}},
      JsonObject{{"id", "#n"}, {"type", "Note"}, {"serviceEndpoint", "text"}}};
  writer.put("did_document", "odd", crypto::json_text(Json(odd)));
  Invitation invite{"inv-1", people.alice.did, "kith.connect", "to be friends", {}, {}, {}, {}};
  invite.accept = {"didcomm/v2"};
  invite.expires_time = test::kNow + 60;
  invite.attachments.push_back(protocol::json_attachment(JsonObject{{"a", 1}}, "one"));
  invite.body_others["later"] = true;
  writer.put("invitation", "address",
             test::must(protocol::invitation_url(invite, "http://[::1]:80/?x=1&y")));
  writer.put("invitation", "bare", text_of(to_message(invite)));
  writer.put("invitation", "short", "https://a.example/s?_oobid=5f0e3ffb-3f92");
  writer.put("invitation", "older", "https://a.example/?c_i=e30");
}

/// Numbers at the edges of what JSON and doubles carry.
void put_numbers(Writer& writer) {
  writer.put("message", "numbers",
             R"({"id":"1","type":"https://a.example/b/1.0/c","body":{"x":[1.7976931348623157e308,)"
             R"(5e-324,2.2250738585072011e-308,-0.0,1e22,123456789012345.678,9007199254740991,)"
             R"(-9007199254740991,1e-400,4.35e-310]}})");
}

void put_http(Writer& writer) {
  writer.put("http_header", "post",
             "POST /x?y=1 HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\n\r\n{}");
  writer.put("http_header", "folded", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n");
  writer.put("http_header", "bare-line-feed", "GET / HTTP/1.1\nHost: a\n\n");
  writer.put("http_header", "nul", std::string("GET / HTTP/1.1\r\nHost: \0\r\n\r\n", 26));
  writer.put("http_body", "descriptor", "GET /ledger/descriptor\n");
  writer.put("http_body", "follow", "GET /ledger/follow?position=3&max=2\n");
  writer.put("http_body", "no-such-path", "GET /ledger/nowhere\n");
}

void put_logs(Writer& writer) {
  for (const ledger::Kind kind : {ledger::Kind::did, ledger::Kind::policy, ledger::Kind::pair}) {
    test::LogLab lab(kind);
    const std::string name(ledger::kind_name(kind));
    ledger::LogContent content = lab.first_content();
    if (kind != ledger::Kind::pair) content.ledgers = {ledger_id(test::ledger_descriptor())};
    lab.start_with(content);
    lab.post(lab.update(1));
    const auto text = [&lab](std::size_t i) {
      return std::string(crypto::as_text(lab.blobs[i].blob));
    };
    writer.put("log_entry", name + "-genesis", text(0));
    writer.put("log_entry", name + "-update", text(1));
    if (kind == ledger::Kind::pair) continue;
    const JsonObject request{{"blob", crypto::base64url(lab.blobs[0].blob)}, {"expected_head", ""}};
    writer.put("http_body", name + "-append",
               "POST /ledger/log/" + lab.subject + "\n" + crypto::json_text(request));
    writer.put("http_body", name + "-log", "GET /ledger/log/" + lab.subject + "?from=0\n");
  }
}

/// Requests for the ledger that fuzz/add_checkpoint.cpp watches.
void put_checkpoints(Writer& writer) {
  ledger::MemoryLedger store(test::ledger_descriptor(), true);
  ledger::LedgerProver prover(store, test::ledger_signer());
  const auto put = [&](const std::string& name, std::uint64_t old_size) {
    const std::uint64_t size = store.size();
    const ledger::AddCheckpoint request{
        old_size, test::must(prover.consistency(std::min(old_size, size), size)),
        test::must(prover.signed_by_ledger(size))};
    writer.put("add_checkpoint", name, ledger::add_checkpoint_text(request));
  };
  put("empty-ledger", 0);
  for (std::uint64_t seed = 1; seed < 8; ++seed) {
    test::LogLab lab(ledger::Kind::did, {}, seed);
    lab.start(true);
    test::must(store.append({lab.subject, lab.blobs[0].blob, ""}, lab.time));
  }
  put("first", 0);
  put("grown", 3);
  put("same", 7);
  put("older", 9);
  ledger::LedgerDescriptor other = test::ledger_descriptor(2);
  ledger::MemoryLedger foreign(other, true);
  ledger::LedgerProver stranger(foreign, test::ledger_signer(2));
  auto note = test::must(ledger::parse_note(test::must(prover.signed_by_ledger(7))));
  const auto theirs = test::must(ledger::parse_note(test::must(stranger.signed_by_ledger(0))));
  note.signatures.push_back(theirs.signatures.front());
  writer.put("add_checkpoint", "two-signatures",
             ledger::add_checkpoint_text({0, {}, ledger::note_text(note)}));
  writer.put("add_checkpoint", "unknown-ledger",
             ledger::add_checkpoint_text({0, {}, ledger::note_text(theirs)}));
}

/// What servers of chains answer, as fuzz/evm_answer.cpp asks them.
void put_chain_answers(Writer& writer) {
  test::FakeChain chain;
  test::LogLab lab;
  lab.start(true);
  chain.post(lab.subject, lab.blobs[0].blob);
  chain.post(lab.subject, crypto::to_bytes("junk"));
  const auto put = [&](const std::string& name, const char* method, const JsonArray& parameters) {
    ledger::JobQuestion question;
    question.http.body = ledger::evm::question_text(method, parameters);
    writer.put("evm_answer", name, test::must(chain.answer(question)).body);
  };
  put("events", "eth_getLogs", ledger::evm::filter_json({*chain.where.contract, {}, 0, 9}));
  put("block", "eth_getBlockByNumber", {"latest", false});
  put("number", "eth_chainId", {});
  put("code", "eth_getCode", {"0x", "latest"});
  put("no-receipt", "eth_getTransactionReceipt", {"0x00"});
  put("refusal", "eth_unknown", {});
  writer.put("evm_answer", "receipt",
             R"({"jsonrpc":"2.0","id":1,"result":{"transactionHash":"0x)" + std::string(64, 'a') +
                 R"(","blockNumber":"0x1","status":"0x0","contractAddress":null}})");
}

/// Keeps every request to the process of the keys, and answers it.
class RecordingChannel final : public crypto::KeyChannel {
 public:
  RecordingChannel(Writer& writer, KeyOps& keys) : writer_(writer), keys_(keys) {}
  Result<void> exchange(crypto::WireBuffer& frame) override {
    const Bytes request = crypto::to_bytes(frame.view());
    writer_.put("key_call", "call-" + std::to_string(++calls_),
                std::string(crypto::as_text(request)));
    crypto::serve_key_call(keys_, request, frame);
    return {};
  }

 private:
  Writer& writer_;
  KeyOps& keys_;
  int calls_ = 0;
};

void put_shares(Writer& writer) {
  crypto::SeededRandom random(1, "shares");
  const auto put = [&](const std::string& name, const SecretBytes& share) {
    writer.put("slip39", name, std::string(crypto::as_text(share.expose())));
  };
  const SecretBytes secret = random.secret(32);
  const crypto::Slip39Plan plan{2, {{1, 1}, {2, 3}}, 0, true};
  int number = 0;
  for (const auto& group : test::must(crypto::slip39_split(secret, {}, plan, random))) {
    for (const SecretBytes& mnemonic : group) put("group-" + std::to_string(++number), mnemonic);
  }
  for (const bool extendable : {false, true}) {
    const crypto::Slip39Plan alone{1, {{1, 1}}, 0, extendable};
    const auto made = test::must(crypto::slip39_split(random.secret(16), {}, alone, random));
    put(extendable ? "alone" : "alone-bound", made[0][0]);
  }
  const auto lines = test::must(crypto::split_file(secret, 2, 2, random));
  put("file-1", lines[0]);
  put("file-2", lines[1]);
}

/// The keys are those of fuzz/key_call.cpp, so that what was sealed here opens there.
void put_key_calls(Writer& writer) {
  crypto::SeededRandom random(1, "key calls");
  const SecretBytes root = random.secret(32);
  crypto::SoftwareKeys keys(root, random);
  RecordingChannel channel(writer, keys);
  crypto::RemoteKeys remote(channel, crypto::RecordKeys::of_root(root), random);
  const auto make = [&](KeyType type, KeyPurpose purpose) {
    return test::must(remote.generate(type, purpose));
  };
  const Bytes hash(32, 1);
  const KeyPair next = make(KeyType::ed25519, KeyPurpose::log_next);
  const KeyPair payer = make(KeyType::secp256k1, KeyPurpose::chain);
  const KeyPair mine = make(KeyType::x25519, KeyPurpose::agree);
  const KeyPair other = make(KeyType::p521, KeyPurpose::agree);
  const SealedKey link = test::must(remote.generate_secret(KeyPurpose::link_secret));
  static_cast<void>(remote.sign(next.sealed, crypto::as_bytes("text")));
  static_cast<void>(remote.sign_hash(payer.sealed, hash));
  static_cast<void>(remote.activate_next(next.sealed));
  const crypto::WrapContext context{"ECDH-1PU+A256KW", hash, hash, hash};
  const SecretBytes secret = SecretBytes::copy_of(hash);
  const Bytes wrapped =
      test::must(remote.wrap_cek(&mine.sealed, mine.public_key, secret, context, secret));
  static_cast<void>(
      remote.unwrap_cek(mine.sealed, &mine.public_key, mine.public_key, context, wrapped));
  static_cast<void>(remote.unwrap_cek(other.sealed, nullptr, other.public_key, context, wrapped));
  remote.forget_agreements(mine.public_key);
  const Bytes box = test::must(remote.seal_to(mine.public_key, hash, hash));
  static_cast<void>(remote.open_box(mine.sealed, hash, box));
  static_cast<void>(remote.create_vault(StepUp{1}));
  static_cast<void>(remote.seal_to_vault(mine.public_key, link));
  const crypto::DealShape leaf;
  const crypto::Dealing dealing = test::must(remote.deal({2, {leaf, leaf, {1, {leaf, leaf}}}}));
  const crypto::DealtLeaf& held = dealing.leaves.front();
  const Bytes given = test::must(remote.seal_share_to(held.share, mine.public_key, hash));
  static_cast<void>(remote.accept_share(mine.sealed, hash, given, held.share_point));
  static_cast<void>(remote.partial(held.share, {crypto::Point::base()}, hash));
  static_cast<void>(remote.prove_share(held.share, hash));
  static_cast<void>(remote.take_over_vault(mine.sealed, hash, box));
  static_cast<void>(remote.open_capsule(Bytes(64), dealing.recovery_key, dealing.recovery_key));
}

/// The world is that of fuzz/agent_proof.cpp, so that these proofs hold there.
void put_agent_proofs(Writer& writer) {
  const AgentWorld world;
  const Bytes fresh(crypto::agent_proof::kFreshBytes);
  const auto put = [&](const std::string& name, char kind, const Bytes& proof) {
    writer.put("agent_proof", name, kind + std::string(crypto::as_text(proof)));
  };
  put("plain", 0, test::must(crypto::agent_proof::prove(world.plain, world.witness, fresh)));
  put("scoped", 1, test::must(crypto::agent_proof::prove(world.scoped, world.witness, fresh)));
  put("registration", 2,
      test::must(
          crypto::agent_proof::prove_registration(world.witness.agent, world.registration, fresh)));
}

/// Nothing in it is sealed: the target has no key to open it with.
void put_portable(Writer& writer) {
  const auto put = [&](const std::string& name, char kind, ByteView bytes) {
    writer.put("portable", name, kind + std::string(crypto::as_text(bytes)));
  };
  recovery::PortableHeader header;
  header.cost.salt.fill(7);
  recovery::PortableHeader by_file = header;
  by_file.lock = recovery::PortableLock::key_file;
  by_file.cost.ops = 0;
  by_file.cost.memory_bytes = 0;
  by_file.moved = true;
  crypto::ContainerCore core;
  core.counter = 1;
  core.ephemeral = crypto::Point::base();
  for (const auto& each : {header, by_file}) {
    recovery::PortableParts parts{each, recovery::encode(each), Bytes(4096), {}};
    Bytes backup = crypto::encode(core);
    backup.resize(crypto::container_bytes(core.size_class));
    parts.backup = {std::move(backup)};
    put(each.moved ? "moved-by-key-file" : "copy", 0, recovery::join(parts));
  }
  const JsonObject manifest{{"format", 1}, {"name", "Alice"}, {"contacts", 3}, {"test", true}};
  put("content", 1, test::must(recovery::encode_content(manifest, Bytes(20, 5))).expose());
}

}  // namespace
}  // namespace kith::fuzz

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: seeds FOLDER\n";
    return 2;
  }
  kith::fuzz::Writer writer(argv[1]);
  kith::fuzz::put_messages(writer);
  kith::fuzz::put_envelopes(writer);
  kith::fuzz::put_dids(writer);
  kith::fuzz::put_http(writer);
  kith::fuzz::put_logs(writer);
  kith::fuzz::put_numbers(writer);
  kith::fuzz::put_checkpoints(writer);
  kith::fuzz::put_chain_answers(writer);
  kith::fuzz::put_key_calls(writer);
  kith::fuzz::put_shares(writer);
  kith::fuzz::put_agent_proofs(writer);
  kith::fuzz::put_portable(writer);
}
