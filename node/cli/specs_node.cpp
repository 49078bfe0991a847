#include "node/cli/spec_parts.hpp"

namespace kith::node {

using enum ArgSpec::Kind;

std::vector<CommandSpec> node_commands() {
  return {
      {"init",
       "Make a wallet on this device",
       "",
       Special::init,
       {{"--name", "", "How others see you"},
        {"--ledger", "",
         "Where your identity is published: http://..., etcd://HOST,..., evm://HOST/CHAIN/0x..., "
         "or "
         "leveldb:DIR"},
        {"--ledger-login", "", "File with name and password for a ledger in etcd; they are kept",
         file},
        {"--mediator", "", "Address of the mediator that keeps your mail"},
        {"--no-passphrase", "", "Keep the key in a bare file (for servers)", flag},
        {"--token", "",
         "Bind the wallet to this key token too (pkcs11:token=NAME): without it the passphrase "
         "opens nothing"},
        {"--no-identity", "", "Make no identity: for a mediator or ledger host", flag},
        {"--test", "", "For trying out: short waiting times, weak passphrase cost", flag},
        {"--private-network", "", "Allow addresses of this machine and its network", flag},
        {"--tls-ca", "", "Also trust the CAs in this file; it is copied into the home", file},
        kWait}},
      {"run",
       "Run the node until it is stopped",
       "",
       Special::run,
       {{"--listen", "", "Listen on this ADDRESS:PORT (port 0: any free one)"},
        {"--public-url", "", "Where others reach the listener"},
        {"--mediate", "", "Relay mail and keep backups for others", flag},
        {"--relay-delay-ms", "", "As mediator, hold mail back a random time up to this", number},
        {"--ledger-serve", "", "Serve this home's ledger to others", flag},
        {"--replica-of", "", "Keep a whole copy of the ledger at this address, and serve that"},
        {"--witness", "", "Cosign checkpoints of the ledgers it watches (`ledger witness`)", flag},
        {"--config", "", "Read this file instead of kith.toml in the home (docs/config.md)", file},
        {"--metrics-listen", "", "Numbers for Prometheus, on this ADDRESS:PORT of this machine"},
        {"--private-network", "", "Allow addresses of this machine and its network", flag},
        {"--tls-cert", "", "Listen with TLS 1.3: file of the certificate with its chain", file},
        {"--tls-key", "", "File of its private key", file},
        {"--tls-ca", "", "When connecting, also trust the CAs in this file", file},
        {"--ledger-login", "", "File with name and password for a ledger in etcd; they are kept",
         file},
        {"--locked", "", "Come up locked: `kith unlock` gives the passphrase later", flag},
        {"--ui", "", "Reserved for the web page"}}},
      {"lock",
       "Take the keys out of the running node's memory until `kith unlock`",
       "lock",
       Special::lock,
       {}},
      {"unlock",
       "Give a locked node its keys back, with the passphrase",
       "unlock",
       Special::unlock,
       {{"--for", "", "Lock again after this time: 90s, 15m, 2h"}}},
      {"passphrase",
       "Change the passphrase that opens this wallet, while its node is stopped",
       "",
       Special::passphrase,
       {{"--new-passphrase-file", "", "Read the new passphrase from this file", file},
        {"--token", "", "Bind the wallet to this key token too (pkcs11:token=NAME)"},
        {"--no-token", "", "Need no key token any more", flag}}},
      {"status",
       "What is going on, and what comes next",
       "status",
       Special::status,
       {{"--clear", "", "Mark the notices shown as read", flag}}},
      {"doctor", "Check this device and its home", "", Special::doctor, {}},
      {"version",
       "Say which version this is, and the SHA-256 of this program",
       "",
       Special::version,
       {}},
      {"algs",
       "The cryptographic algorithms in use, and how strong they are",
       "",
       Special::algorithms,
       {}},
  };
}

std::vector<CommandSpec> message_commands() {
  const ArgSpec secrets{"--secrets", "", "File with private keys: a JSON array of JWKs with kid",
                        file, true};
  const ArgSpec documents{"--did-docs", "", "File with DID documents: a JSON array", file};
  const ArgSpec input{"FILE", "", "Read from this file and not from the input", file};
  return {
      {"message unpack",
       "Open a DIDComm envelope with given keys; needs no wallet",
       "",
       Special::message_unpack,
       {input, secrets, documents}},
      {"message pack",
       "Put a DIDComm message into an envelope with given keys; needs no wallet",
       "",
       Special::message_pack,
       {input,
        secrets,
        documents,
        {"--to", "", "Encrypt to this DID"},
        {"--from", "", "Authenticate as this DID"},
        {"--sign-by", "", "Sign with a key of this DID, or with this key"},
        {"--protect-sender", "", "Hide the sender from the path", flag},
        {"--enc", "", "A256CBC-HS512, A256GCM or XC20P (without --from)"}}},
  };
}

}  // namespace kith::node
