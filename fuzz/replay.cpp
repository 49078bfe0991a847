// replay TARGET FOLDER: runs a target over its corpus, twice. As it is, every property must hold,
// and some files must be accepted and some refused, or the corpus says little. Then with a fault
// planted (see written() in target.hpp), which some file must bring to light.

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>

#include "fuzz/target.hpp"

namespace kith::fuzz {
namespace {

using Corpus = std::map<std::string, std::string>;  ///< Contents by name.

const char* current_file = "";

/// A failed ASSERT or a bad access says which file it was.
void name_file(int signal) {
  std::fputs("\nreplay: this file ends the program: ", stderr);
  std::fputs(current_file, stderr);
  std::fputs("\n", stderr);
  std::_Exit(128 + signal);
}

Corpus read_corpus(const std::filesystem::path& folder) {
  Corpus corpus;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    corpus[entry.path().filename().string()] = {std::istreambuf_iterator<char>(file), {}};
  }
  return corpus;
}

struct Counts {
  std::size_t accepted = 0;
  std::size_t refused = 0;
  std::size_t broken = 0;
};

Counts run(const Target& target, const Corpus& corpus, bool tell) {
  Counts counts;
  for (const auto& [name, content] : corpus) {
    current_file = name.c_str();
    try {
      const Verdict verdict = target.run(crypto::as_bytes(content));
      ++(verdict == Verdict::accepted ? counts.accepted : counts.refused);
    } catch (const Broken& broken) {
      ++counts.broken;
      if (tell) std::cout << "replay: " << name << ": does not hold: " << broken.what() << "\n";
    }
  }
  return counts;
}

int replay(const Target& target, const std::filesystem::path& folder) {
  const Corpus corpus = read_corpus(folder);
  const Counts usual = run(target, corpus, true);
  plant_fault(true);
  const Counts faulty = run(target, corpus, false);
  plant_fault(false);
  std::cout << target.name << ": " << corpus.size() << " files, " << usual.accepted << " accepted, "
            << usual.refused << " refused, " << usual.broken << " broke a property; "
            << faulty.broken << " did with a planted fault\n";
  const bool telling = usual.accepted > 0 && usual.refused > 0 && faulty.broken > 0;
  if (!telling) std::cout << "replay: this corpus would not show a fault\n";
  return telling && usual.broken == 0 ? 0 : 1;
}

}  // namespace
}  // namespace kith::fuzz

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: replay TARGET FOLDER\n";
    return 2;
  }
  std::signal(SIGABRT, kith::fuzz::name_file);
  std::signal(SIGSEGV, kith::fuzz::name_file);
  for (const kith::fuzz::Target& target : kith::fuzz::targets()) {
    if (target.name == argv[1]) return kith::fuzz::replay(target, argv[2]);
  }
  std::cerr << "replay: no target " << argv[1] << "\n";
  return 2;
}
