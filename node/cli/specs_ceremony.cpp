#include "node/cli/spec_parts.hpp"

namespace kith::node {

using enum ArgSpec::Kind;

std::vector<CommandSpec> ceremony_commands() {
  return {
      {"ceremony run",
       "Do the steps of a script before witnesses, and sign a transcript of it",
       "",
       Special::ceremony_run,
       {{"FILE", "", "The script: docs/ceremonies.md says how to write one", file, true},
        {"--witnessed-by", "witnesses", "Names of who is there, as they should stand in it", list},
        {"--out", "", "Write the transcript to this file", file, true}}},
      {"ceremony verify",
       "Check a transcript: its form, the chain of its steps, its signature; needs no wallet",
       "",
       Special::ceremony_verify,
       {{"FILE", "", "The transcript; - or nothing: the input", file},
        {"--script", "", "It was of this script", file},
        {"--key", "", "It was signed with this key (`kith policy show` of its owner)"}}},
  };
}

}  // namespace kith::node
