#include "node/cli/spec_parts.hpp"

namespace kith::node {

using enum ArgSpec::Kind;

std::vector<CommandSpec> portable_commands() {
  const ArgSpec file_passphrase{"--file-passphrase-file", "",
                                "Read the exported file's own passphrase from this file", file};
  const ArgSpec private_network{"--private-network", "",
                                "Allow addresses of this machine and its network", flag};
  return {
      {"export",
       "Write this wallet into a file, for another machine or program",
       "",
       Special::portable_export,
       {{"FILE", "", "The file; there must be none yet", file, true},
        file_passphrase,
        {"--key-file", "", "Lock it with this key file instead of a passphrase; made if missing",
         file},
        {"--move", "", "The wallet moves: this home does not run any more", flag},
        {"--anyway", "", "Although others count on this device, or there are other devices",
         flag}}},
      {"import",
       "Make a wallet from a file of `kith export`, with keys of its own",
       "",
       Special::portable_import,
       {{"FILE", "", "What `kith export` wrote", file, true},
        file_passphrase,
        {"--key-file", "", "The key file that opens it", file},
        {"--no-passphrase", "", "Keep the key of the new home in a bare file (for servers)", flag},
        {"--token", "", "Bind the new home to this key token too (pkcs11:token=NAME)"},
        private_network,
        {"--tls-ca", "", "Also trust the CAs in this file; it is copied into the home", file},
        {"--ledger-login", "", "File with name and password for a ledger in etcd; they are kept",
         file},
        kWait}},
      {"home erase",
       "Take this wallet off this machine: tells contacts, then wipes keys and files",
       "",
       Special::home_erase,
       {{"--tell-nobody", "", "Say nothing to contacts; needs no passphrase", flag},
        {"--anyway", "", "Although others count on this device for their recovery", flag},
        kWait}},
      {"home keep",
       "Take an `export --move` back, if the file was never imported",
       "",
       Special::home_keep,
       {},
       "If that file was imported anywhere, this home's keys count no more, and running it raises "
       "alarms. Was it certainly never imported?"},
  };
}

}  // namespace kith::node
