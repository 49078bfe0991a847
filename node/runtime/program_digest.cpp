#include "node/runtime/program_digest.hpp"

#include <fstream>

#include "crypto/hash.hpp"

namespace kith::node {
namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 18;

}  // namespace

Result<std::string> program_digest() {
  std::ifstream program("/proc/self/exe", std::ios::binary);
  crypto::Sha256 hash;
  Bytes block(kReadBytes);
  while (program) {
    program.read(reinterpret_cast<char*>(block.data()), static_cast<std::streamsize>(block.size()));
    hash.update(ByteView(block).first(static_cast<std::size_t>(program.gcount())));
  }
  if (!program.eof()) return fail(Errc::io, "the running program cannot be read (/proc/self/exe)");
  return crypto::hex(hash.finish());
}

}  // namespace kith::node
