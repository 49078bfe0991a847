#include "node/cli/spec_parts.hpp"

namespace kith::node {

using enum ArgSpec::Kind;

std::vector<CommandSpec> share_commands() {
  const ArgSpec passphrase{"--passphrase", "", "Encrypts the secret; empty if not given"};
  return {
      {"slip39 split",
       "Split a secret into mnemonics, one a line, groups apart; needs no wallet",
       "",
       Special::slip39_split,
       {{"--secret-hex", "", "16 to 64 bytes; - reads them from the input", text, true},
        {"--group", "", "T/N: N mnemonics, of which T are needed; once for each group", texts,
         true},
        {"--group-threshold", "", "So many groups are needed (1 if not given)", number},
        passphrase,
        {"--exponent", "", "The passphrase costs 10000 times two to this (1 if not given)", number},
        {"--no-extendable", "", "Bind the cipher to this one set, as older programs do", flag}}},
      {"slip39 combine",
       "Read exactly as many mnemonics as are needed, one a line, and print the secret",
       "",
       Special::slip39_combine,
       {passphrase,
        {"--exponent-max", "", "Accept costs up to 10000 times two to this (10 if not given)",
         number},
        {"FILE", "", "Read from this file and not from the input", file}}},
      {"shamir split",
       "Split any file up to 64 KiB into signed shares, one a line; needs no wallet",
       "",
       Special::shamir_split,
       {{"--threshold", "", "So many are needed", number, true},
        {"--shares", "", "So many are made, at most 255", number, true},
        {"FILE", "", "Read from this file and not from the input", file}}},
      {"shamir combine",
       "Read shares, one a line, and print what was split",
       "",
       Special::shamir_combine,
       {{"FILE", "", "Read from this file and not from the input", file}}},
  };
}

}  // namespace kith::node
