// Requests to the process that holds the keys: what a captured network process could send it.

#include "crypto/key_wire.hpp"
#include "crypto/software_keys.hpp"
#include "fuzz/target.hpp"

namespace kith::fuzz {
namespace {

/// The same keys in every run, so that the sealed ones in the corpus open.
struct Keys {
  crypto::SeededRandom random{1, "key calls"};
  SecretBytes root = random.secret(32);
  crypto::SoftwareKeys keys{root, random};
};

}  // namespace

Verdict key_call(ByteView input) {
  Keys made;
  crypto::WireBuffer answer;
  crypto::serve_key_call(made.keys, input, answer);
  hold(answer.size() > 0, "every request has an answer");
  // On a fresh server the same request ends the same; signatures and boxes may hold fresh
  // randomness.
  Keys again;
  crypto::WireBuffer second;
  crypto::serve_key_call(again.keys, input, second);
  hold(second.size() == answer.size() && second.view()[0] == answer.view()[0],
       "the same request ends the same");
  const std::string said = written(crypto::hex(answer.view()));
  hold(must(crypto::from_hex(said), "hexadecimal") == crypto::to_bytes(answer.view()),
       "an answer can be written down");
  crypto::WireReader reader(answer.view());
  const auto status = crypto::take_key_status(reader);
  return status.has_value() ? Verdict::accepted : Verdict::refused;
}

}  // namespace kith::fuzz
