#include <algorithm>
#include <charconv>
#include <iostream>

#include "crypto/file_shares.hpp"
#include "crypto/slip39.hpp"
#include "node/cli/commands.hpp"
#include "node/cli/read_input.hpp"

namespace kith::node {
namespace {

namespace share_limits = crypto::share_limits;

constexpr std::size_t kSharesInputBytesMax =
    share_limits::kFileSharesMax * share_limits::kFileShareLineBytesMax;

/// Errors: those of read_input.
Result<SecretBytes> read_secret_input(const std::string& path, std::size_t bytes_max) {
  TRY(std::string text, read_input(path, bytes_max));
  SecretBytes secret = SecretBytes::copy_of(crypto::as_bytes(text));
  crypto::wipe(text);
  return secret;
}

/// Lines that are not empty.
std::vector<SecretBytes> lines_of(const SecretBytes& text) {
  std::vector<SecretBytes> lines;
  const std::string_view all = crypto::as_text(text.expose());
  for (std::size_t begin = 0; begin < all.size();) {
    const std::size_t end = std::min(all.find('\n', begin), all.size());
    const std::string_view line = all.substr(begin, end - begin);
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) {
      lines.push_back(SecretBytes::copy_of(crypto::as_bytes(line)));
    }
    begin = end + 1;
  }
  return lines;
}

/// The option's number, or `otherwise`. Errors: usage (outside 0 to 255).
Result<std::size_t> small_number(const Invocation& invocation, std::string_view option,
                                 std::size_t otherwise) {
  if (!invocation.has(option)) return otherwise;
  const std::int64_t number = invocation.number(option);
  if (number < 0 || number > 255) {
    return fail(Errc::usage, std::string(option) + " is a number from 0 to 255");
  }
  return static_cast<std::size_t>(number);
}

Result<SecretBytes> secret_of(const Invocation& invocation) {
  std::string text = invocation.value("--secret-hex");
  if (text == "-") {
    TRY(text, read_input("-", 4 * share_limits::kSlip39SecretBytesMax));
  }
  std::erase_if(text,
                [](char letter) { return letter == ' ' || (letter >= '\t' && letter <= '\r'); });
  for (char& letter : text) {
    if (letter >= 'A' && letter <= 'F') letter = static_cast<char>(letter - 'A' + 'a');
  }
  auto bytes = crypto::from_hex(text);
  crypto::wipe(text);
  if (bytes.has_error()) return fail(Errc::malformed, "the secret must be hexadecimal digits");
  return SecretBytes::take(*bytes);
}

/// "2/3". Errors: usage.
Result<crypto::Slip39Group> group_of(std::string_view text) {
  unsigned threshold = 0;
  unsigned count = 0;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, threshold);
  const bool slash = first.ec == std::errc() && first.ptr != end && *first.ptr == '/';
  const auto second = slash ? std::from_chars(first.ptr + 1, end, count) : first;
  if (!slash || second.ec != std::errc() || second.ptr != end || threshold > 255 || count > 255) {
    return fail(Errc::usage, "--group " + std::string(text) + ": write it as 2/3");
  }
  return crypto::Slip39Group{static_cast<std::uint8_t>(threshold),
                             static_cast<std::uint8_t>(count)};
}

Result<crypto::Slip39Plan> plan_of(const Invocation& invocation) {
  crypto::Slip39Plan plan;
  const std::string groups = invocation.value("--group");
  for (std::size_t begin = 0; begin <= groups.size();) {
    const std::size_t end = std::min(groups.find('\n', begin), groups.size());
    TRY(const auto group, group_of(std::string_view(groups).substr(begin, end - begin)));
    plan.groups.push_back(group);
    begin = end + 1;
  }
  TRY(const std::size_t threshold, small_number(invocation, "--group-threshold", 1));
  TRY(const std::size_t exponent, small_number(invocation, "--exponent", plan.exponent));
  plan.group_threshold = static_cast<std::uint8_t>(threshold);
  plan.exponent = static_cast<std::uint8_t>(exponent);
  plan.extendable = !invocation.has("--no-extendable");
  return plan;
}

SecretBytes share_passphrase(const Invocation& invocation) {
  return SecretBytes::copy_of(crypto::as_bytes(invocation.value("--passphrase")));
}

JsonArray texts_of(const std::vector<SecretBytes>& lines) {
  JsonArray texts;
  for (const SecretBytes& line : lines) {
    texts.push_back(boost::json::string(crypto::as_text(line.expose())));
  }
  return texts;
}

void print_lines(const std::vector<SecretBytes>& lines) {
  for (const SecretBytes& line : lines) std::cout << crypto::as_text(line.expose()) << '\n';
}

Result<void> slip39_split(const Invocation& invocation, const Output& output, Random& random) {
  TRY(const auto plan, plan_of(invocation));
  TRY(const SecretBytes secret, secret_of(invocation));
  TRY(const auto groups, crypto::slip39_split(secret, share_passphrase(invocation), plan, random));
  if (output.json) {
    JsonArray all;
    for (const auto& group : groups) all.push_back(texts_of(group));
    output.print({{"groups", std::move(all)}});
    return {};
  }
  for (const auto& group : groups) {
    if (&group != &groups.front()) std::cout << '\n';
    print_lines(group);
  }
  return {};
}

Result<void> slip39_combine(const Invocation& invocation, const Output& output) {
  TRY(const std::size_t exponent_max,
      small_number(invocation, "--exponent-max", share_limits::kSlip39ExponentMax));
  TRY(const SecretBytes text, read_secret_input(invocation.value("FILE"), kSharesInputBytesMax));
  TRY(const SecretBytes secret, crypto::slip39_combine(lines_of(text), share_passphrase(invocation),
                                                       static_cast<std::uint8_t>(exponent_max)));
  std::string digits = crypto::hex(secret.expose());
  output.json ? output.print({{"secret_hex", digits}}) : void(std::cout << digits << '\n');
  crypto::wipe(digits);
  return {};
}

Result<void> shamir_split(const Invocation& invocation, const Output& output, Random& random) {
  TRY(const std::size_t threshold, small_number(invocation, "--threshold", 0));
  TRY(const std::size_t count, small_number(invocation, "--shares", 0));
  TRY(const SecretBytes content,
      read_secret_input(invocation.value("FILE"), share_limits::kFileBytesMax));
  TRY(const auto lines, crypto::split_file(content, threshold, count, random));
  output.json ? output.print({{"shares", texts_of(lines)}}) : print_lines(lines);
  return {};
}

Result<void> shamir_combine(const Invocation& invocation, const Output& output) {
  TRY(const SecretBytes text, read_secret_input(invocation.value("FILE"), kSharesInputBytesMax));
  TRY(const auto file, crypto::combine_file(lines_of(text)));
  if (output.json) {
    JsonArray altered;
    for (const std::size_t number : file.altered) altered.push_back(std::uint64_t{number});
    output.print({{"content_base64url", crypto::base64url(file.content.expose())},
                  {"altered", std::move(altered)}});
    return {};
  }
  for (const std::size_t number : file.altered) {
    std::cerr << "Share " << number << " was altered and left out.\n";
  }
  std::cout << crypto::as_text(file.content.expose());
  return {};
}

Result<void> run(const Invocation& invocation, const Output& output) {
  crypto::OsRandom random;
  switch (invocation.spec->special) {
    case Special::slip39_split:
      return slip39_split(invocation, output, random);
    case Special::slip39_combine:
      return slip39_combine(invocation, output);
    case Special::shamir_split:
      return shamir_split(invocation, output, random);
    default:
      return shamir_combine(invocation, output);
  }
}

}  // namespace

int run_shares(const Invocation& invocation, const Output& output) {
  const auto done = run(invocation, output);
  if (done.has_error()) return output.error(done.error());
  std::cout << std::flush;
  return 0;
}

}  // namespace kith::node
