#include "node/keys/opening.hpp"

#include <algorithm>
#include <utility>

#include "crypto/limits.hpp"
#include "crypto/passphrase_strength.hpp"
#include "crypto/passphrase_words.hpp"
#include "node/cli/terminal.hpp"
#include "node/keys/key_token.hpp"
#include "node/storage/home.hpp"

namespace kith::node {
namespace {

using crypto::PassphraseParameters;
using std::chrono::milliseconds;

milliseconds since(std::chrono::steady_clock::time_point begun) {
  return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begun);
}

Result<void> check_strength(const SecretBytes& passphrase) {
  const crypto::PassphraseStrength found = crypto::passphrase_strength(passphrase);
  if (found.bits >= limits::kPassphraseBitsMin) return {};
  return fail(Errc::weak_passphrase, std::string(found.why));
}

/// Asks until the same was typed twice and is good enough.
Result<SecretBytes> ask_new_passphrase(bool test, Random& random) {
  const SecretBytes proposal = crypto::propose_passphrase(random);
  say_progress("A good one, drawn by lot for you alone: " +
               std::string(crypto::as_text(proposal.expose())));
  while (true) {
    TRY(SecretBytes first, ask_passphrase("Choose a passphrase (that one, or several words)"));
    if (const auto good = check_strength(first); !test && good.has_error()) {
      const crypto::ErrorText& text = crypto::error_text(good.error().code);
      say_progress(std::string(text.sentence) + " " + std::string(text.next_step));
      continue;
    }
    TRY(const SecretBytes second, ask_passphrase("The same once more"));
    if (crypto::equal_constant_time(first.expose(), second.expose())) return first;
    say_progress("Those were two different ones; please try again.");
  }
}

/// What was handed over: a passphrase, and perhaps a PIN behind a line end.
struct HandedOver {
  SecretBytes passphrase;
  std::optional<SecretBytes> pin;
};
HandedOver take_apart(const SecretBytes& given) {
  const auto bytes = given.expose();
  const auto end = std::ranges::find(bytes, static_cast<std::uint8_t>('\n'));
  const auto size = static_cast<std::size_t>(end - bytes.begin());
  HandedOver parts{SecretBytes::copy_of(bytes.first(size)), {}};
  if (end != bytes.end()) parts.pin = SecretBytes::copy_of(bytes.subspan(size + 1));
  return parts;
}

/// Empty: the file has one line.
Result<std::optional<SecretBytes>> pin_in_file(const std::string& path) {
  auto pin = read_pin_in_file(path);
  if (pin.has_value()) return std::optional(std::move(*pin));
  if (pin.error() != Errc::token_pin_needed) return pin.error();
  return std::optional<SecretBytes>();
}

Result<std::optional<SecretBytes>> typed_pin() {
  TRY(SecretBytes pin, ask_pin("The PIN of your key token"));
  return std::optional(std::move(pin));
}

/// From where the passphrase comes; asked for only when a token is in play. Empty: not given, which
/// is right for a token with keys of its own for it.
Result<std::optional<SecretBytes>> pin_of(const KeyStart& start) {
  switch (start.from) {
    case PassphraseFrom::nowhere:
      break;
    case PassphraseFrom::file:
      return pin_in_file(start.passphrase_file);
    case PassphraseFrom::terminal:
      return typed_pin();
    case PassphraseFrom::here:
      return take_apart(start.passphrase).pin;
  }
  return std::optional<SecretBytes>();
}

/// With a new passphrase, from where that comes: the wallet may have had none. A file of one line
/// leaves the PIN to the old passphrase's.
Result<std::optional<SecretBytes>> new_pin_of(const KeyStart& start) {
  if (!start.change) return pin_of(start);
  if (start.new_passphrase_file.empty()) return typed_pin();
  TRY(auto pin, pin_in_file(start.new_passphrase_file));
  if (!pin) return pin_of(start);
  return pin;
}

Result<HeldToken> bind_new_token(const KeyStart& start, Random& random) {
  TRY(const auto pin, new_pin_of(start));
  return bind_token(start.token_uri, pin ? &*pin : nullptr, random);
}

Result<void> let_token_answer(const KeyStart& start, Keystore& keystore) {
  if (!keystore.token()) return {};
  TRY(const auto pin, pin_of(start));
  TRY(SecretBytes secret, ask_token(*keystore.token(), pin ? &*pin : nullptr));
  keystore.hold_token_secret(std::move(secret));
  return {};
}

/// Empty: there is none.
Result<std::optional<SecretBytes>> passphrase_of(const KeyStart& start, Random& random) {
  std::optional<SecretBytes> passphrase;
  switch (start.from) {
    case PassphraseFrom::nowhere:
      break;
    case PassphraseFrom::file: {
      TRY(passphrase, read_passphrase_file(start.passphrase_file));
      break;
    }
    case PassphraseFrom::terminal: {
      TRY(passphrase,
          start.make ? ask_new_passphrase(start.test, random) : ask_passphrase("Your passphrase"));
      break;
    }
    case PassphraseFrom::here:
      passphrase = take_apart(start.passphrase).passphrase;
      break;
  }
  return passphrase;
}

Result<KeystoreCost> new_cost(bool test, Random& random) {
  KeystoreCost cost{crypto::new_passphrase_parameters(random), test};
  if (test) {
    cost.parameters.memory_bytes = limits::kArgonMemoryBytesMin;
    cost.parameters.ops = limits::kArgonOpsMin;
    return cost;
  }
  TRY(cost.parameters, affordable_parameters(random));
  return cost;
}

/// The same keys under another passphrase. The old one opens nothing from now on, but copies of the
/// file that somebody made before.
Result<Keystore> with_new_passphrase(const KeyStart& start, const Keystore& old,
                                     const UnlockedKeys& keys, Random& random) {
  const bool test = old.cost() && old.cost()->test;
  SecretBytes passphrase;
  if (start.new_passphrase_file.empty()) {
    TRY(passphrase, ask_new_passphrase(test, random));
  } else {
    TRY(passphrase, read_passphrase_file(start.new_passphrase_file));
  }
  if (!test) CHECK(check_strength(passphrase));
  std::optional<HeldToken> token = start.no_token ? std::nullopt : old.held_token();
  if (!start.token_uri.empty()) {
    TRY(token, bind_new_token(start, random));
  }
  TRY(const KeystoreCost cost, new_cost(test, random));
  TRY(Keystore changed,
      Keystore::sealed(keys, passphrase, cost, random, token ? &*token : nullptr));
  CHECK(Home::write_keystore(start.home, changed));
  return changed;
}

Result<OpenedKeys> make_keys(const KeyStart& start, const std::optional<SecretBytes>& passphrase,
                             Random& random) {
  KeystoreCost cost{crypto::new_passphrase_parameters(random), start.test};
  if (passphrase && !start.test) CHECK(check_strength(*passphrase));
  if (passphrase) {
    TRY(cost, new_cost(start.test, random));
  }
  std::optional<HeldToken> token;
  if (!start.token_uri.empty()) {
    if (!passphrase) return fail(Errc::usage, "a wallet with a token has a passphrase too");
    TRY(token, bind_new_token(start, random));
  }
  TRY(auto made,
      Keystore::make(passphrase ? &*passphrase : nullptr, cost, random, token ? &*token : nullptr));
  CHECK(Home::write_keystore(start.home, made.keystore));
  return OpenedKeys{std::move(made.keystore), std::move(made.keys), start.keep_step_up};
}

}  // namespace

Result<PassphraseParameters> affordable_parameters(Random& random) {
  PassphraseParameters parameters = crypto::new_passphrase_parameters(random);
  const SecretBytes trial(16);
  const auto begun = std::chrono::steady_clock::now();
  CHECK(crypto::derive_from_passphrase(trial, parameters).has_value()
            ? Result<void>()
            : Result<void>(fail(Errc::no_memory)));
  return raised_parameters(parameters, since(begun)).value_or(parameters);
}

std::optional<PassphraseParameters> raised_parameters(const PassphraseParameters& stored,
                                                      milliseconds taken) {
  const PassphraseParameters least;
  PassphraseParameters raised = stored;
  raised.ops = std::max(stored.ops, least.ops);
  raised.memory_bytes = std::max(stored.memory_bytes, least.memory_bytes);
  const bool was_low = raised.ops != stored.ops || raised.memory_bytes != stored.memory_bytes;
  // Twice as fast as wanted, or nothing: clocks and load differ by less.
  if (!was_low && taken * 2 > limits::kArgonTimeWanted) return std::nullopt;
  if (!was_low) {
    const auto factor = limits::kArgonTimeWanted / std::max(taken, milliseconds{1});
    const auto wanted = static_cast<std::uint64_t>(stored.ops) * static_cast<std::uint64_t>(factor);
    raised.ops = static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, limits::kArgonOpsMax));
  }
  if (raised.ops == stored.ops && !was_low) return std::nullopt;
  return raised;
}

Result<OpenedKeys> open_keys(KeyStart start, Random& random) {
  TRY(const std::optional<SecretBytes> passphrase, passphrase_of(start, random));
  if (start.make) return make_keys(start, passphrase, random);
  TRY(Keystore keystore, Home::read_keystore(start.home));
  CHECK(let_token_answer(start, keystore));
  const auto begun = std::chrono::steady_clock::now();
  TRY(UnlockedKeys keys, keystore.unlock(passphrase ? &*passphrase : nullptr));
  const milliseconds taken = since(begun);
  if (start.change) {
    TRY(Keystore changed, with_new_passphrase(start, keystore, keys, random));
    return OpenedKeys{std::move(changed), std::move(keys), start.keep_step_up};
  }
  if (const auto cost = keystore.cost(); cost && passphrase && !cost->test) {
    if (auto raised = raised_parameters(cost->parameters, taken)) {
      random.fill(raised->salt);
      const auto token = keystore.held_token();
      TRY(Keystore stronger,
          Keystore::sealed(keys, *passphrase, {*raised, false}, random, token ? &*token : nullptr));
      CHECK(Home::write_keystore(start.home, stronger));
      keystore = std::move(stronger);
    }
  }
  return OpenedKeys{std::move(keystore), std::move(keys), start.keep_step_up};
}

}  // namespace kith::node
